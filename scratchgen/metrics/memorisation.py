"""Rule 2 on any images: whether samples are suitably different from the training set, or copies of it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import checks
from .neighbours import Floats, check_points, nearest_distances


def nearest_neighbour_ratio(samples: Any, training: Any) -> Floats:
    """Return how much nearer each sample is to its nearest training example than to the next.

    ::

        ratio(x) = |x - NN_1(x)| / |x - NN_2(x)|,   within [0, 1]               (nearest-neighbour-ratio)

    A copy has ratio 0, even where the data are dense; a sample that belongs to no training example in
    particular has a ratio near 1. Examples that occur several times in the training set count once.

    Parameters
    ----------
    samples, training : array
        Points, features or images, shapes (n, ...) and (m, ...); at least two training examples must differ.

    Returns
    -------
    array
        Shape (n,).

    Raises
    ------
    ValueError
        If there are too few points, their dimensions differ, or a value is not finite.

    References
    ----------
    Yoon, T., Choi, J. Y., Kwon, S., & Ryu, E. K. (2023). Diffusion probabilistic models generalize when they
    fail to memorize.

    Examples
    --------
    >>> nearest_neighbour_ratio([[0.0], [1.0], [5.0]], [[0.0], [4.0], [4.0]]).round(3)
    array([0.   , 0.333, 0.2  ])
    """
    known = np.unique(check_points("training", training, least=2), axis=0)
    if len(known) < 2:
        raise ValueError("training: got the same example again and again, expected at least two")
    made = check_points("samples", samples, dimensions=known.shape[1])
    nearest, second = nearest_distances(made, known, 2).T
    return nearest / second  # (nearest-neighbour-ratio)


def memorised_fraction(samples: Any, training: Any, *, threshold: float = 1 / 3) -> float:
    """Return the fraction of samples whose nearest-neighbour ratio is below the threshold.

    Samples that are merely near the data have such a ratio by chance too, in few dimensions often; compare
    with the fraction of a held-out set.

    Examples
    --------
    >>> memorised_fraction([[0.0], [2.1]], [[0.0], [4.0]])
    0.5
    """
    threshold = checks.number("threshold", threshold, "(0, 1]")
    return float(np.mean(nearest_neighbour_ratio(samples, training) < threshold))


def distance_ratio(samples: Any, training: Any, held_out: Any) -> float:
    """Return how far samples are from the training set, in units of how far fresh data are from it.

    ::

        median over samples of |x - NN_1(x)|  /  median over held-out data of |x - NN_1(x)|  (distance-ratio)

    0 is a copy of the training set, 1 is what the data themselves would do, and far above 1 is noise.

    Parameters
    ----------
    samples, training, held_out : array
        Points, features or images, shapes (n, ...), (m, ...) and (k, ...). The held-out ones are data that no
        model was trained on.

    Raises
    ------
    ValueError
        If a set is empty, dimensions differ, a value is not finite, or most held-out examples are in the
        training set, which leaves no unit to measure in.

    Examples
    --------
    >>> distance_ratio([[1.5], [7.5]], training=[[1.0], [8.0]], held_out=[[0.0], [9.0]])
    0.5
    """
    known = check_points("training", training)
    made = check_points("samples", samples, dimensions=known.shape[1])
    fresh = check_points("held_out", held_out, dimensions=known.shape[1])
    return median_ratio(nearest_distances(made, known, 1), nearest_distances(fresh, known, 1))


def median_ratio(distances: Floats, units: Floats) -> float:
    """The median of distances to the nearest training example, by that of examples held out."""
    unit = float(np.median(units))
    if unit == 0:
        raise ValueError("held_out: got examples half of which are in training, expected new ones")
    return float(np.median(distances)) / unit  # (distance-ratio)
