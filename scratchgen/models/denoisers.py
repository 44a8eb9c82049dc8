r"""The best denoisers, where they are known: what a network that is trained to denoise should become.

Of an example x we see y = x + noise, and guess x by a function g(y). With m(y) = E[x|y], the mean squared
error falls into two parts, of which g can change only the second:

    E |x - g(y)|^2 = E |x - m(y)|^2 + E |m(y) - g(y)|^2                                    (denoising-best)

so the best g is the posterior mean m. If x ~ N(mu, S) and the noise is N(0, sigma^2 I), it is linear,
Wiener's filter; if x is a mixture of such normals, it is their filters' mean, each weighted by the
probability r_k(y) that y came from it:

    E[x|y] = mu + S (S + sigma^2 I)^-1 (y - mu)                                                    (wiener)
    E[x|y] = sum_k r_k(y) (mu_k + s_k^2 / (s_k^2 + sigma^2) (y - mu_k)),     S_k = s_k^2 I  (mixture-denoiser)
    r_k(y) = w_k N(y; mu_k, (s_k^2 + sigma^2) I) / sum_j w_j N(y; mu_j, (s_j^2 + sigma^2) I)
                                                                                  (mixture-responsibility)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd import logsumexp
from ..backend import Array, asarray, asnumpy, checks


def wiener(y: Any, mean: Any, covariance: Any, sigma: float) -> Array:
    """Return E[x|y] of normal examples: equation wiener.

    Parameters
    ----------
    y : array, shape (n, d)
        Examples with noise.
    mean : array, shape (d,)
    covariance : array, shape (d, d)
        Of the clean examples.
    sigma : float
        The standard deviation of the noise, in the units of `y`; above 0.

    Returns
    -------
    array, shape (n, d), float64

    Raises
    ------
    ValueError
        If a shape does not fit, or `sigma` is not positive.

    Examples
    --------
    >>> wiener(np.array([[4.0]]), np.zeros(1), np.array([[3.0]]), sigma=1.0)  # 3 / (3 + 1) of it
    array([[3.]])
    """
    y, mean, covariance = (np.asarray(asnumpy(a), np.float64) for a in (y, mean, covariance))
    checks.shape("y", y, ("n", "d"))
    checks.shape("mean", mean, (y.shape[1],))
    checks.shape("covariance", covariance, (y.shape[1], y.shape[1]))
    noise = checks.number("sigma", sigma, "(0, inf)") ** 2 * np.eye(len(mean))
    return asarray(mean + (y - mean) @ np.linalg.solve(covariance + noise, covariance))  # (wiener)


def mixture_denoiser(y: Any, weights: Any, means: Any, spreads: Any, sigma: float) -> Array:
    """Return E[x|y] of examples from a mixture of round normals: equation mixture-denoiser.

    Parameters
    ----------
    y : array, shape (n, d)
        Examples with noise.
    weights : array, shape (k,)
        The probabilities of the components, above 0, with the sum 1.
    means : array, shape (k, d)
    spreads : array, shape (k,)
        Their standard deviations s_k, 0 or more: a point is a component, too.
    sigma : float
        The standard deviation of the noise; above 0.

    Returns
    -------
    array, shape (n, d), float64

    Raises
    ------
    ValueError
        If a shape does not fit, a number is out of range, or the weights do not add up to 1.

    Examples
    --------
    >>> two = dict(weights=[0.5, 0.5], means=[[-1.0], [1.0]], spreads=[0.0, 0.0], sigma=1.0)
    >>> mixture_denoiser(np.array([[0.0], [1.0]]), **two).round(3)  # tanh of y / sigma^2
    array([[0.   ],
           [0.762]])
    """
    y, weights, means, spreads = (np.asarray(asnumpy(a), np.float64) for a in (y, weights, means, spreads))
    checks.shape("y", y, ("n", "d"))
    checks.shape("weights", weights, ("k",))
    checks.shape("means", means, (len(weights), y.shape[1]))
    checks.within("spreads", checks.shape("spreads", spreads, (len(weights),)), 0, math.inf)
    noise = checks.number("sigma", sigma, "(0, inf)") ** 2
    if not (weights > 0).all() or abs(weights.sum() - 1) > 1e-6:
        raise ValueError(f"weights: got {weights}, expected positive numbers whose sum is 1")
    away = y[:, None] - means  # (n, k, d)
    total = spreads**2 + noise
    logs = np.log(weights) - (away**2).sum(axis=2) / (2 * total) - y.shape[1] / 2 * np.log(total)
    r = np.exp(logs - logsumexp(logs, axis=1, keepdims=True))  # (mixture-responsibility)
    each = means + (spreads**2 / total)[:, None] * away
    return asarray((r[:, :, None] * each).sum(axis=1))  # (mixture-denoiser)
