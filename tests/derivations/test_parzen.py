"""Parzen windows: their mixture, and what they lose where the density is known."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import integrate, stats

from scratchgen.metrics import parzen_gap, parzen_log_prob
from tests.tools import assert_close


@pytest.mark.equation("parzen-windows")
def test_windows_are_an_even_mixture_of_normals() -> None:
    random = np.random.default_rng(0)
    points, samples, sigma = random.normal(size=(7, 3)), random.normal(size=(5, 3)), 0.7
    each = stats.norm(samples, sigma).logpdf(points[:, None]).sum(axis=2)  # (points, samples)
    assert_close(parzen_log_prob(points, samples, sigma), np.log(np.exp(each).mean(axis=1)), 1e-12)


@pytest.mark.equation("parzen-windows")
def test_far_from_all_samples_it_is_small_and_finite() -> None:
    expected = np.logaddexp(*stats.norm([0.0, 0.5], 0.5).logpdf(40.0)) - np.log(2)  # exp of it is 0
    assert_close(parzen_log_prob([[40.0]], [[0.0], [0.5]], 0.5) / expected, [1.0], 1e-12)


@pytest.mark.equation("parzen-gap")
@pytest.mark.parametrize(("dimensions", "spread", "sigma"), [(1, 1.0, 0.5), (3, 1.7, 0.9)])
def test_what_is_lost_is_the_divergence_from_the_blurred_density(
    dimensions: int, spread: float, sigma: float
) -> None:
    true, blurred = stats.norm(0, spread), stats.norm(0, np.hypot(spread, sigma))
    gap = integrate.quad(
        lambda x: true.pdf(x) * (true.logpdf(x) - blurred.logpdf(x)), -12 * spread, 12 * spread
    )
    assert_close(parzen_gap(dimensions, spread, sigma), dimensions * gap[0], 1e-9)


@pytest.mark.equation("parzen-gap")
def test_windows_around_many_evenly_placed_samples_lose_as_much() -> None:
    # quantiles in place of draws: their variance is short of that of all by about the tails' share
    samples = stats.norm(0, 1.5).ppf((np.arange(40_000) + 0.5) / 40_000)[:, None]
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    points = 1.5 * nodes[:, None]
    lost = stats.norm(0, 1.5).logpdf(points[:, 0]) - parzen_log_prob(points, samples, 0.8)
    assert_close(parzen_gap(1, 1.5, 0.8), weights @ lost / weights.sum(), 2e-4)


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="sigma"):
        parzen_log_prob([[0.0]], [[0.0]], 0.0)
    with pytest.raises(ValueError, match="points"):
        parzen_log_prob([[0.0, 1.0]], [[0.0]], 1.0)
    with pytest.raises(ValueError, match="samples"):
        parzen_log_prob([[0.0]], np.zeros((0, 1)), 1.0)
