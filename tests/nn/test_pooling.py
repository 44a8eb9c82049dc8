"""AvgPool2d and MaxPool2d."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.nn import AvgPool2d, MaxPool2d

X = RandomStream(0).permutation(60).reshape(1, 2, 5, 6) / 30 - 1


def test_each_window_of_the_kernels_own_size_by_default() -> None:
    blocks = X[:, :, :4].reshape(1, 2, 2, 2, 3, 2)  # the fifth row is left over
    assert_close(AvgPool2d(2)(sg.asarray(X)), blocks.mean((3, 5)), rtol=1e-13)
    assert_close(MaxPool2d(2)(sg.asarray(X)), blocks.max((3, 5)), rtol=0)


def test_kernels_need_not_be_square() -> None:
    whole = X.reshape(1, 2, 5, 2, 3)
    assert_close(AvgPool2d((5, 3))(sg.asarray(X)), whole.mean((2, 4))[:, :, None], rtol=1e-12, atol=1e-14)
    assert_close(MaxPool2d((5, 3))(sg.asarray(X)), whole.max((2, 4))[:, :, None], rtol=0)


def test_the_padding_counts_in_a_mean_or_does_not() -> None:
    ones = sg.asarray(np.ones((2, 3, 3, 3)))
    edge, corner = 6 / 9, 4 / 9
    expected = np.array([[corner, edge, corner], [edge, 1, edge], [corner, edge, corner]])
    assert_close(AvgPool2d(3, 1, 1)(ones), np.broadcast_to(expected, (2, 3, 3, 3)), rtol=1e-13)
    assert_close(AvgPool2d(3, 1, 1, count_include_pad=False)(ones), np.ones((2, 3, 3, 3)), rtol=1e-13)


@pytest.mark.parametrize(
    "layer",
    [AvgPool2d((2, 3), (2, 1), (1, 0)), AvgPool2d(3, 2, 1, count_include_pad=False), MaxPool2d(3, 2, 1)],
)
def test_gradients(layer: AvgPool2d | MaxPool2d, check_layer: Callable[..., float]) -> None:
    check_layer(layer, X[:, :, :4, :4])


@pytest.mark.parametrize("layer", [AvgPool2d(2), MaxPool2d(2)])
def test_dtype_empty_batches_and_raw_arrays(layer: AvgPool2d | MaxPool2d) -> None:
    y = layer(sg.tensor(X, requires_grad=True, dtype=np.float32))
    assert y.dtype == np.float32
    assert sg.grad(y.sum(), y)[0].dtype == np.float32
    assert not isinstance(layer(sg.asarray(X)), sg.Tensor)
    assert layer(sg.asarray(X[:0])).shape == (0, 2, 2, 3)


@pytest.mark.parametrize("kind", [AvgPool2d, MaxPool2d])
def test_what_does_not_fit_is_named(kind: type[AvgPool2d] | type[MaxPool2d]) -> None:
    x = sg.asarray(X)
    with pytest.raises(ValueError, match=r"kernel_size: \(7, 7\) .* larger than the input of \(5, 6\)"):
        kind(7)(x)
    with pytest.raises(
        ValueError, match=r"padding: got \(2, 2\), expected at most half of kernel_size \(3, 3\)"
    ):
        kind(3, padding=2)(x)
    with pytest.raises(ValueError, match="stride: got 0"):
        kind(3, stride=0)
    with pytest.raises(ValueError, match=r"x: got shape \(2, 5, 6\), expected \(batch, channels"):
        kind(2)(x[0])


def test_repr() -> None:
    assert repr(MaxPool2d(2)) == "MaxPool2d((2, 2), stride=(2, 2), padding=(0, 0))"
