"""Measures of samples: the rules' definitions, covariances, known modes, collapse, confidence."""

from __future__ import annotations

import numpy as np
import pytest
from estimates import assert_mean
from scipy import linalg, spatial, stats
from tools import assert_close

from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.data.toy import eight_gaussians
from scratchgen.metrics import bootstrap_interval, frechet_distance, mode_coverage, score_looks
from scratchgen.metrics.avatar_rules import coverage, expected_scores
from scratchgen.metrics.collapse import diversity
from scratchgen.metrics.frechet import _root
from scratchgen.metrics.modes import density_error
from scratchgen.metrics.quality import _confident

pytestmark = pytest.mark.host_only
RNG = np.random.default_rng(0)


@pytest.mark.equation("novelty")
@pytest.mark.equation("coverage")
def test_novelty_and_coverage_by_hand() -> None:
    looks = avatars.all_looks()
    rows, observed = looks[[5, 5, 9, 1000, 4031]], looks[[9, 7]]
    shown = np.array([True, True, True, False, True])  # the fourth picture shows nothing, which is not new
    scores = score_looks(rows, RandomStream(0), observed=observed, shown=shown, resamples=5)
    assert_close(scores.novelty.value, 3 / 5, rtol=1e-12)
    assert_close(scores.coverage.value, 3 / 4032, rtol=1e-12)
    assert_close(coverage(np.array([0, 1, 1, 4032])), 2 / 4032, rtol=1e-12)


@pytest.mark.equation("expected-novelty")
def test_new_people_are_dressed_as_nobody_observed() -> None:
    observed = avatars.all_looks()[RNG.integers(0, 4032, 300)]
    known = {tuple(row) for row in observed.tolist()}
    people = avatars.sample(20_000, RandomStream(1)).tolist()
    expected = expected_scores(10, observed=observed).novelty
    assert_mean(np.array([tuple(row) not in known for row in people], float), expected)
    assert_close(expected_scores(50).novelty, 0.708, atol=5e-4)


def test_the_true_level_of_the_coverages_interval() -> None:
    """Of intervals meant for 95 % about 77 % contain the truth; the number of samples is a thousand."""
    truth, rng, held = expected_scores(1000).coverage, RandomStream(0, "level"), 0
    for i in range(150):
        numbers = avatars.look_numbers(avatars.sample(1000, rng.child(1000, i)))
        estimate = bootstrap_interval(coverage, numbers, rng.child("b", i), resamples=150, bounds=(0.0, 1.0))
        held += estimate.lower <= truth <= estimate.upper
        assert 0 <= estimate.lower <= estimate.value <= estimate.upper <= 1
    assert 0.70 < held / 150 < 0.84


@pytest.mark.equation("sample-covariance")
def test_covariances_are_unbiased() -> None:
    """The distance of two samples is that of Gaussians with their means and unbiased covariances."""
    a, b = RNG.normal(size=(7, 2)), RNG.normal(size=(9, 2)) * [1, 3] + 2
    A, B = np.cov(a.T), np.cov(b.T)
    both = np.real(np.trace(linalg.sqrtm(A @ B)))
    expected = np.sum((a.mean(0) - b.mean(0)) ** 2) + np.trace(A) + np.trace(B) - 2 * both
    assert_close(frechet_distance(a, b), expected, rtol=1e-9)


@pytest.mark.equation("covariance-root")
def test_the_root_of_a_covariance() -> None:
    half = RNG.normal(size=(3, 4))
    root = _root("covariance", half @ half.T)
    assert_close(root, linalg.sqrtm(half @ half.T).real, rtol=1e-9)
    singular = np.outer([1.0, 2.0], [1.0, 2.0])
    assert_close(_root("covariance", singular), singular / np.sqrt(5), rtol=1e-9)


