"""Damped oscillators of random stiffness and friction: curves that obey a law, and the law's solution.

A mass on a spring, with friction, let go somewhere with some speed: ::

    u'' + c u' + k u = 0,   u(0) = u0,   u'(0) = v0
    u(t) = e^(-c t / 2) (u0 cos(omega t) + (v0 + c u0 / 2) / omega sin(omega t)),
           omega = sqrt(k - c^2 / 4)                                                     (oscillator-solution)

Whoever has a curve can read c and k back, as those that leave least of the law's left side, by the normal
equations of ``minimise sum (u'' + c u' + k u)^2``: ::

    (c, k) = -(A^T A)^(-1) A^T u'',   A = (u', u)                                     (oscillator-read-back)
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...backend import RandomStream, asnumpy, check_rng, checks

Numbers = NDArray[np.float64]


class Oscillators(NamedTuple):
    """Oscillators, each its coefficients and its start, shape (n,)."""

    c: Numbers
    """Friction, uniform between 0.4 and 1.6."""
    k: Numbers
    """Stiffness, uniform between 4 and 16."""
    u0: Numbers
    """Where they begin, N(1, 1/16)."""
    v0: Numbers
    """How fast they begin, N(0, 0.64)."""

    def curves(self, t: Numbers) -> Numbers:
        """u(t) of each, shape (n, times)."""
        c, k, u0, v0 = (number[:, None] for number in self)
        omega = np.sqrt(k - c * c / 4)
        swing = u0 * np.cos(omega * t) + (v0 + c * u0 / 2) / omega * np.sin(omega * t)
        return np.exp(-c * t / 2) * swing  # (oscillator-solution)


def oscillators(n: int, rng: RandomStream) -> Oscillators:
    """Draw `n` oscillators.

    Examples
    --------
    >>> drawn = oscillators(3, RandomStream(0))
    >>> drawn.curves(np.linspace(0, 3, 7)).shape
    (3, 7)
    """
    n, rng = checks.whole("n", n), check_rng(rng)
    coefficients = asnumpy(rng.child("coefficients").uniform((n, 2), np.float64))
    start = asnumpy(rng.child("start").normal((n, 2), np.float64))
    return Oscillators(
        0.4 + 1.2 * coefficients[:, 0], 4 + 12 * coefficients[:, 1], 1 + start[:, 0] / 4, 0.8 * start[:, 1]
    )


def read_back(curves: Numbers, t: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """The coefficients that curves obey best, and how much of the law they leave unobeyed.

    Parameters
    ----------
    curves : array, shape (n, times)
    t : array, shape (times,)
        At least 5 times, evenly spaced, and close enough for central differences.

    Returns
    -------
    c, k : array, shape (n,)
    residual : array, shape (n,)
        The root mean square of ``u'' + c u' + k u``, in units of that of u''.
    """
    checks.shape("curves", curves, (len(curves), len(t)), "(n, times)")
    if len(t) < 5 or not np.allclose(np.diff(t), t[1] - t[0]):
        raise ValueError(f"t: got {len(t)} times, expected at least 5, evenly spaced")
    u, h = np.asarray(curves, np.float64), t[1] - t[0]
    slope, bend = (u[:, 2:] - u[:, :-2]) / (2 * h), (u[:, 2:] - 2 * u[:, 1:-1] + u[:, :-2]) / h**2
    A = np.stack([slope, u[:, 1:-1]], axis=2)  # (n, times - 2, 2)
    both = -np.linalg.solve(A.mT @ A, A.mT @ bend[:, :, None])  # (oscillator-read-back)
    left = bend + (A @ both)[:, :, 0]
    residual = np.sqrt((left**2).mean(axis=1) / (bend**2).mean(axis=1))
    return both[:, 0, 0], both[:, 1, 0], residual
