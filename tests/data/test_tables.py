"""Categorical tables: numbering is the inverse of enumeration, sampling has the right frequencies."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import chisquare

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import tables

some_levels = st.lists(st.integers(1, 5), min_size=1, max_size=4)


@given(some_levels)
def test_numbering_is_the_inverse_of_enumeration(levels: list[int]) -> None:
    rows = tables.enumerate_rows(levels)
    assert rows.shape == (math.prod(levels), len(levels))
    assert len(np.unique(rows, axis=0)) == len(rows)
    np.testing.assert_array_equal(tables.number_rows(rows, levels), np.arange(len(rows)))


def test_rows_may_lie_on_a_device_and_may_be_none() -> None:
    np.testing.assert_array_equal(tables.check_rows(sg.asarray(np.array([[1, 2]])), (2, 3)), [[1, 2]])
    assert tables.check_rows(np.empty((0, 2), dtype=int), (2, 3)).shape == (0, 2)


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        ([[0, 3]], r"rows\[0, 1\]: got level 3, expected 0 to 2"),
        ([[1, 2], [-1, 0]], r"rows\[1, 0\]: got level -1"),
        ([0, 1], r"rows: got shape \(2,\), expected \(n, 2\), a column for each attribute"),
        ([[0, 1, 0]], r"rows: got shape \(1, 3\)"),
        ([[0.0, 1.0]], "whole numbers"),
        ([[True, False]], "whole numbers"),
    ],
)
def test_rows_that_do_not_fit_are_named(rows: list[object], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        tables.check_rows(np.array(rows), (2, 3))


def test_sampled_levels_have_the_probabilities_and_never_one_of_zero() -> None:
    probabilities = np.array([0.0, 0.1, 0.0, 0.6, 0.3, 0.0])
    drawn = tables.sample_levels(probabilities, 20_000, RandomStream(0, "levels"))
    counts = np.bincount(drawn, minlength=6)
    assert not counts[[0, 2, 5]].any()
    assert chisquare(counts[[1, 3, 4]], 20_000 * probabilities[[1, 3, 4]]).pvalue > 1e-3


def test_the_extreme_uniform_numbers_choose_levels_that_can_occur() -> None:
    class Extremes(RandomStream):
        def uniform(self, shape: object = (), dtype: object = np.float64, **axis: object) -> np.ndarray:
            return np.array([0.0, np.nextafter(1, 0)])

    # Ten times 0.1 sums to less than 1; the last level must catch every number up to 1 all the same.
    probabilities = np.array([0.0] + [0.1] * 10 + [0.0])
    assert tables.sample_levels(probabilities, 2, Extremes(0)).tolist() == [1, 10]
