r"""Fréchet distance: how far apart two sets of points lie, each seen as one Gaussian.

Of all ways to pair points of N(m_a, A) with points of N(m_b, B), the best has the mean squared distance

    FD  =  |m_a - m_b|^2  +  tr A  +  tr B  -  2 tr (A^1/2 B A^1/2)^1/2                          (frechet)

(Dowson & Landau 1982, eq. 4). On the features of a classifier it compares what images show rather than their
pixels, and notices both what is drawn badly and what is missing (Heusel et al. 2017, who call it FID).

The trace of that last root is the sum of the singular values of A^1/2 B^1/2, which needs neither a product
squared nor a root of what rounding has made negative.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import asnumpy, checks
from .neighbours import Floats, check_points


def frechet_distance(a: Any, b: Any) -> float:
    """Return the squared Fréchet distance between Gaussians fitted to two sets of points.

    Equation frechet, with sample means and unbiased covariances. Finite sets measure more than their
    distributions would, the more so the smaller they are: compare only numbers of equally many points, and
    with what two sets of real data measure.

    Parameters
    ----------
    a, b : array
        Points, features or images, shapes (n, ...) and (m, ...), two or more each.

    Raises
    ------
    ValueError
        If there are too few points, their dimensions differ, or a value is not finite.

    Examples
    --------
    >>> points = [[0.0, 0.0], [2.0, 0.0], [0.0, 2.0], [2.0, 2.0]]
    >>> moved = [[3.0, 4.0], [5.0, 4.0], [3.0, 6.0], [5.0, 6.0]]
    >>> round(frechet_distance(points, moved), 12)
    25.0
    """
    first = check_points("a", a, least=2)
    second = check_points("b", b, least=2, dimensions=first.shape[1])
    return frechet_distance_of_gaussians(*_gaussian(first), *_gaussian(second))


def frechet_distance_of_gaussians(mean_a: Any, covariance_a: Any, mean_b: Any, covariance_b: Any) -> float:
    """Return the squared Fréchet distance between two Gaussians, equation frechet.

    Parameters
    ----------
    mean_a, mean_b : array, shape (d,)
    covariance_a, covariance_b : array, shape (d, d)
        Symmetric and without negative eigenvalues; singular ones are welcome.

    Raises
    ------
    ValueError
        If a shape does not fit, a value is not finite, or a matrix is no covariance.

    Examples
    --------
    >>> frechet_distance_of_gaussians([0.0], [[4.0]], [1.0], [[9.0]])  # 1 + (3 - 2)^2
    2.0
    """
    m_a, m_b = _mean("mean_a", mean_a), _mean("mean_b", mean_b)
    checks.shape("mean_b", m_b, m_a.shape, "like mean_a")
    A = _covariance("covariance_a", covariance_a, len(m_a))
    B = _covariance("covariance_b", covariance_b, len(m_a))
    overlap = np.linalg.svd(_root("covariance_a", A) @ _root("covariance_b", B), compute_uv=False).sum()
    squared = np.sum((m_a - m_b) ** 2) + np.trace(A) + np.trace(B) - 2 * overlap  # (frechet)
    return max(float(squared), 0.0)  # of equal Gaussians, rounding leaves a difference of either sign


def _gaussian(points: Floats) -> tuple[Floats, Floats]:
    """The mean and the unbiased covariance of points."""
    mean = points.mean(axis=0)
    centred = points - mean
    covariance = centred.T @ centred / (len(points) - 1)  # (sample-covariance)
    return mean, covariance


def _root(name: str, matrix: Floats) -> Floats:
    """The symmetric root of a covariance, whose eigenvalues below its own rounding error count as 0."""
    values, vectors = np.linalg.eigh(matrix)
    error = len(values) * np.finfo(np.float64).eps * np.abs(values).max()
    if values[0] < -1e6 * error:
        raise ValueError(f"{name}: got a matrix with the eigenvalue {values[0]:g}, expected none below 0")
    roots = np.sqrt(np.where(values > error, values, 0.0))
    return (vectors * roots) @ vectors.T  # (covariance-root)


def _mean(name: str, mean: Any) -> Floats:
    return checks.finite(name, checks.shape(name, np.asarray(asnumpy(mean), np.float64), ("d",)))


def _covariance(name: str, covariance: Any, d: int) -> Floats:
    array = checks.finite(name, checks.shape(name, np.asarray(asnumpy(covariance), np.float64), (d, d)))
    if not np.allclose(array, array.T, rtol=1e-6, atol=1e-9 * np.abs(array).max()):
        raise ValueError(f"{name}: got a matrix that is not symmetric")
    return (array + array.T) / 2
