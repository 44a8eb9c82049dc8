"""Samples in the plane against a world whose density is known: the modes they reach, and their density."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ..backend import asnumpy, checks
from ..data.toy import ToyWorld
from .neighbours import Floats, check_points, squared_distances

FAIR = 0.25


@dataclass(frozen=True, eq=False)
class ModeCoverage:
    """Where samples lie in a mixture of bumps."""

    shares: Floats
    """The fraction of samples on each mode, shape (modes,); the rest lies between them."""

    @property
    def covered(self) -> int:
        """How many modes have at least a quarter of their fair share."""
        return int((self.shares >= FAIR / len(self.shares)).sum())

    @property
    def precise(self) -> float:
        """The fraction of samples that lie on some mode."""
        return float(self.shares.sum())


def mode_coverage(points: Any, centres: Any, sigma: float) -> ModeCoverage:
    """Return which fraction of points lies on each mode: within three sigma of its centre, and of no nearer.

    Equation mode-shares; of a normal in the plane 98.9 % do.

    Parameters
    ----------
    points : array, shape (n, dimensions)
    centres : array, shape (modes, dimensions)
    sigma : float

    Raises
    ------
    ValueError
        If there are no points, dimensions differ, a value is not finite, or `sigma` is not positive.

    Examples
    --------
    >>> found = mode_coverage([[0.1, 0.0], [0.0, 0.2], [5.0, 5.0], [2.0, 2.1]], [[0, 0], [5, 5], [9, 9]], 0.1)
    >>> found.shares, found.covered, found.precise
    (array([0.5 , 0.25, 0.  ]), 2, 0.75)
    """
    sigma = checks.number("sigma", sigma, "(0, inf)")
    bumps = check_points("centres", centres)
    made = check_points("points", points, dimensions=bumps.shape[1])
    squares = squared_distances(made, bumps)
    near = squares.min(axis=1) <= (3 * sigma) ** 2  # (mode-shares)
    counts = np.bincount(squares.argmin(axis=1)[near], minlength=len(bumps))  # (mode-shares)
    return ModeCoverage(counts / len(made))  # (mode-shares)


def density_error(points: Any, world: ToyWorld, *, reach: float = 3.0, cell: float = 0.2) -> float:
    r"""Return the total variation distance of points from a world, seen on a grid of square cells.

    .. math:: \frac 1 2 \sum_{\text{cells}} |\text{fraction of points} - P(\text{cell})|

    0 is right, 1 is nothing in common. All that lies outside the grid is one more cell. As many points drawn
    from the world itself do not score 0, by chance: compare with them.

    Parameters
    ----------
    points : array, shape (n, 2)
    world : ToyWorld
        With ``log_prob(points)``.
    reach : float
        The grid goes from -reach to reach, both ways.
    cell : float
        The length of a cell's side; shortened, if need be, so that a whole number of them fits.

    Raises
    ------
    ValueError
        If there are no points in the plane, a value is not finite, or reach or cell is not positive.

    Examples
    --------
    >>> from scratchgen.backend import RandomStream
    >>> from scratchgen.data.toy import eight_gaussians
    >>> world = eight_gaussians()
    >>> round(density_error(world.sample(10_000, RandomStream(0)), world), 2)
    0.03
    >>> round(density_error(world.sample(10_000, RandomStream(0)) / 2, world), 2)
    1.0
    """
    reach, cell = checks.number("reach", reach, "(0, inf)"), checks.number("cell", cell, "(0, inf)")
    made = check_points("points", points, dimensions=2)
    edges = np.linspace(-reach, reach, max(1, int(np.ceil(2 * reach / cell - 1e-9))) + 1)
    fractions = np.histogram2d(made[:, 0], made[:, 1], bins=[edges, edges])[0] / len(made)
    masses = _masses(world, edges)
    outside = (1 - fractions.sum()) - (1 - masses.sum())
    return float((np.abs(fractions - masses).sum() + abs(outside)) / 2)  # (density-error)


def _masses(world: ToyWorld, edges: Floats, parts: int = 5) -> Floats:
    """The probability of each cell, by the midpoints of `parts` times `parts` of it."""
    step = (edges[1] - edges[0]) / parts
    middles = edges[0] + step * (np.arange((len(edges) - 1) * parts) + 0.5)
    points = np.stack(np.meshgrid(middles, middles, indexing="ij"), axis=-1).reshape(
        -1, 2
    )  # (cells parts^2, 2)
    masses = np.exp(asnumpy(world.log_prob(points))) * step**2
    count = len(edges) - 1
    return masses.reshape(count, parts, count, parts).sum(axis=(1, 3))  # (cells, cells)
