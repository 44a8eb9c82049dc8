"""Activations: values, derivatives, dtype."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from scipy import special
from tools import assert_close

import scratchgen as sg
from scratchgen import nn
from scratchgen.autograd import check_gradients

POINTS = np.array([[-20.0, -3.0, -0.7], [0.3, 2.0, 20.0]])
ACTIVATIONS: dict[str, tuple[nn.Module, Callable[[np.ndarray], np.ndarray]]] = {
    "relu": (nn.ReLU(), lambda x: np.maximum(x, 0)),
    "leaky": (nn.LeakyReLU(0.2), lambda x: np.where(x > 0, x, 0.2 * x)),
    "silu": (nn.SiLU(), lambda x: x * special.expit(x)),
    "gelu": (nn.GELU(), lambda x: x * special.ndtr(x)),
    "sigmoid": (nn.Sigmoid(), special.expit),
    "tanh": (nn.Tanh(), np.tanh),
    "softplus": (nn.Softplus(), lambda x: np.logaddexp(0, x)),
    "identity": (nn.Identity(), lambda x: x),
}


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float32, 2e-6), (np.float64, 1e-13)])
def test_values_of_arrays_and_tensors(name: str, dtype: Any, rtol: float) -> None:
    layer, expected = ACTIVATIONS[name]
    x = sg.asarray(POINTS, dtype)
    for y in (layer(x), layer(sg.tensor(x, requires_grad=True))):
        assert y.dtype == dtype
        assert_close(y, expected(POINTS), rtol=rtol, atol=rtol)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_gradients(name: str) -> None:
    check_gradients(ACTIVATIONS[name][0], POINTS[:, 1:].clip(-3, 3), order=3)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_far_out_nothing_overflows(name: str) -> None:
    x = sg.tensor(np.array([-1e4, 1e4], np.float32), requires_grad=True)
    y = ACTIVATIONS[name][0](x)
    (slope,) = sg.grad(y.sum(), x)
    assert np.isfinite(sg.asnumpy(y)).all()
    assert np.isfinite(sg.asnumpy(slope)).all()
    assert slope.dtype == np.float32


def test_the_slope_at_the_corner_is_that_of_the_left_side() -> None:
    for layer, slope in ((nn.ReLU(), 0.0), (nn.LeakyReLU(0.2), 0.2)):
        x = sg.tensor([0.0], requires_grad=True)
        assert_close(sg.grad(layer(x).sum(), x)[0], [slope], rtol=1e-6)


def test_repr() -> None:
    assert [repr(layer) for layer in (nn.LeakyReLU(), nn.GELU())] == ["LeakyReLU(0.01)", "GELU()"]
