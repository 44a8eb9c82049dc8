"""The log-density of every vector under every one of K normal distributions, as a mixture asks for it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import sum
from ..autograd.primitive import jointly, primitive
from ..backend import Array
from ..backend.compiled import compiled
from .normal import LOG_2PI, inverse_sigma


@compiled
def component_shares(g: Any, y: Any, x: Any, mean: Any, log_var: Any) -> tuple[Any, Any, Any]:
    """What reaches the vectors, the means and the log-variances: each slope of normal-slopes, summed."""
    scale = inverse_sigma(log_var)
    with np.errstate(over="ignore"):
        u = (x[:, None] - mean) * scale  # (n, K, D)
        pulls = g[:, :, None] * (u * scale)
        widths = g[:, :, None] * (0.5 * (u * u - 1))
    return -sum(pulls, axis=1), sum(pulls, axis=0), sum(widths, axis=0)


@primitive(jointly(component_shares))
@compiled
def component_log_probs(x: Array, mean: Array, log_var: Array) -> Array:
    """log N(x_n; mu_k, diag sigma_k^2) = sum_d log N(x_nd; mu_kd, sigma_kd^2), in nats.

    Parameters
    ----------
    x : array, shape (n, D)
    mean, log_var : arrays, shape (K, D)

    Returns
    -------
    array, shape (n, K)
    """
    with np.errstate(over="ignore"):  # a log-density of -inf is the right limit
        square = ((x[:, None] - mean) * inverse_sigma(log_var)) ** 2  # (n, K, D)
    return -0.5 * (square + (log_var + LOG_2PI)).sum(axis=-1)
