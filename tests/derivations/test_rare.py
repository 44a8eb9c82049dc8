"""Rare events: importance sampling against probabilities that are known, and the density that it leans on."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats
from tools import assert_at_most, assert_close

from scratchgen.backend import RandomStream
from scratchgen.metrics.rare import (
    Tilted,
    equivalent_draws,
    importance_estimate,
    world_log_weights,
)

RNG = np.random.default_rng(0)
MEAN, COVARIANCE = np.array([2.0, -0.5]), np.array([[0.6, 0.2], [0.2, 0.9]])


@pytest.mark.equation("importance-estimate")
def test_the_estimate_and_its_error_are_a_means() -> None:
    hits, logs = RNG.random(50) < 0.3, RNG.normal(size=50)
    shares = [np.exp(w) if h else 0.0 for h, w in zip(hits, logs, strict=True)]
    estimate, error = importance_estimate(hits, logs, level=0.9)
    assert_close(estimate.value, sum(shares) / 50, rtol=1e-13)
    spread = sum((s - sum(shares) / 50) ** 2 for s in shares) / 49
    assert_close(error, np.sqrt(spread / 50), rtol=1e-13)
    assert_close(estimate.upper - estimate.value, error * stats.norm.ppf(0.95), rtol=1e-12)


@pytest.mark.equation("importance-estimate")
@pytest.mark.parametrize("share", [0.3, 1.0])
def test_a_tail_of_a_normal_is_found_by_draws_that_lean_towards_it(share: float) -> None:
    tilted = Tilted(MEAN[None], COVARIANCE[None], share)
    z = tilted.sample(40_000, RandomStream(1))
    estimate, error = importance_estimate(z[:, 0] > 2.5, tilted.log_weights(z))
    assert_at_most(abs(estimate.value - stats.norm.sf(2.5)) / error, 4, "standard errors")
    assert tilted.log_weights(z).max() <= -np.log(share) + 1e-12
    assert (error < 2e-4) == (share < 1)  # it was worth it


@pytest.mark.equation("leaning-density")
def test_the_leaning_density_is_scipys_and_its_draws_are_from_it() -> None:
    means, covariances = np.stack([MEAN, -MEAN]), np.stack([COVARIANCE, 0.5 * np.eye(2)])
    tilted, z = Tilted(means, covariances, 0.3, [0.8, 0.2]), RNG.normal(size=(30, 2))
    leaning = [stats.multivariate_normal(m, c).pdf(z) for m, c in zip(means, covariances, strict=True)]
    plain = stats.multivariate_normal([0, 0], np.eye(2)).pdf(z)
    density = 0.3 * plain + 0.56 * leaning[0] + 0.14 * leaning[1]
    assert_close(tilted.log_prob(z), np.log(density), rtol=1e-11)
    assert_close(tilted.log_weights(z), np.log(plain) - np.log(density), rtol=0, atol=1e-11)
    drawn = tilted.sample(40_000, RandomStream(2))
    spread = np.sqrt(drawn.var(axis=0) / len(drawn))
    assert_at_most(np.abs(drawn.mean(axis=0) - 0.42 * MEAN) / spread, 4, "standard errors")
    ratio = 1 / np.exp(tilted.log_prob(drawn)) * stats.multivariate_normal(-MEAN, 0.4 * np.eye(2)).pdf(drawn)
    assert_at_most(abs(ratio.mean() - 1) / (ratio.std() / 200), 4, "standard errors")


@pytest.mark.equation("equivalent-draws")
def test_that_many_draws_of_zeros_and_ones_have_this_error() -> None:
    assert_close(np.sqrt(0.02 * 0.98 / equivalent_draws(0.02, 0.003)), 0.003, rtol=1e-12)
    _, error = importance_estimate(np.arange(5000) < 100)
    assert_close(equivalent_draws(0.02, error), 4999.0, rtol=1e-12)


@pytest.mark.equation("cross-entropy-normal")
def test_no_other_normal_is_more_probable_to_have_made_what_is_bad() -> None:
    z, logs = RNG.normal(size=(300, 2)), RNG.normal(size=300)
    bad = z[:, 0] + z[:, 1] > 0.5
    weights = np.exp(logs[bad])
    found = Tilted.towards(z, bad, logs, ridge=0.0)
    (mean,), covariance = found.means, found.factors[0] @ found.factors[0].T
    assert_close(mean, np.average(z[bad], axis=0, weights=weights), rtol=1e-12)
    assert_close(covariance, np.cov(z[bad].T, aweights=weights, ddof=0), rtol=1e-10)

    def likelihood(mean: np.ndarray, covariance: np.ndarray) -> float:
        return float(weights @ stats.multivariate_normal(mean, covariance).logpdf(z[bad]))

    best = likelihood(mean, covariance)
    for step in (-0.05, 0.05):
        assert likelihood(mean + np.array([step, 0]), covariance) < best
        assert likelihood(mean, covariance * (1 + step)) < best


@pytest.mark.equation("cross-entropy-normal", "leaning-density")
def test_each_way_to_end_badly_has_its_own_normal_and_its_share() -> None:
    z, logs = RNG.normal(size=(200, 2)), RNG.normal(size=200)
    way = np.arange(200) % 3
    found = Tilted.towards(z, way, logs, ridge=0.1)
    for g in (1, 2):
        alone = Tilted.towards(z, way == g, logs, ridge=0.1)
        assert_close(found.means[g - 1], alone.means[0], rtol=1e-12)
        assert_close(found.factors[g - 1], alone.factors[0], rtol=1e-12)
        assert_close(
            found.parts[g - 1], np.exp(logs[way == g]).sum() / np.exp(logs[way > 0]).sum(), rtol=1e-12
        )


@pytest.mark.equation("world-importance")
def test_a_wrong_model_and_an_encoder_that_fits_neither_give_the_worlds_probability() -> None:
    """World: N(0.4, 1.1^2). Model: z ~ q = N(0.5, 1.2^2), x ~ N(0.8 z, 0.9^2); encoder: N(0.5 x, 1)."""
    rng, n = np.random.default_rng(3), 60_000
    z = 0.5 + 1.2 * rng.normal(size=n)
    x = 0.8 * z + 0.9 * rng.normal(size=n)
    logs = world_log_weights(
        stats.norm(0.4, 1.1).logpdf(x),
        stats.norm(0.5 * x, 1.0).logpdf(z),
        stats.norm(0.5, 1.2).logpdf(z),
        stats.norm(0.8 * z, 0.9).logpdf(x),
    )
    estimate, error = importance_estimate(x > 1.5, logs)
    assert_at_most(abs(estimate.value - stats.norm(0.4, 1.1).sf(1.5)) / error, 4, "standard errors")
    assert error < 0.004
