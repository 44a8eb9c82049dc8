"""Memorisation on a copy of the training set, on fresh data and on noise."""

from __future__ import annotations

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.metrics import distance_ratio, memorised_fraction, nearest_neighbour_ratio


def gaussian(n: int, *path: int | str) -> np.ndarray:
    return sg.asarray(sg.asnumpy(RandomStream(0, *path).normal((n, 20), dtype=np.float64)))


@pytest.mark.equation("nearest-neighbour-ratio")
def test_the_ratio_is_that_of_the_two_nearest_examples() -> None:
    samples, training = sg.asnumpy(gaussian(30, "samples")), sg.asnumpy(gaussian(40, "training"))
    exact = np.sort(np.linalg.norm(samples[:, None] - training, axis=2), axis=1)
    assert_close(nearest_neighbour_ratio(samples, training), exact[:, 0] / exact[:, 1], rtol=1e-9)


def test_a_copy_is_memorised_even_if_the_example_occurs_twice() -> None:
    training = sg.asnumpy(gaussian(100, "training"))
    doubled = np.concatenate([training, training])
    assert not nearest_neighbour_ratio(training, doubled).any()
    assert memorised_fraction(training, doubled) == 1
    assert memorised_fraction(training + 1e-3, training) == 1
    assert distance_ratio(training, training, gaussian(100, "fresh")) == 0


def test_fresh_data_are_not_memorised_and_measure_one() -> None:
    training, fresh, other = gaussian(500, "training"), gaussian(500, "fresh"), gaussian(500, "other")
    assert memorised_fraction(fresh, training) == 0
    assert distance_ratio(fresh, training, fresh) == 1
    assert distance_ratio(other, training, fresh) == pytest.approx(1, abs=0.05)


def test_noise_is_far_and_its_distance_scales() -> None:
    training, fresh = gaussian(200, "training"), gaussian(200, "fresh")
    far = sg.asnumpy(gaussian(200, "noise")) + 100
    ratio = distance_ratio(far, training, fresh)
    assert ratio > 50
    assert distance_ratio(3 * far, 3 * sg.asnumpy(training), 3 * sg.asnumpy(fresh)) == pytest.approx(ratio)


def test_half_copies_are_half_memorised() -> None:
    training = sg.asnumpy(gaussian(50, "training"))
    mixed = np.concatenate([training[:20], sg.asnumpy(gaussian(20, "fresh"))])
    assert memorised_fraction(mixed, training) == 0.5


def test_bad_input_is_named() -> None:
    points = np.random.default_rng(0).random((5, 3))
    with pytest.raises(
        ValueError, match="training: got the same example again and again, expected at least two"
    ):
        nearest_neighbour_ratio(points, np.ones((4, 3)))
    with pytest.raises(ValueError, match=r"samples: got shape \(.*, 2\), expected \(n, 3\)"):
        nearest_neighbour_ratio(points[:, :2], points)
    with pytest.raises(ValueError, match="threshold: got 0, expected a number in"):
        memorised_fraction(points, points, threshold=0)
    with pytest.raises(ValueError, match="held_out: got examples half of which"):
        distance_ratio(points, points, points)
