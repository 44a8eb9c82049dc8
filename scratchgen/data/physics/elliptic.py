"""Heat in a rod of random material: a stochastic elliptic equation (Yang, Zhang & Karniadakis 2020).

How well a rod conducts, k, and how it is heated, f, vary along it by chance; its ends are held at 0. The
temperature u follows from both: ::

    -1/10 (k u')' = f  on [-1, 1],   u(-1) = u(1) = 0

In one dimension two integrations solve it. With F(x) the integral of f from -1 to x, k u' = C - 10 F, and ::

    u(x) = integral from -1 to x of (C - 10 F) / k,
    C = 10 (integral of F / k) / (integral of 1 / k)  over [-1, 1],                     (elliptic-solution)

which is 0 at both ends. What is random is a Gaussian process, that is, normal at any points x_1 .. x_m
together, with correlations that fall with the distance: ::

    (g(x_1) .. g(x_m)) ~ N(mean, S),   S_ij = s^2 exp(-(x_i - x_j)^2 / l^2)               (gaussian-process)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...backend import RandomStream, asnumpy, check_rng, checks

Numbers = NDArray[np.float64]


class Media(NamedTuple):
    """Rods, each three functions at the points `x`, shape (n, points)."""

    x: Numbers
    k: Numbers
    """How well the rod conducts: exp of 1/5 sin(3 pi (x + 1) / 2) and a process with s = 2/5, l = 1."""
    f: Numbers
    """How it is heated: 1/2 and a process with s = 3/20, l = 1/5."""
    u: Numbers
    """Its temperature."""


def media(n: int, rng: RandomStream, points: int = 201) -> Media:
    """Draw `n` rods, at `points` even points from one end to the other.

    Examples
    --------
    >>> drawn = media(3, RandomStream(0))
    >>> drawn.u.shape, float(abs(drawn.u[:, [0, -1]]).max()) < 1e-12
    ((3, 201), True)
    """
    n, rng = checks.whole("n", n), check_rng(rng)
    x = np.linspace(-1, 1, checks.whole("points", points, 3))
    log_k = np.sin(1.5 * np.pi * (x + 1)) / 5 + process(n, x, 0.4, 1.0, rng.child("k"))
    f = 0.5 + process(n, x, 0.15, 0.2, rng.child("f"))
    return Media(x, np.exp(log_k), f, temperature(x, np.exp(log_k), f))


def process(n: int, x: Numbers, s: float, length: float, rng: RandomStream) -> Numbers:
    """`n` draws of a Gaussian process of mean 0 at the points `x`, (n, points)."""
    S = s**2 * np.exp(-(((x[:, None] - x) / length) ** 2))  # (gaussian-process)
    values, vectors = np.linalg.eigh(S)  # near points make S singular but for rounding: no Cholesky
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return asnumpy(rng.normal((n, len(x)), np.float64)) @ root.T


def temperature(x: Numbers, k: Numbers, f: Numbers) -> Numbers:
    """The solution u of the equation for each k and f, (n, points), by the trapezoidal rule."""
    F = _integral(x, f)
    C = 10 * _integral(x, F / k)[:, -1:] / _integral(x, 1 / k)[:, -1:]
    return _integral(x, (C - 10 * F) / k)  # (elliptic-solution)


def _integral(x: Numbers, y: Numbers) -> Numbers:
    """From the first point to each, (n, points)."""
    areas = np.diff(x) * (y[:, 1:] + y[:, :-1]) / 2
    return np.pad(areas.cumsum(axis=1), ((0, 0), (1, 0)))
