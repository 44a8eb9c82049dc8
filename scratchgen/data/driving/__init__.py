r"""Driving: a car follows another one that may brake, and somebody may step into the road.

A *scenario* is what the others do: ten numbers, the speeds of the car in front every two seconds, and when
and how far somebody steps into the lane. What the controlled car does is its answer, and no part of it.
Scenarios come from a mixture of normal distributions with full covariances, four kinds of traffic,

    p(x) = sum_k w_k N(x; m_k, C_k),                                                         (driving-density)

so their density is known and positive everywhere, and the probability of a collision can be found as exactly
as patience allows. No road was ever measured for it: the figures are those of no country's traffic.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd import logsumexp
from ...backend import Array, RandomStream, asarray, asnumpy, check_rng, checks
from .controller import CAREFUL, HURRIED, Controller
from .kinds import FEATURES, KINDS, factors, means, weights
from .motion import Drive, drive

__all__ = [
    "CAREFUL",
    "FEATURES",
    "HURRIED",
    "KINDS",
    "Controller",
    "Drive",
    "collides",
    "drive",
    "log_prob",
    "sample",
]


def sample(n: int, rng: RandomStream) -> Array:
    """Draw ``n`` independent scenarios, shape (n, 10), float32, on the current device.

    Parameters
    ----------
    n : int
    rng : RandomStream
        The stream of random numbers.

    Returns
    -------
    array, shape (n, 10)
        Eight speeds in m/s, then when somebody steps out, in s, and how far into the lane, in m.

    Raises
    ------
    ValueError
        If ``n`` is negative.

    Examples
    --------
    >>> sample(3, RandomStream(0)).shape
    (3, 10)
    """
    n = checks.whole("n", n, 0)
    u = asnumpy(check_rng(rng).uniform((n,), dtype=np.float64))
    kind = np.minimum(np.searchsorted(np.cumsum(weights()), u, side="right"), len(KINDS) - 1)
    noise = asnumpy(rng.normal((n, len(FEATURES)), dtype=np.float64))
    moved = np.einsum("nij,nj->ni", factors()[kind], noise)
    return asarray((means()[kind] + moved).astype(np.float32))


def log_prob(x: Any) -> Array:
    """Return the log-density of scenarios, shape (n,), float64: equation driving-density.

    Parameters
    ----------
    x : array, shape (n, 10)

    Raises
    ------
    ValueError
        If it has another shape, or is not finite.

    Examples
    --------
    >>> bool(log_prob(sample(5, RandomStream(0))).min() > -40)
    True
    """
    x = checks.examples("x", x, (len(FEATURES),)).astype(np.float64)
    logs = np.empty((len(x), len(KINDS)))
    for k, (weight, mean, factor) in enumerate(zip(weights(), means(), factors(), strict=True)):
        white = np.linalg.solve(factor, (x - mean).T)  # C = L L^T, so |white|^2 = (x - m) C^-1 (x - m)
        scale = np.log(np.diag(factor)).sum() + x.shape[1] / 2 * np.log(2 * np.pi)
        logs[:, k] = np.log(weight) - (white**2).sum(axis=0) / 2 - scale
    return asarray(logsumexp(logs, axis=1))  # (driving-density)


def collides(x: Any, controller: Controller) -> np.ndarray:
    """Return in which scenarios a controlled car collides, shape (n,), bool, on the host.

    Parameters
    ----------
    x : array, shape (n, 10)
        Any numbers will do: a speed below 0 is one of 0, a step of less than 0 m one that is not taken.
    controller : Controller
        What the car does about it.

    Raises
    ------
    TypeError, ValueError
        If `x` is no batch of scenarios, or the controller is none.

    Examples
    --------
    >>> steady = np.array([[20.0] * 8 + [5.0, -1.0]])
    >>> collides(steady, CAREFUL)
    array([False])
    """
    return drive(x, controller).collided
