"""Nearest neighbours: the distances that precision, recall and memorisation are made of."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backend import asnumpy

Floats = NDArray[np.float64]

POINTS_AT_ONCE = 1024


def check_points(points: Any, *, name: str, least: int = 1, dimensions: int | None = None) -> Floats:
    """Return points, images or features as a host array of shape (n, dimensions) in float64.

    Raises
    ------
    ValueError
        If there are fewer than ``least``, a value is not finite, or the dimensions differ from those wanted.
    """
    array = np.asarray(asnumpy(points), dtype=np.float64)
    if array.ndim < 2 or len(array) < least:
        raise ValueError(f"{name} must have shape (n, ...) with n at least {least}; got shape {array.shape}")
    flat = array.reshape(len(array), -1)
    if dimensions is not None and flat.shape[1] != dimensions:
        raise ValueError(
            f"{name} must have {dimensions} values per point, as the others do; got {flat.shape[1]}"
        )
    if not np.isfinite(flat).all():
        raise ValueError(
            f"{name} must be finite; {int((~np.isfinite(flat)).sum())} values are NaN or infinite"
        )
    return flat


def squared_distances(points: Floats, others: Floats) -> Floats:
    """Return all squared Euclidean distances, shape (points, others).

    ::

        |a - b|^2 = |a|^2 - 2 a . b + |b|^2                                           (squared-distances)

    A value below the rounding error of this difference of large numbers is 0: the points are the same.

    Examples
    --------
    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[25.,  0.]])
    """
    norms = np.sum(points**2, axis=1)[:, None] + np.sum(others**2, axis=1)
    squares = norms - 2 * points @ others.T
    return np.where(squares > 1e-12 * norms, squares, 0.0)


def nearest_distances(points: Floats, others: Floats, neighbours: int) -> Floats:
    """Return the distances of each point to its nearest others, ascending, shape (points, neighbours)."""
    found = np.empty((len(points), neighbours))
    for start in range(0, len(points), POINTS_AT_ONCE):
        block = slice(start, start + POINTS_AT_ONCE)
        squares = squared_distances(points[block], others)
        found[block] = np.sort(np.partition(squares, neighbours - 1, axis=1)[:, :neighbours], axis=1)
    return np.sqrt(found)
