"""Nearest neighbours: the distances that precision, recall and memorisation are made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backend import asnumpy, checks

Floats = NDArray[np.float64]

POINTS_AT_ONCE = 1024


def check_points(name: str, x: Any, least: int = 1, dimensions: int | None = None) -> Floats:
    """Points, images or features as a host array of shape (n, dimensions) in float64.

    Raises
    ------
    TypeError, ValueError
        If there are fewer than `least`, a value is not finite, or the dimensions differ from those wanted.
    """
    x = checks.examples(name, np.asarray(asnumpy(x), np.float64), least=least)
    flat = x.reshape(len(x), -1)
    return flat if dimensions is None else checks.shape(name, flat, ("n", dimensions), "like the others")


def evenly(points: Any, n: int) -> Any:
    """`n` of the points (all, if there are fewer), from all over the set: a set may be sorted."""
    return points[np.linspace(0, len(points) - 1, min(n, len(points))).round().astype(int)]


def squared_distances(points: Floats, others: Floats) -> Floats:
    """Return all squared Euclidean distances, shape (points, others).

    Examples
    --------
    >>> squared_distances(np.array([[0.0, 0.0]]), np.array([[3.0, 4.0], [0.0, 0.0]]))
    array([[25.,  0.]])
    """
    return np.concatenate([squares for _, squares in blocks_of_squares(points, others)])


def blocks_of_squares(points: Floats, others: Floats) -> Iterator[tuple[slice, Floats]]:
    """The squared distances of some of the points at a time, with the slice that says of which.

    ::

        |a - b|^2 = |a|^2 - 2 a . b + |b|^2                                           (squared-distances)

    with the origin amid the points, since large numbers would lose the digits of small differences. A value
    below the rounding error is 0: the points are the same.
    """
    origin = others.mean(axis=0)
    points, others = points - origin, others - origin
    lengths = np.sum(others**2, axis=1)
    for start in range(0, len(points), POINTS_AT_ONCE):
        block = slice(start, start + POINTS_AT_ONCE)
        norms = np.sum(points[block] ** 2, axis=1)[:, None] + lengths
        squares = norms - 2 * points[block] @ others.T  # (squared-distances)
        yield block, np.where(squares > 1e-12 * norms, squares, 0.0)


def nearest_distances(points: Floats, others: Floats, neighbours: int) -> Floats:
    """Return the distances of each point to its nearest others, ascending, shape (points, neighbours)."""
    found = np.empty((len(points), neighbours))
    for block, squares in blocks_of_squares(points, others):
        found[block] = np.sort(np.partition(squares, neighbours - 1, axis=1)[:, :neighbours], axis=1)
    return np.sqrt(found)
