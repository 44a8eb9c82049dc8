"""The intelligent driver model (Treiber, Hennecke & Helbing 2000), which looks at the world a little late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from ...backend import checks


@dataclass(frozen=True)
class Controller:
    """Acceleration from the gap in front, the own speed and that of what is in front.

    With gap s, own speed v and approach dv (own speed minus that of what is in front), ::

        s*(v, dv) = s0 + max(0, v T + v dv / (2 sqrt(a b)))                                    (idm-gap)
        acceleration = a (1 - (v / v0)^4 - (s* / s)^2), not below -b_max                (idm-acceleration)

    where all it knows is `reaction` seconds old.

    Parameters
    ----------
    headway : float
        T, the time that it keeps to the car in front, in s.
    reaction : float
        In s; 0 or more.
    desired_speed : float
        v0, in m/s.
    acceleration : float
        a, in m/s^2.
    braking : float
        b, what it finds comfortable, in m/s^2.
    strongest_braking : float
        b_max, what tyres can do, in m/s^2.
    least_gap : float
        s0, in m.

    Examples
    --------
    >>> round(float(CAREFUL(gap=50.0, speed=20.0, approach=0.0)), 3)  # far enough: it speeds up a little
    0.297
    """

    headway: float = 1.6
    reaction: float = 0.9
    desired_speed: float = 33.3
    acceleration: float = 0.73
    braking: float = 1.67
    strongest_braking: float = 8.0
    least_gap: float = 2.0

    def __post_init__(self) -> None:
        for name in ("headway", "desired_speed", "acceleration", "braking", "strongest_braking", "least_gap"):
            checks.number(name, getattr(self, name), "(0, inf)")
        checks.number("reaction", self.reaction, "[0, inf)")

    def wanted_gap(self, speed: Any, approach: Any) -> Any:
        """The gap s* that it wishes for, in m: equation idm-gap."""
        closing = speed * approach / (2 * np.sqrt(self.acceleration * self.braking))
        return self.least_gap + np.maximum(0.0, speed * self.headway + closing)  # (idm-gap)

    def __call__(self, gap: Any, speed: Any, approach: Any) -> Any:
        """The acceleration in m/s^2: equation idm-acceleration."""
        gap = np.maximum(gap, 0.1)  # after a collision it would be 0 or less
        tightness = self.wanted_gap(speed, approach) / gap
        free = 1 - (speed / self.desired_speed) ** 4
        return np.maximum(
            self.acceleration * (free - tightness**2), -self.strongest_braking
        )  # (idm-acceleration)

    def steady_gap(self, speed: Any) -> Any:
        """The gap at which it neither brakes nor speeds up, behind a car of its own speed, in m.

        s = (s0 + v T) / sqrt(1 - (v / v0)^4),   v below v0                                (idm-steady-gap)
        """
        speed = np.minimum(speed, 0.95 * self.desired_speed)
        wanted = self.least_gap + speed * self.headway
        return wanted / np.sqrt(1 - (speed / self.desired_speed) ** 4)  # (idm-steady-gap)


CAREFUL = Controller()
HURRIED = Controller(headway=1.2, reaction=1.0, acceleration=1.5)
