"""The Fréchet distance against closed forms, and what it is for itself, moved, scaled and turned."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import linalg
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.metrics import frechet_distance, frechet_distance_of_gaussians


def points(n: int, d: int, *path: int | str) -> np.ndarray:
    """Correlated points, of very different spreads in different directions."""
    rng = np.random.default_rng([len(path), n, d, *map(len, map(str, path))])
    return rng.normal(size=(n, d)) @ rng.normal(size=(d, d)) * np.logspace(0, -2, d)


def covariance(d: int, seed: int) -> np.ndarray:
    a = np.random.default_rng(seed).normal(size=(d, d))
    return a @ a.T


@pytest.mark.equation("frechet")
def test_of_two_gaussians_it_is_the_formula() -> None:
    mean_a, mean_b = np.random.default_rng(0).normal(size=(2, 6))
    A, B = covariance(6, 1), covariance(6, 2)
    overlap = np.trace(linalg.sqrtm(linalg.sqrtm(A) @ B @ linalg.sqrtm(A))).real
    expected = np.sum((mean_a - mean_b) ** 2) + np.trace(A + B) - 2 * overlap
    assert_close(frechet_distance_of_gaussians(mean_a, A, mean_b, B), expected, rtol=1e-10)


@pytest.mark.equation("frechet")
def test_of_diagonal_covariances_it_is_the_distance_of_means_and_deviations() -> None:
    rng = np.random.default_rng(3)
    (mean_a, mean_b), (s_a, s_b) = rng.normal(size=(2, 5)), rng.uniform(0.1, 3, size=(2, 5))
    expected = np.sum((mean_a - mean_b) ** 2) + np.sum((s_a - s_b) ** 2)
    found = frechet_distance_of_gaussians(mean_a, np.diag(s_a**2), mean_b, np.diag(s_b**2))
    assert_close(found, expected, rtol=1e-12)


@pytest.mark.equation("frechet")
def test_it_is_the_least_cost_of_moving_one_gaussian_onto_the_other() -> None:
    # In one dimension the best pairing is that of the sorted points.
    a, b = points(4000, 1, "a"), 3 + 2 * points(4000, 1, "bb")
    paired = np.mean((np.sort(a[:, 0]) - np.sort(b[:, 0])) ** 2)
    assert_close(frechet_distance(a, b), paired, rtol=0.01)
    # An affine map by a symmetric matrix S is itself the best way to move N(0, A).
    A, S = covariance(4, 4), covariance(4, 5) + np.eye(4)
    cost = np.trace((S - np.eye(4)) @ A @ (S - np.eye(4)))
    assert_close(frechet_distance_of_gaussians(np.zeros(4), A, np.zeros(4), S @ A @ S), cost, rtol=1e-9)


def test_of_points_it_takes_their_means_and_unbiased_covariances() -> None:
    a, b = points(50, 4, "a"), points(70, 4, "bb")
    expected = frechet_distance_of_gaussians(a.mean(0), np.cov(a.T), b.mean(0), np.cov(b.T))
    assert frechet_distance(sg.asarray(a), sg.asarray(b)) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("n", "d"), [(200, 8), (5, 40)])
def test_it_is_zero_for_itself_and_symmetric_also_where_points_are_few(n: int, d: int) -> None:
    a, b = points(n, d, "a"), points(n, d, "bb")
    scale = np.trace(np.cov(a.T))
    assert 0 <= frechet_distance(a, a) < 1e-12 * scale
    assert 0 <= frechet_distance(a, a[::-1]) < 1e-12 * scale
    assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)
    assert frechet_distance(a, b) > 1e-3 * scale


def test_moving_all_points_costs_the_square_of_the_way() -> None:
    a, way = points(100, 5, "a"), np.array([1.0, -2.0, 0.5, 0.0, 3.0])
    assert frechet_distance(a, a + way) == pytest.approx(np.sum(way**2), rel=1e-10)


def test_it_grows_with_the_square_of_the_scale_and_does_not_mind_rotation() -> None:
    a, b = points(60, 5, "a"), points(60, 5, "bb")
    turn = np.linalg.qr(np.random.default_rng(0).normal(size=(5, 5)))[0]
    d = frechet_distance(a, b)
    assert frechet_distance(10 * a, 10 * b) == pytest.approx(100 * d, rel=1e-9)
    assert frechet_distance(a @ turn, b @ turn) == pytest.approx(d, rel=1e-9)


def test_a_direction_that_one_set_lacks_costs_its_variance() -> None:
    full, flat = np.diag([4.0, 9.0]), np.diag([4.0, 0.0])
    assert frechet_distance_of_gaussians([0, 0], full, [0, 0], flat) == pytest.approx(9, rel=1e-12)


def test_in_float32_it_is_computed_in_float64() -> None:
    a, b = (sg.asnumpy(RandomStream(0, name).normal((500, 6))) for name in ("a", "b"))
    assert a.dtype == np.float32
    assert frechet_distance(a, b) == frechet_distance(a.astype(np.float64), b.astype(np.float64))


def test_bad_input_is_named() -> None:
    a = points(10, 3, "a")
    with pytest.raises(ValueError, match="a: got 1, expected 2 or more"):
        frechet_distance(a[:1], a)
    with pytest.raises(ValueError, match=r"b: got shape \(.*, 2\), expected \(n, 3\)"):
        frechet_distance(a, a[:, :2])
    with pytest.raises(ValueError, match="b: got 1 NaN"):
        frechet_distance(a, np.where(a == a[0, 0], np.nan, a))
    with pytest.raises(ValueError, match=r"mean_b: got shape \(2,\), expected \(3,\)"):
        frechet_distance_of_gaussians(np.zeros(3), np.eye(3), np.zeros(2), np.eye(2))
    with pytest.raises(ValueError, match=r"covariance_a: got shape \(2, 2\), expected \(3, 3\)"):
        frechet_distance_of_gaussians(np.zeros(3), np.eye(2), np.zeros(3), np.eye(3))
    with pytest.raises(ValueError, match="covariance_b: got a matrix that is not symmetric"):
        frechet_distance_of_gaussians(np.zeros(2), np.eye(2), np.zeros(2), [[1.0, 0.5], [0.0, 1.0]])
    with pytest.raises(ValueError, match="covariance_b: got a matrix with the eigenvalue -1"):
        frechet_distance_of_gaussians(np.zeros(2), np.eye(2), np.zeros(2), [[1.0, 0.0], [0.0, -1.0]])
