"""Bootstrap intervals contain what they should as often as they say."""

from __future__ import annotations

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.metrics import bootstrap_interval


def test_the_interval_of_a_mean_is_the_normal_one() -> None:
    sample = np.random.default_rng(0).normal(3, 2, size=400)
    estimate = bootstrap_interval(np.mean, sg.asarray(sample), RandomStream(0), resamples=4000)
    half_width = 1.96 * sample.std() / 20
    assert estimate.value == sample.mean()
    assert estimate.lower == pytest.approx(sample.mean() - half_width, abs=0.05 * half_width)
    assert estimate.upper == pytest.approx(sample.mean() + half_width, abs=0.05 * half_width)


def test_nine_intervals_of_ten_contain_the_truth_when_nine_should() -> None:
    rng = np.random.default_rng(0)
    hits = 0
    for trial in range(200):
        sample = rng.random(60) < 0.3
        estimate = bootstrap_interval(np.mean, sample, RandomStream(trial), resamples=200, level=0.9)
        hits += estimate.lower <= 0.3 <= estimate.upper
    assert 0.82 < hits / 200 < 0.97


def test_a_biased_statistic_lies_in_its_own_interval() -> None:
    # Every resample has fewer different values than the sample.
    sample = np.arange(50)
    estimate = bootstrap_interval(lambda x: len(np.unique(x)), sample, RandomStream(0), bounds=(0, 60))
    assert estimate.lower < estimate.value < estimate.upper


def test_bounds_are_kept_and_streams_repeat() -> None:
    sample = np.array([0.0, 0.0, 0.0, 0.0, 1.0])
    first = bootstrap_interval(np.mean, sample, RandomStream(0), bounds=(0, 1))
    assert first.lower == 0
    assert first == bootstrap_interval(np.mean, sample, RandomStream(0), bounds=(0, 1))
    assert str(first).startswith("0.200 [0.000, ")


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"sample: got shape \(0,\)"):
        bootstrap_interval(np.mean, np.array([]), RandomStream(0))
    with pytest.raises(ValueError, match=r"level: got 95, expected a number in \(0, 1\)"):
        bootstrap_interval(np.mean, np.ones(3), RandomStream(0), level=95)
    with pytest.raises(ValueError, match="resamples: got 0, expected a positive"):
        bootstrap_interval(np.mean, np.ones(3), RandomStream(0), resamples=0)
