"""Linear: y = x W^T + b."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.nn import Linear


@pytest.mark.parametrize("shape", [(3,), (5, 3), (2, 5, 3), (0, 3)])
@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_it_is_the_affine_map_along_the_last_axis(shape: tuple[int, ...], bias: bool, dtype: Any) -> None:
    layer = Linear(3, 4, bias=bias, rng=RandomStream(0)).to(dtype)
    x = RandomStream(1).normal(shape, dtype)
    y = layer(x)
    weight, offset = sg.asnumpy(layer.weight), sg.asnumpy(layer.bias) if bias else 0
    assert y.dtype == dtype
    assert_close(y, np.einsum("...i,oi->...o", sg.asnumpy(x), weight) + offset, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(3,), (2, 3), (2, 2, 3)])
def test_gradients(bias: bool, shape: tuple[int, ...], check_layer: Callable[..., float]) -> None:
    check_layer(Linear(3, 2, bias=bias), RandomStream(0).normal(shape))


def test_first_weights_are_uniform_within_one_over_the_root_of_the_inputs() -> None:
    layer = Linear(100, 400, rng=RandomStream(0))
    weight, bias = sg.asnumpy(layer.weight), sg.asnumpy(layer.bias)
    for drawn in (weight, bias):
        assert 0.095 < np.abs(drawn).max() <= 0.1
    assert abs(weight.std() - 0.1 / np.sqrt(3)) < 5e-4
    assert abs(weight.mean()) < 5 * weight.std() / np.sqrt(weight.size)
    assert_close(Linear(100, 400, rng=RandomStream(0)).weight, weight)


def test_a_wrong_width_is_named() -> None:
    message = r"x: got shape \(2, 4\), expected \(\.\.\., 3\), to fit the weight"
    with pytest.raises(ValueError, match=message):
        Linear(3, 5)(sg.asarray(np.zeros((2, 4), np.float32)))
    with pytest.raises(ValueError, match=r"x: got shape \(\)"):
        Linear(3, 5)(sg.asarray(np.zeros((), np.float32)))


def test_another_precision_is_named() -> None:
    with pytest.raises(TypeError, match="mix floating-point types"):
        Linear(3, 5)(sg.asarray(np.zeros((2, 3))))


@pytest.mark.parametrize("size", [0, -1, 2.0, "3", True, None])
def test_sizes_are_positive_whole_numbers(size: Any) -> None:
    with pytest.raises(ValueError, match=r"in_features: got .*, expected a positive whole number"):
        Linear(size, 2)
    with pytest.raises(ValueError, match=r"out_features: got .*, expected a positive whole number"):
        Linear(2, size)


def test_a_seed_is_no_stream() -> None:
    with pytest.raises(TypeError, match="rng: got int, expected a RandomStream"):
        Linear(2, 3, rng=0)  # type: ignore[arg-type]
