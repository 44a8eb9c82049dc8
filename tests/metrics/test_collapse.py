"""Collapse: what is recognised as one, what is not, and the three numbers by hand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.data import digits
from scratchgen.metrics import Diversity, diversity

RNG = np.random.default_rng(0)


def images(*classes: int) -> np.ndarray:
    data = digits()
    return data.train[np.isin(data.train_labels, classes or range(10))]


def noisy(x: np.ndarray, copies: int, sigma: float = 0.02) -> np.ndarray:
    return np.repeat(x, copies, axis=0) + sigma * RNG.normal(size=(len(x) * copies, *x.shape[1:]))


HEALTHY = {
    "other data": digits().test,
    "half of the classes": images(0, 1, 2, 3, 4)[:256],
    "slightly noisy data": noisy(images()[:256], 1, 0.05),
}
COLLAPSED = {
    "one image": noisy(images()[:1], 256),
    "ten images": noisy(images()[:10], 26),
    "fifty images": noisy(images()[:50], 5),
    "one class": images(3),
    "the mean image": 0.6 * images()[:256].mean(axis=0) + 0.4 * images()[:256],
    "noise": RNG.random((256, 1, 8, 8)),  # of which no real digit is a case
}


@pytest.mark.parametrize("case", HEALTHY)
def test_what_is_no_collapse(case: str) -> None:
    found = diversity(sg.asarray(HEALTHY[case]), images()[::5])
    assert str(found).startswith("no collapse: spread ")


@pytest.mark.parametrize("case", COLLAPSED)
def test_what_is_one(case: str) -> None:
    found = diversity(COLLAPSED[case], images()[::5])
    assert str(found).startswith("collapsed: ")


def test_the_numbers_by_hand() -> None:
    """Data on a line two apart; samples the same line, half as wide."""
    data = np.array([[0.0], [2.0], [4.0], [6.0], [8.0]])
    found = diversity(data / 2, data)
    assert found.spread == pytest.approx(0.5)
    assert found.spacing == pytest.approx(0.5)
    assert found.recall == 0.8  # the third neighbour of the sample at 4 is 3 away: its ball ends at 7
    assert diversity(data + 100, data) == Diversity(spread=1, spacing=1, recall=0)


def test_the_same_number_is_taken_of_both_and_from_all_over() -> None:
    """Sorted data: the first half only would be another world."""
    data = np.sort(RNG.normal(size=(400, 1)), axis=0)
    found = diversity(data[::4], data)
    assert found.spread == pytest.approx(1, abs=0.05)
    assert found.spacing == pytest.approx(1, abs=0.3)


def test_what_it_says_names_every_reason() -> None:
    assert str(Diversity(0.4, 0.3, 0.1)) == (
        "collapsed: samples spread 0.40 times as far as the data, the nearest other sample is 0.30 times "
        "as far as with data, only 10% of the data lie among the samples"
    )
    assert str(Diversity(0.9, 1.1, 0.5)) == "no collapse: spread 0.90, spacing 1.10, recall 0.50"


@pytest.mark.parametrize(
    ("samples", "data", "message"),
    [
        (np.zeros((4, 2)), RNG.normal(size=(9, 2)), "samples: got 4, expected 5 or more"),
        (np.zeros((9, 3)), RNG.normal(size=(9, 2)), r"samples: got shape \(9, 3\), expected \(n, 2\)"),
        (np.full((9, 2), np.nan), RNG.normal(size=(9, 2)), "samples: got 18 NaN"),
        (np.zeros((9, 2)), np.zeros((9, 2)), "data: got examples half of which occur twice"),
    ],
)
def test_bad_input(samples: Any, data: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        diversity(samples, data)
