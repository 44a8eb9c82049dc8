"""Distances agree with the definition."""

from __future__ import annotations

import numpy as np
import pytest

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
    with pytest.raises(ValueError, match="real must have 3 values per point, as the others do; got 2"):
        neighbours.check_points(np.zeros((4, 2)), name="real", dimensions=3)
    with pytest.raises(ValueError, match="n at least 5; got shape"):
        neighbours.check_points(np.zeros((4, 2)), name="real", least=5)
    with pytest.raises(ValueError, match="1 values are NaN or infinite"):
        neighbours.check_points([[0.0, np.inf]], name="real")
