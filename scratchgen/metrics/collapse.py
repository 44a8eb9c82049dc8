"""Collapse: a generator that makes the same few things again and again, however good each of them looks."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .neighbours import Floats, check_points, evenly, nearest_distances
from .precision_recall import precision_recall

LOWEST_SPREAD = 0.5
LOWEST_SPACING = 1 / 3
LOWEST_RECALL = 0.15


@dataclass(frozen=True)
class Diversity:
    """How different samples are from each other, as fractions of how different the data are: 1 is right."""

    spread: float
    """The standard deviation of samples, by that of the data: near 0 if all samples are one."""
    spacing: float
    """The median distance from a sample to the nearest other one, by that of the data: near 0 if there are
    few different samples, wherever they lie."""
    recall: float
    """The fraction of the data that lies among the samples (see `precision_recall`): low if a part of the
    data, such as a class, is never made."""

    def __str__(self) -> str:
        """In words, and whether one of the three is so low that the generator has collapsed."""
        reasons = []
        if self.spread < LOWEST_SPREAD:
            reasons.append(f"samples spread {self.spread:.2f} times as far as the data")
        if self.spacing < LOWEST_SPACING:
            reasons.append(f"the nearest other sample is {self.spacing:.2f} times as far as with data")
        if self.recall < LOWEST_RECALL:
            reasons.append(f"only {self.recall:.0%} of the data lie among the samples")
        if reasons:
            return "collapsed: " + ", ".join(reasons)
        return f"no collapse: spread {self.spread:.2f}, spacing {self.spacing:.2f}, recall {self.recall:.2f}"


def diversity(samples: Any, data: Any) -> Diversity:
    r"""Return how different samples are from each other, compared with as many of the data.

    .. math::

        \text{spread} = \sqrt{\frac{\operatorname{mean} |x - \bar x|^2 \text{ of the samples}}
                                   {\operatorname{mean} |x - \bar x|^2 \text{ of the data}}},
        \qquad
        \text{spacing} = \frac{\operatorname{median} |x - \mathrm{NN}(x)| \text{ among the samples}}
                              {\operatorname{median} |x - \mathrm{NN}(x)| \text{ among the data}}

    Parameters
    ----------
    samples, data : array
        Points, features or images, shapes (n, ...) and (m, ...), at least five of each. As the spacing falls
        with the number of points, the same number is taken of both, evenly from all over the larger set.

    Raises
    ------
    ValueError
        If there are too few points, their dimensions differ, a value is not finite, or the data themselves
        are all the same.

    Examples
    --------
    >>> import numpy as np
    >>> data = np.random.default_rng(0).normal(size=(200, 2))
    >>> print(diversity(np.tile(data[:10], (10, 1)), data[100:]))
    collapsed: the nearest other sample is 0.00 times as far as with data, only 0% of the data
    lie among the samples
    """
    true = check_points("data", data, least=5)
    made = check_points("samples", samples, least=5, dimensions=true.shape[1])
    true, made = (evenly(points, min(len(true), len(made))) for points in (true, made))
    if _spacing(true) == 0:
        raise ValueError("data: got examples half of which occur twice, expected different ones")
    spread = _spread(made) / _spread(true)  # (spread-ratio)
    spacing = _spacing(made) / _spacing(true)  # (spacing-ratio)
    return Diversity(spread=spread, spacing=spacing, recall=precision_recall(true, made).recall)


def _spread(points: Floats) -> float:
    return float(np.sqrt(points.var(axis=0).sum()))  # (spread-ratio)


def _spacing(points: Floats) -> float:
    """The median distance to the nearest other point; a point is its own nearest, at distance 0."""
    return float(np.median(nearest_distances(points, points, 2)[:, 1]))  # (spacing-ratio)
