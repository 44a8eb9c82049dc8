"""Flatten, Unflatten and pad."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.nn import Flatten, Unflatten, functional as F

X = np.arange(48.0).reshape(2, 3, 4, 2)


@pytest.mark.parametrize(
    ("layer", "shape"),
    [(Flatten(), (2, 24)), (Flatten(0), (48,)), (Flatten(1, 2), (2, 12, 2)), (Flatten(-2), (2, 3, 8))],
)
def test_flatten_joins_axes_in_order(layer: Flatten, shape: tuple[int, ...]) -> None:
    assert_close(layer(sg.asarray(X)), X.reshape(shape))
    assert_close(layer(sg.tensor(X, requires_grad=True)), X.reshape(shape))


def test_an_empty_batch_keeps_its_features() -> None:
    assert Flatten()(sg.asarray(X[:0])).shape == (0, 24)
    assert Unflatten(1, (6, 4))(Flatten()(sg.asarray(X[:0]))).shape == (0, 6, 4)


def test_unflatten_undoes_it() -> None:
    assert_close(Unflatten(1, (3, 4, 2))(Flatten()(sg.asarray(X))), X)
    assert Unflatten(-1, (2, 1))(sg.asarray(X)).shape == (2, 3, 4, 2, 1)


def test_errors() -> None:
    with pytest.raises(
        ValueError, match=r"got shape \(2, 24\), expected length 6 on axis 1 to make \(2, 3\)"
    ):
        Unflatten(1, (2, 3))(sg.asarray(X.reshape(2, 24)))
    with pytest.raises(ValueError, match="unflattened_size: got -1"):
        Unflatten(1, (2, -1))


def test_repr() -> None:
    assert [repr(layer) for layer in (Flatten(), Flatten(0, 1), Unflatten(1, (2, 3)))] == [
        "Flatten()",
        "Flatten(0, 1)",
        "Unflatten(1, (2, 3))",
    ]


def test_pad_names_the_last_axis_first() -> None:
    y = F.pad(sg.asarray(X), (1, 2, 3, 0), value=-7.0)
    expected = np.pad(X, ((0, 0), (0, 0), (3, 0), (1, 2)), constant_values=-7)
    assert_close(y, expected, rtol=0)
    check_gradients(lambda x: F.pad(x, (1, 2, 3, 0)), X[:1, :1])


@pytest.mark.parametrize("widths", [(1,), (1, -1), (0,) * 10])
def test_pad_refuses(widths: Any) -> None:
    with pytest.raises(ValueError, match=r"pad: got .* expected a pair of numbers >= 0"):
        F.pad(sg.asarray(X), widths)
    with pytest.raises(ValueError, match="mode: got 'reflect', expected one of 'constant'"):
        F.pad(sg.asarray(X), (1, 1), mode="reflect")
