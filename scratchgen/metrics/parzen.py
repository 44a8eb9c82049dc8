r"""Parzen windows: a density made of samples, for models that have none; and what it is worth.

A normal of standard deviation sigma around each of m samples, ::

    log p_sigma(x) = log 1/m sum_j N(x; y_j, sigma^2 I)                                    (parzen-windows)

is a density that samples alone suffice for, and its mean on test examples was long given as "the likelihood"
of GANs. Even with infinitely many samples of P_data itself it is not P_data, but P_data blurred. For the
density N(0, s^2) of each of D features, it falls short of the truth by ::

    E log p - E log p_sigma -> D / 2 [ log(1 + r) - r / (1 + r) ],   r = sigma^2 / s^2         (parzen-gap)

which grows with D, while few samples ask for a wide sigma, the more so the larger D is.

References
----------
Parzen, E. (1962). On estimation of a probability density function and mode. Annals of Mathematical
Statistics 33(3). Theis, L., van den Oord, A., & Bethge, M. (2016). A note on the evaluation of generative
models. ICLR, section 3.5.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import logsumexp
from ..backend import checks
from .neighbours import Floats, check_points, squared_distances


def parzen_log_prob(points: Any, samples: Any, sigma: float) -> Floats:
    """Return the log-density of points under normals around samples, shape (n,): equation parzen-windows.

    Parameters
    ----------
    points : array, shape (n, dimensions)
    samples : array, shape (m, dimensions)
        Of the model that is asked.
    sigma : float
        The standard deviation of each window, chosen on other examples than `points`.

    Raises
    ------
    ValueError
        If there are no points or samples, dimensions differ, a value is not finite, or `sigma` is not
        positive.

    Examples
    --------
    >>> parzen_log_prob([[0.0]], [[-1.0], [1.0]], sigma=1.0).round(4)  # log N(1; 0, 1)
    array([-1.4189])
    """
    sigma = checks.number("sigma", sigma, "(0, inf)")
    around = check_points("samples", samples)
    at = check_points("points", points, dimensions=around.shape[1])
    exponents = -squared_distances(at, around) / (2 * sigma**2)
    scale = at.shape[1] / 2 * np.log(2 * np.pi * sigma**2)  # (parzen-windows)
    return np.asarray(logsumexp(exponents, axis=1) - np.log(len(around)) - scale)  # (parzen-windows)


def parzen_gap(dimensions: int, spread: float, sigma: float) -> float:
    """Return by how many nats windows around all of N(0, spread^2 I) miss its log-likelihood.

    Equation parzen-gap.

    Examples
    --------
    >>> print(f"{parzen_gap(784, 1.0, 0.2):.2f}")  # images of noise, narrow windows
    0.30
    """
    ratio = (checks.number("sigma", sigma, "(0, inf)") / checks.number("spread", spread, "(0, inf)")) ** 2
    lost = np.log1p(ratio) - ratio / (1 + ratio)  # (parzen-gap)
    return float(checks.whole("dimensions", dimensions) / 2 * lost)  # (parzen-gap)
