"""Four kinds of traffic: each a normal distribution of scenarios."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

#: How often the speed of the car in front is given, in s.
EVERY = 2.0

FEATURES = (*(f"speed after {EVERY * i:.0f} s, m/s" for i in range(8)), "step after, s", "step, m")


class Kind(NamedTuple):
    """Means and spreads of one kind of traffic."""

    weight: float
    speeds: tuple[float, ...]
    """Of the car in front, in m/s."""
    level: float
    """Standard deviation of what all speeds have in common, in m/s."""
    change: float
    """Standard deviation of what each two seconds add, in m/s."""
    step: tuple[float, float]
    """Mean and standard deviation of how far somebody steps into the lane, in m; below 0 nobody does."""


KINDS = {
    "flowing": Kind(0.60, (20.0,) * 8, 2.5, 0.8, (-2.2, 0.7)),
    "slowing down": Kind(0.25, (20.0, 19.0, 17.0, 15.0, 13.0, 12.0, 12.0, 12.0), 2.5, 1.2, (-2.2, 0.7)),
    "braking hard": Kind(0.09, (20.0, 20.0, 18.0, 5.0, 0.0, 0.0, 0.0, 1.0), 2.5, 2.5, (-2.2, 0.7)),
    "someone at the kerb": Kind(0.06, (13.0,) * 8, 2.0, 0.8, (-1.2, 0.8)),
}


def weights() -> Floats:
    """The probability of each kind."""
    return np.array([kind.weight for kind in KINDS.values()])


@cache
def means() -> Floats:
    """The mean scenario of each kind, shape (kinds, 10)."""
    return np.array([(*kind.speeds, 7.0, kind.step[0]) for kind in KINDS.values()])


@cache
def factors() -> Floats:
    """Lower triangular L with L L^T the covariance, for each kind, shape (kinds, 10, 10).

    Speeds share a level and change as a random walk does, and a little by themselves.
    """
    walk = np.minimum.outer(np.arange(8.0), np.arange(8.0))
    made = np.zeros((len(KINDS), len(FEATURES), len(FEATURES)))
    for k, kind in enumerate(KINDS.values()):
        made[k, :8, :8] = kind.level**2 + kind.change**2 * walk + 0.3**2 * np.eye(8)
        made[k, 8, 8], made[k, 9, 9] = 2.5**2, kind.step[1] ** 2
        made[k, 7, 9] = made[k, 9, 7] = 0.3 * kind.step[1] * kind.change  # who sees a gap, steps out
    return np.asarray(np.linalg.cholesky(made), np.float64)
