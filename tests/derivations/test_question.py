"""The chapter "The question": entropy, cross-entropy, and the two ways to write a density down."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy import stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import avatars, toy
from scratchgen.data.tables import entropy_of, sample_levels
from scratchgen.metrics import exact_kl
from scratchgen.models import CategoricalNaiveBayes

P = np.array([0.5, 0.2, 0.0, 0.3])
POINTS = np.array([[0.4, 0.7], [-1.1, 0.3], [0.9, -0.8], [1.4, 0.1]])


@pytest.mark.equation("entropy")
def test_entropy_is_the_mean_surprise_and_log_n_of_n_equal_levels() -> None:
    assert_close(entropy_of(P), stats.entropy(P), rtol=1e-14)
    assert_close(entropy_of(np.full(7, 1 / 7)), np.log(7), rtol=1e-14)


@pytest.mark.equation("cross-entropy")
@pytest.mark.parametrize("alpha", [0.5, 1, 20])
def test_the_expected_log_likelihood_is_minus_entropy_minus_divergence(alpha: float) -> None:
    model = CategoricalNaiveBayes(avatars.LEVELS, alpha).fit(avatars.observations())
    expected = np.sum(avatars.probabilities() * model.log_prob(avatars.all_looks()))
    assert_close(expected, -avatars.entropy() - exact_kl(model.log_prob), rtol=1e-12)


@pytest.mark.equation("cross-entropy")
def test_the_mean_over_a_sample_estimates_it() -> None:
    model = CategoricalNaiveBayes(avatars.LEVELS, 1).fit(avatars.observations())
    rows = avatars.sample(20_000, RandomStream(0, "question"))
    assert_mean(model.log_prob(rows), np.array(-avatars.entropy() - exact_kl(model.log_prob)))


@pytest.mark.equation("inverse-transform-sampling")
def test_levels_are_the_steps_of_the_cumulative_distribution() -> None:
    n = 2000
    uniform = sg.asnumpy(RandomStream(3).uniform((n,), np.float64))
    steps = [0.0, 0.5, 0.7, 0.7, 1.0]
    by_hand = np.array([next(k for k in range(4) if u < steps[k + 1]) for u in uniform])
    assert_close(sample_levels(P, n, RandomStream(3)), by_hand, rtol=0)
    frequencies = np.bincount(sample_levels(P, 100_000, RandomStream(4)), minlength=4) / 100_000
    assert frequencies[2] == 0
    assert_close(frequencies, P, atol=5 * 0.5 / np.sqrt(100_000))


class Still(RandomStream):
    """A stream whose uniform numbers are all the same one."""

    number = 0.0

    def uniform(self, shape: Any = (), dtype: Any = np.float32, **axis: Any) -> Any:
        return sg.asarray(np.full(shape, self.number), dtype)


@pytest.mark.equation("inverse-transform-sampling")
def test_the_ends_of_the_unit_interval_give_possible_levels() -> None:
    rng = Still(0)
    assert_close(sample_levels(np.array([0.0, 0.4, 0.6]), 1, rng), [1], rtol=0)
    rng.number = 1 - 2.0**-53  # above the sum of ten tenths, which rounds to 1 - 2^-53
    assert_close(sample_levels(np.full(10, 0.1), 1, rng), [9], rtol=0)


@pytest.mark.equation("latent-density")
@pytest.mark.parametrize("make", [toy.moons, toy.swirl])
def test_the_density_of_a_blurred_curve_is_the_mean_of_its_bumps(make: type) -> None:
    world = make(sigma=0.4)
    t = (np.arange(4000) + 0.5) / 4000  # the midpoint rule, instead of Gauss and Legendre's
    density = np.mean(
        [stats.norm.pdf(POINTS[:, None], c(t), 0.4).prod(2).mean(1) for c in world.curves], axis=0
    )
    assert_close(world.log_prob(sg.asarray(POINTS)), np.log(density), rtol=1e-6, atol=1e-6)


@pytest.mark.equation("latent-density")
@pytest.mark.parametrize("make", [toy.moons, toy.swirl])
def test_points_that_are_drawn_have_the_density_of_a_blurred_curve(make: type) -> None:
    """E_p[q / p] = 1 for any density q: here for small bumps, between them all over the plane."""
    world = make(sigma=0.4)
    points = world.sample(20_000, RandomStream(5))
    p = np.exp(sg.asnumpy(world.log_prob(points)))
    q = stats.norm.pdf(sg.asnumpy(points)[:, None], POINTS, 0.25).prod(axis=2)
    assert_mean(q / p[:, None], np.ones(len(POINTS)))


@pytest.mark.equation("change-of-variables")
def test_a_turn_that_depends_on_the_length_keeps_areas() -> None:
    world, h = toy.pinwheel(arms=1), 1e-5
    none = np.zeros(len(POINTS), dtype=np.int64)
    turned_back = world._turned(POINTS, none, direction=-1)
    columns = [
        (world._turned(POINTS + step, none, -1) - world._turned(POINTS - step, none, -1)) / (2 * h)
        for step in h * np.eye(2)
    ]
    determinant = np.linalg.det(np.stack(columns, axis=-1))
    assert_close(determinant, np.ones(len(POINTS)), rtol=1e-8)
    bar = stats.norm.logpdf(turned_back, [1, 0], [world.radial, world.tangential]).sum(1)
    assert_close(world.log_prob(sg.asarray(POINTS)), bar + np.log(np.abs(determinant)), rtol=1e-8)
