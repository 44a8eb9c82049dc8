"""Toy worlds: densities integrate to 1, and are those of the samples."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare, multivariate_normal

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import toy

worlds = pytest.mark.parametrize("name", list(toy.WORLDS))
EDGES = np.linspace(-3.5, 3.5, 281)


def density_on_grid(world: toy.ToyWorld) -> np.ndarray:
    """The density in the middle of 280 x 280 cells of width 0.025, times their area."""
    middle = (EDGES[:-1] + EDGES[1:]) / 2
    x, y = np.meshgrid(middle, middle, indexing="ij")
    points = np.stack([x.ravel(), y.ravel()], axis=1)
    density = np.concatenate(
        [np.exp(sg.asnumpy(world.log_prob(sg.asarray(part)))) for part in np.split(points, 40)]
    )
    return density.reshape(x.shape) * (EDGES[1] - EDGES[0]) ** 2


@worlds
def test_the_density_integrates_to_one_and_is_that_of_the_samples(name: str) -> None:
    world = toy.WORLDS[name]()
    mass = density_on_grid(world)
    assert mass.sum() == pytest.approx(1, abs=1e-9)
    n = 20_000
    points = sg.asnumpy(world.sample(n, RandomStream(0, name)))
    assert points.shape == (n, 2)
    assert points.dtype == np.float32
    counts, _, _ = np.histogram2d(*points.astype(np.float64).T, bins=[EDGES, EDGES])
    # Cells of 0.1: the density in the middle of 4 x 4 smaller ones is exact enough for a chi-squared test.
    expected = n * mass.reshape(70, 4, 70, 4).sum(axis=(1, 3)).ravel()
    observed = counts.reshape(70, 4, 70, 4).sum(axis=(1, 3)).ravel()
    common = expected >= 5
    pooled = np.append(observed[common], n - observed[common].sum())
    assert chisquare(pooled, np.append(expected[common], n - expected[common].sum())).pvalue > 1e-3


def test_eight_gaussians_are_scipys() -> None:
    world = toy.eight_gaussians(radius=1.5, sigma=0.3)
    points = np.random.default_rng(0).normal(size=(20, 2))
    angles = np.pi / 4 * np.arange(8)
    centres = 1.5 * np.stack([np.cos(angles), np.sin(angles)], axis=1)
    density = np.mean(
        [multivariate_normal(centre, 0.09 * np.eye(2)).pdf(points) for centre in centres], axis=0
    )
    np.testing.assert_allclose(sg.asnumpy(world.log_prob(points)), np.log(density), rtol=1e-12)


@pytest.mark.parametrize("make", [toy.moons, toy.swirl])
def test_the_quadrature_over_a_curve_has_converged(make: object) -> None:
    world = make(0.05)  # type: ignore[operator]
    points = sg.asnumpy(world.sample(50, RandomStream(0)))
    t = (np.arange(200_000) + 0.5) / 200_000
    curves = np.concatenate([curve(t) for curve in world.curves])
    for point, log_prob in zip(points[:5], sg.asnumpy(world.log_prob(points))[:5], strict=True):
        squares = np.sum((point - curves) ** 2, axis=1)
        density = np.mean(np.exp(-squares / (2 * 0.05**2))) / (2 * np.pi * 0.05**2)
        assert log_prob == pytest.approx(np.log(density), abs=1e-6)


def test_pinwheel_is_a_bar_when_it_has_one_arm_and_no_twist() -> None:
    world = toy.pinwheel(arms=1, radial=0.3, tangential=0.2, twist=0)
    points = np.random.default_rng(0).normal(size=(20, 2))
    bar = multivariate_normal([1, 0], np.diag([0.09, 0.04]))
    np.testing.assert_allclose(sg.asnumpy(world.log_prob(points)), bar.logpdf(points), rtol=1e-12)


def test_what_is_no_world_or_no_point_is_said() -> None:
    with pytest.raises(ValueError, match=r"sigma: got -1, expected a number in \(0, inf\)"):
        toy.moons(sigma=-1)
    with pytest.raises(ValueError, match="radius: got nan, expected a number"):
        toy.eight_gaussians(radius=float("nan"))
    with pytest.raises(ValueError, match="arms: got 0, expected a positive whole number"):
        toy.pinwheel(arms=0)
    with pytest.raises(ValueError, match=r"points: got shape \(2,\), expected \(n, 2\)"):
        toy.swirl().log_prob(np.zeros(2))


@pytest.mark.parametrize("name", toy.WORLDS)
def test_a_seed_is_no_stream(name: str) -> None:
    with pytest.raises(TypeError, match="rng: got int, expected a RandomStream"):
        toy.WORLDS[name]().sample(3, 0)  # type: ignore[arg-type]
