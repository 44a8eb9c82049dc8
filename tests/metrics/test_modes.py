"""Modes and density in the plane: by hand, and on worlds where the answer is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import stats

from scratchgen.backend import RandomStream, asarray, asnumpy
from scratchgen.data.toy import GaussianRing, eight_gaussians
from scratchgen.metrics import density_error, mode_coverage

WORLD = eight_gaussians()


def drawn(n: int = 20_000, modes: int = 8) -> np.ndarray:
    """Points of the world, on the first `modes` bumps only."""
    rng = np.random.default_rng(0)
    return WORLD.centres[rng.integers(0, modes, n)] + WORLD.sigma * rng.normal(size=(n, 2))


def test_all_modes_of_the_world_itself_are_covered() -> None:
    found = mode_coverage(WORLD.sample(20_000, RandomStream(0)), WORLD.centres, WORLD.sigma)
    assert found.covered == 8
    assert found.precise == pytest.approx(1 - np.exp(-4.5), abs=0.004)  # a Rayleigh number below 3
    assert found.shares == pytest.approx(np.full(8, (1 - np.exp(-4.5)) / 8), abs=0.012)


@pytest.mark.parametrize("modes", [1, 3, 7])
def test_modes_that_are_not_there_are_not_counted(modes: int) -> None:
    found = mode_coverage(asarray(drawn(modes=modes)), WORLD.centres, WORLD.sigma)
    assert found.covered == modes
    assert found.shares[modes:].sum() == 0


def test_a_mode_needs_a_quarter_of_its_share() -> None:
    centres = [[0.0, 0.0], [5.0, 0.0]]
    for on_second, covered in ((12, 1), (13, 2)):  # of 100, where 50 would be fair
        points = np.repeat(centres, [100 - on_second, on_second], axis=0)
        assert mode_coverage(points, centres, 1.0).covered == covered


def test_a_point_is_on_the_nearest_mode_or_on_none() -> None:
    found = mode_coverage([[0.9, 0.0], [1.1, 0.0], [0.0, 3.1], [0.0, 2.9]], [[0, 0], [2, 0]], 1.0)
    assert found.shares.tolist() == [0.5, 0.25]
    assert found.precise == 0.75


@pytest.mark.parametrize(("modes", "error"), [(1, 7 / 8), (4, 1 / 2), (8, 0)])
def test_the_error_of_missing_modes_is_their_share(modes: int, error: float) -> None:
    """Modes 1.5 apart hardly overlap; by chance 20,000 points miss each of some 300 cells by a little."""
    assert density_error(asarray(drawn(modes=modes)), WORLD) == pytest.approx(error, abs=0.03)


def test_the_error_falls_with_the_number_of_points() -> None:
    errors = [density_error(WORLD.sample(n, RandomStream(1)), WORLD) for n in (100, 1_000, 10_000, 100_000)]
    assert errors == sorted(errors, reverse=True)
    assert errors[-1] < 0.012


def test_two_normals_have_the_distance_of_the_formula() -> None:
    """TV(N(0, I), N((d, 0), I)) = 2 Phi(d / 2) - 1; a fine grid and many points."""
    world, d = GaussianRing(1, 1.5, 0.5), 0.6
    points = asnumpy(world.sample(200_000, RandomStream(2))).astype(np.float64)
    points[:, 0] += d * world.sigma
    expected = 2 * stats.norm.cdf(d / 2) - 1
    assert density_error(points, world, reach=4.0, cell=0.25) == pytest.approx(expected, abs=0.01)


def test_what_lies_outside_the_grid_counts() -> None:
    assert density_error(drawn() + 100, WORLD) == pytest.approx(1, abs=1e-6)
    half = np.concatenate([drawn(), drawn() + 100])
    assert density_error(half, WORLD) == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: mode_coverage(np.zeros((3, 2)), np.zeros((1, 2)), 0.0),
            "sigma: got 0.0, expected a number in",
        ),
        (
            lambda: mode_coverage(np.zeros((3, 3)), np.zeros((1, 2)), 1.0),
            r"points: got shape \(3, 3\), expected \(n, 2\)",
        ),
        (lambda: density_error(np.zeros((3, 3)), WORLD), r"points: got shape \(3, 3\), expected \(n, 2\)"),
        (lambda: density_error(np.zeros((0, 2)), WORLD), "points: got 0, expected 1 or more"),
        (lambda: density_error(np.zeros((3, 2)), WORLD, cell=0), "cell: got 0, expected a number in"),
    ],
)
def test_bad_input(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()
