"""From counts to probabilities: maximum likelihood, and additive smoothing."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def smoothed(counts: NDArray[np.integer], alpha: float) -> Floats:
    """Return the estimated probabilities of the levels along the last axis.

    ::

        theta_l = (n_l + alpha) / (n + alpha L)                                      (additive-smoothing)

    With alpha = 0 this maximises the likelihood. With alpha > 0 it is the posterior mean under a symmetric
    Dirichlet prior: every level counts as if it had been seen alpha times more (1: Laplace's rule). And so it
    is the probability that the next one has level l, whatever theta may be (naive-bayes-predictive).

    Parameters
    ----------
    counts : array of int
        How often each level was seen, shape (..., L); along the last axis at least one count must be
        positive, unless alpha is.
    alpha : float
        The smoothing constant, at least 0.

    Returns
    -------
    array
        Shape (..., L), summing to 1 along the last axis.

    Examples
    --------
    >>> smoothed(np.array([3, 1, 0]), alpha=0), smoothed(np.array([3, 1, 0]), alpha=2)
    (array([0.75, 0.25, 0.  ]), array([0.5, 0.3, 0.2]))
    """
    weights = counts + alpha  # (additive-smoothing) (naive-bayes-predictive)
    return weights / weights.sum(axis=-1, keepdims=True)  # (additive-smoothing) (naive-bayes-predictive)
