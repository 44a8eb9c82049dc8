"""Distances agree with the definition."""

from __future__ import annotations

import numpy as np
import pytest

from scratchgen import metrics
from scratchgen.metrics import neighbours


def test_nearest_distances_are_the_sorted_euclidean_ones(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(neighbours, "POINTS_AT_ONCE", 7)
    rng = np.random.default_rng(0)
    points, others = rng.normal(size=(30, 5)), rng.normal(size=(20, 5))
    exact = np.sort(np.linalg.norm(points[:, None] - others, axis=2), axis=1)
    np.testing.assert_allclose(neighbours.nearest_distances(points, others, 4), exact[:, :4], rtol=1e-10)


def test_a_copy_is_at_distance_zero_however_large_its_values() -> None:
    points = 1000 + np.random.default_rng(0).normal(size=(20, 3072))
    assert not neighbours.nearest_distances(points, points.copy(), 1).any()


def test_points_of_other_dimensions_are_named() -> None:
    with pytest.raises(ValueError, match=r"real: got shape \(4, 2\), expected \(n, 3\), like the others"):
        neighbours.check_points("real", np.zeros((4, 2)), dimensions=3)
    with pytest.raises(ValueError, match="real: got 4, expected 5 or more"):
        neighbours.check_points("real", np.zeros((4, 2)), least=5)
    with pytest.raises(ValueError, match="real: got 1 NaN or infinite"):
        neighbours.check_points("real", [[0.0, np.inf]])


def on_a_grid(n: int, seed: int) -> np.ndarray:
    """Points that keep every digit when a large power of two is added to them."""
    return np.round(np.random.default_rng(seed).normal(size=(n, 3)) * 2**16) / 2**16


@pytest.mark.parametrize("offset", [0.0, 2.0**20, -(2.0**30)])
def test_where_all_points_lie_far_from_the_origin_no_digit_is_lost(offset: float) -> None:
    points, others = on_a_grid(30, 0), on_a_grid(40, 1)
    exact = np.sort(np.linalg.norm(points[:, None] - others, axis=2), axis=1)[:, :3]
    found = neighbours.nearest_distances(points + offset, others + offset, 3)
    np.testing.assert_allclose(found, exact, rtol=1e-9)
    squares = neighbours.squared_distances(points + offset, others + offset)
    np.testing.assert_allclose(squares.min(axis=1), exact[:, 0] ** 2, rtol=1e-9)
    measured = [
        metrics.precision_recall(points + offset, others + offset),
        metrics.distance_ratio(points + offset, others + offset, on_a_grid(30, 2) + offset),
        metrics.memorised_fraction(points + offset, others + offset),
        metrics.diversity(points + offset, others + offset).spacing,
        metrics.frechet_distance(points + offset, others + offset),
    ]
    plain = [
        metrics.precision_recall(points, others),
        metrics.distance_ratio(points, others, on_a_grid(30, 2)),
        metrics.memorised_fraction(points, others),
        metrics.diversity(points, others).spacing,
        metrics.frechet_distance(points, others),
    ]
    for far, near in zip(measured, plain, strict=True):
        np.testing.assert_allclose(far, near, rtol=1e-6)
    ratios = metrics.nearest_neighbour_ratio(points + offset, others + offset)
    np.testing.assert_allclose(ratios, metrics.nearest_neighbour_ratio(points, others), rtol=1e-9)
    assert not neighbours.nearest_distances(points + offset, points + offset, 1).any()
