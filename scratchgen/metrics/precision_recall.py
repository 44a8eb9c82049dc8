"""Precision and recall of generated samples: how many look real, and how much of what is real is reached."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import checks
from .neighbours import Floats, blocks_of_squares, check_points, nearest_distances


class PrecisionRecall(NamedTuple):
    """Two fractions between 0 and 1."""

    precision: float
    """The fraction of generated samples that lie among the real ones: rule 1, sample by sample."""
    recall: float
    """The fraction of real samples that lie among the generated ones: low when a model forgets modes."""


def precision_recall(real: Any, generated: Any, *, neighbours: int = 3) -> PrecisionRecall:
    """Return improved precision and recall.

    Around each point of a set lies a ball that reaches to its k-th nearest neighbour in that set; a point of
    the other set lies "among" them if some ball contains it: ::

        f(a, B) = 1  if  |a - b| <= |b - NN_k(b, B)|  for some b in B,  else 0
        precision = mean of f(g, real) over generated g
        recall = mean of f(r, generated) over real r                                   (precision-recall)

    Neither notices copying: a copy of the training set has a precision of 1.

    Parameters
    ----------
    real, generated : array
        Points, features or images, shapes (n, ...) and (m, ...), of more than ``neighbours`` each. Take
        equally many: larger sets have smaller balls.
    neighbours : int
        k, the neighbour that fixes the radius.

    Raises
    ------
    ValueError
        If there are too few points, their dimensions differ, or a value is not finite.

    References
    ----------
    Kynkaanniemi, T., Karras, T., Laine, S., Lehtinen, J., & Aila, T. (2019). Improved precision and recall
    metric for assessing generative models. Equations 1 and 2.

    Examples
    --------
    >>> precision_recall([[0.0], [1.0], [2.0], [3.0]], [[0.5], [1.5], [9.0], [9.1]], neighbours=1)
    PrecisionRecall(precision=0.5, recall=0.75)
    """
    neighbours = checks.whole("neighbours", neighbours)
    true = check_points("real", real, least=neighbours + 1)
    made = check_points("generated", generated, least=neighbours + 1, dimensions=true.shape[1])
    return PrecisionRecall(
        precision=float(np.mean(_among(made, true, neighbours))),
        recall=float(np.mean(_among(true, made, neighbours))),
    )


def _among(points: Floats, reference: Floats, neighbours: int) -> NDArray[np.bool_]:
    """Return for each point whether a ball around a reference point contains it."""
    # A reference point is its own nearest neighbour, at distance 0, which does not count.
    radii = nearest_distances(reference, reference, neighbours + 1)[:, -1]
    # A point exactly on a ball stays on it, although its distance is rounded differently.
    squares = radii**2 * (1 + 1e-9)
    among = np.empty(len(points), dtype=bool)
    for block, found in blocks_of_squares(points, reference):
        among[block] = (found <= squares).any(axis=1)  # (precision-recall)
    return among
