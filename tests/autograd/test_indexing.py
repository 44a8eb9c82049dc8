"""Indexing: any index NumPy knows, shares of repeated elements added, and indices that do not exist."""

from __future__ import annotations

import array
from collections import deque
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg

X = np.arange(24.0).reshape(2, 3, 4)
INDICES: list[Any] = [
    *(0, -1, slice(None), slice(None, None, -1), Ellipsis, None, np.int64(1), ()),
    *(
        (1, 2),
        (1, 2, 3),
        (Ellipsis, 0),
        (slice(None), None, 1),
        (slice(1, 1),),
        (0, slice(0, 3, 2), slice(-2, None)),
    ),
    *(
        [1, 0, 1],
        ([0, 1, 1], [2, 2, 2]),
        (slice(None), [0, 0]),
        (Ellipsis, [3, 3, 0]),
        (0, [1, 1]),
        ([0, 1], slice(1)),
    ),
    *(
        np.array([1, 1, 1]),
        np.array([[0, 1], [1, 1]]),
        X > 11,
        X[:, :, 0] > 5,
        (slice(None), np.array([True, False, True])),
    ),
    *(
        (slice(None), (0, 0)),
        (slice(None), [(0, 2), (2, 0)]),
        ((1, 1, 0),),
        (deque([1, 1]),),
        deque([0, 0]),
        array.array("q", [1, 0, 1]),
        (0, array.array("b", [2, 2])),
        (slice(None), range(0, 3, 2)),
        (np.uint8(1), Ellipsis, (0, 0)),
        (np.array(1), slice(None), (3, 3)),
        (True, [0, 0]),
        (False,),
        np.bool_(True),
        [[True, False, True], [False, False, True]],
        (slice(None), (True, False, True)),
        (None, [0, 0], None),
        ([[0], [1]], (1, 1)),
        (Ellipsis, memoryview(np.array([0, 0, 1]))),
    ),
    *(([1], slice(None), [0, 0]), np.array([-1, 1]), [], np.zeros((0, 2), np.int64), (np.array(1), [0, 0])),
]


def on_device(index: Any) -> Any:
    if isinstance(index, tuple):
        return tuple(map(on_device, index))
    return sg.asarray(index) if isinstance(index, np.ndarray) and index.ndim else index


@pytest.mark.parametrize("index", INDICES, ids=lambda index: str(index).replace("\n", ""))
def test_every_index_takes_what_numpy_takes_and_adds_the_shares_of_repeats(index: Any) -> None:
    x = sg.tensor(X, requires_grad=True)
    y = x[on_device(index)]
    assert_close(y, X[index], rtol=0)
    g = np.arange(1.0, X[index].size + 1).reshape(X[index].shape)
    expected = np.zeros_like(X)
    np.add.at(expected, index, g)
    assert_close(sg.grad(y, x, sg.asarray(g))[0], expected, rtol=0)


@pytest.mark.parametrize("index", [np.array([0, 0]), np.array([True, False, True])])
def test_an_index_that_is_changed_after_the_forward_pass_changes_nothing(index: np.ndarray) -> None:
    x = sg.tensor(X[0], requires_grad=True)
    used = sg.asarray(index.copy())
    y = x[used]
    y_along = sg.take_along_axis(x, sg.asarray(np.zeros((3, 1), np.int64)) + used[0].astype(np.int64), axis=1)
    used[...] = used[::-1].copy() == 0
    expected = np.zeros_like(X[0])
    np.add.at(expected, index, 1.0)
    assert_close(sg.grad(y.sum(), x)[0], expected, rtol=0)
    assert_close(y_along.sum(), X[0][:, int(index[0])].sum())


@pytest.mark.parametrize("index", [1.0, [0.5], "a", (0, {1}), [[0, 1], [2]]])
def test_what_is_no_index(index: Any) -> None:
    with pytest.raises((IndexError, ValueError, TypeError)):
        sg.tensor(X)[index]


def test_an_index_may_be_a_tensor_of_whole_numbers() -> None:
    x = sg.tensor(X, requires_grad=True)
    assert_close(x[sg.tensor(np.array([1, 1]))], X[[1, 1]])


def test_repeated_indices_add_at_second_order_too() -> None:
    x = sg.tensor(np.array([1.0, 2.0]), requires_grad=True)
    (first,) = sg.grad((x[[0, 0, 1]] ** 3).sum(), x, create_graph=True)
    assert_close(first, [6.0, 12.0])
    assert_close(sg.grad(first.sum(), x)[0], [12.0, 12.0])


@pytest.mark.host_only  # a GPU takes indices out of range modulo the length, and says nothing
@pytest.mark.parametrize("index", [2, -3, [0, 2], np.array([-3]), (0, 3)])
def test_an_index_out_of_range(index: Any) -> None:
    with pytest.raises(IndexError, match="out of bounds"):
        sg.tensor(X)[index]


@pytest.mark.parametrize("axis", [0, 1, 2, -1])
def test_take_along_axis(axis: int) -> None:
    indices = np.argsort(-X, axis=axis)
    x = sg.tensor(X, requires_grad=True)
    y = sg.take_along_axis(x, sg.asarray(indices), axis)
    assert_close(y, np.take_along_axis(X, indices, axis))
    (g,) = sg.grad(y, x, y.data)  # a permutation brings every number back to its place
    assert_close(g, X)


def test_take_along_axis_of_one_column_picks_the_label() -> None:
    x = sg.tensor(X[0], requires_grad=True)
    labels = sg.asarray(np.array([[3], [0], [0]]))
    y = sg.take_along_axis(x, labels, axis=1)
    assert_close(y, [[3.0], [4.0], [8.0]])
    assert_close(sg.grad(y.sum(), x)[0], [[0, 0, 0, 1.0], [1, 0, 0, 0], [1, 0, 0, 0]])


def test_take_along_axis_names_what_does_not_fit() -> None:
    x = sg.tensor(X)
    with pytest.raises(ValueError, match="indices: got 1 axes, expected 3 like x"):
        sg.take_along_axis(x, sg.asarray(np.array([0])), 0)
    with pytest.raises(ValueError, match=r"axis: got 3, expected -3 \.\. 2 for an array of 3 axes"):
        sg.take_along_axis(x, sg.asarray(np.zeros((1, 1, 1), np.int64)), 3)
