"""One epoch is every example once, in an order that the stream fixes."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import batches


@given(count=st.integers(1, 50), size=st.integers(1, 60), seed=st.integers(0, 99))
def test_every_example_once_in_batches_of_the_size(count: int, size: int, seed: int) -> None:
    drawn = [sg.asnumpy(b) for b in batches(sg.asarray(np.arange(count)), size, RandomStream(seed))]
    assert sorted(np.concatenate(drawn)) == list(range(count))
    assert [len(b) for b in drawn] == [size] * (count // size) + [count % size] * (count % size > 0)


def test_arrays_are_batched_in_the_same_order() -> None:
    x = np.arange(20, dtype=np.float32).reshape(10, 1, 2, 1)
    labels, weights = x[:, 0, 0, 0].astype(np.int64) // 2, x[:, 0, 1, 0] * 3
    arrays = sg.asarray(x), sg.asarray(labels), sg.asarray(weights)
    for batch in batches(arrays[0], 3, RandomStream(1), *arrays[1:]):
        a, b, c = map(sg.asnumpy, batch)
        assert a.shape[1:] == (1, 2, 1)
        assert (a.dtype, b.dtype) == (np.float32, np.int64)
        np.testing.assert_array_equal(a[:, 0, 0, 0], 2 * b)
        np.testing.assert_array_equal(c, 3 * (2 * b + 1))


def order(rng: RandomStream) -> list[int]:
    return np.concatenate(list(batches(np.arange(100), 7, rng))).tolist()


def test_the_stream_fixes_the_order_and_epochs_differ() -> None:
    rng = RandomStream(0, "data")
    first, second = order(rng.child("epoch", 0)), order(rng.child("epoch", 1))
    assert first == order(RandomStream(0, "data", "epoch", 0))
    assert first != second != list(range(100))


def test_host_arrays_stay_on_the_host_and_are_copied() -> None:
    x = np.zeros((4, 2), np.float32)
    (batch,) = batches(x, 4, RandomStream(0))
    assert type(batch) is np.ndarray
    batch += 1
    assert not x.any()


@pytest.mark.parametrize(
    ("x", "size", "more", "error", "message"),
    [
        (np.zeros(5), 0, (), ValueError, "size: got 0, expected a positive whole number"),
        (np.zeros(5), -3, (), ValueError, "size: got -3, expected a positive whole number"),
        (np.zeros(5), 2.0, (), ValueError, r"size: got 2\.0, expected a positive whole number"),
        (np.zeros(5), True, (), ValueError, "size: got True, expected a positive whole number"),
        (np.zeros((0, 8)), 2, (), ValueError, r"x: got shape \(0, 8\), expected at least one example"),
        (
            np.zeros(5),
            2,
            (np.zeros(5), np.zeros(4)),
            ValueError,
            r"more\[1\]: got shape \(4,\), expected \(5, \.\.\.\), as many as x",
        ),
        (np.float32(3), 2, (), ValueError, r"x: got shape \(\), expected \(n, \.\.\.\)"),
        ([1, 2, 3], 2, (), TypeError, r"x: got list, expected an array"),
        (np.zeros(5), 2, ([1, 2, 3, 4, 5],), TypeError, r"more\[0\]: got list"),
    ],
)
def test_wrong_arguments_are_refused_before_the_first_batch(
    x: Any, size: Any, more: tuple[Any, ...], error: type[Exception], message: str
) -> None:
    with pytest.raises(error, match=message):
        batches(x, size, RandomStream(0), *more)  # not even asked for a batch


def test_a_seed_is_no_stream() -> None:
    with pytest.raises(TypeError, match="rng: got int, expected a RandomStream"):
        batches(np.zeros(5), 2, 0)  # type: ignore[arg-type]