@pytest.mark.equation("mode-shares")
def test_a_normal_in_the_plane_lies_within_three_sigma_by_the_law_of_rayleigh() -> None:
    world = eight_gaussians(radius=2.0, sigma=0.1)
    found = mode_coverage(world.sample(40_000, RandomStream(2)), world.centres, 0.1)
    expected = (1 - np.exp(-4.5)) / 8
    assert_close(found.shares, np.full(8, expected), atol=5 * np.sqrt(expected / 40_000))
    assert_close(found.precise, 1 - np.exp(-4.5), atol=5 * np.sqrt(0.011 / 40_000))
    centres = [[0, 0], [0.9, 0], [9, 9]]
    by_hand = mode_coverage([[0.29, 0.0], [0.0, 0.31], [0.65, 0.0], [0.9, 0.0]], centres, 0.1)
    assert_close(by_hand.shares, [0.25, 0.5, 0])
    assert_close(mode_coverage([[3.0, 0.0]], [[0.0, 0.0]], 1.0).shares, [1.0])  # just within reach


@pytest.mark.equation("density-error")
def test_half_the_sum_of_differences_on_a_grid() -> None:
    class Square:
        """Uniform on the square from -1 to 1, a quarter of its mass outside of the grid."""

        def sample(self, n: int, rng: RandomStream) -> np.ndarray:
            raise NotImplementedError

        def log_prob(self, points: np.ndarray) -> np.ndarray:
            return np.log(np.where(np.abs(points).max(axis=1) <= 1, 3 / 16, 1e-300))

    points = [[-0.5, -0.5], [-0.5, 0.5], [0.5, 0.5], [5.0, 5.0], [5.0, 0.0]]  # the last two are outside
    cells = np.array([1 / 5, 1 / 5, 0, 1 / 5]) - 3 / 16
    expected = (np.abs(cells).sum() + abs(2 / 5 - 1 / 4)) / 2
    assert_close(density_error(points, Square(), reach=1.0, cell=1.0), expected, rtol=1e-9)
    inside = (np.abs(np.array([1 / 3, 1 / 3, 0, 1 / 3]) - 3 / 16).sum() + 1 / 4) / 2
    assert_close(density_error(points[:3], Square(), reach=1.0, cell=1.0), inside, rtol=1e-9)


@pytest.mark.equation("spread-ratio")
@pytest.mark.equation("spacing-ratio")
def test_spread_and_spacing_by_definition() -> None:
    data, made = RNG.normal(size=(40, 3)), 0.5 * RNG.normal(size=(40, 3)) + [4, 0, 0]
    made[::2] = made[1::2] + 0.01
    found = diversity(made, data)

    def spread(x: np.ndarray) -> float:
        return float(np.mean(np.sum((x - x.mean(0)) ** 2, axis=1)))

    def spacing(x: np.ndarray) -> float:
        distances = spatial.distance.cdist(x, x) + np.where(np.eye(len(x)), np.inf, 0)
        return float(np.median(distances.min(1)))

    assert_close(found.spread, np.sqrt(spread(made) / spread(data)), rtol=1e-9)
    assert_close(found.spacing, spacing(made) / spacing(data), rtol=1e-6)
    fewer = diversity(made[:14], data)  # of the larger set as many, evenly from all over it: each third
    assert_close(fewer.spread, np.sqrt(spread(made[:14]) / spread(data[::3])), rtol=1e-9)
    assert_close(fewer.spacing, spacing(made[:14]) / spacing(data[::3]), rtol=1e-6)


@pytest.mark.equation("confident-share")
def test_how_many_examples_a_classifier_is_sure_of() -> None:
    unsure = [[0.89, 0.11, 1e-9], [0.4, 0.3, 0.3], [0.34, 0.33, 0.33]]
    p = np.array([[0.91, 0.05, 0.04], [0.02, 0.03, 0.95], *unsure])
    shift = stats.norm.rvs(size=(5, 1), random_state=0) * 500  # logits are known up to a constant
    assert_close(_confident(np.log(p) + shift), 2 / 5)
