"""Schedules: the learning rate as a function of the step, counted from 0."""

from __future__ import annotations

import math
from collections.abc import Callable

from ..backend import checks

Schedule = Callable[[int], float]


def constant(lr: float) -> Schedule:
    """Always `lr`."""
    return lambda step: lr


def warmup(schedule: Schedule, steps: int) -> Schedule:
    """`schedule`, scaled up linearly from near 0 over the first `steps` steps.

    Examples
    --------
    >>> rate = warmup(constant(1.0), 4)
    >>> [rate(step) for step in (0, 1, 3, 10)]
    [0.25, 0.5, 1.0, 1.0]
    """
    steps = checks.whole("steps", steps, 0)
    return lambda step: schedule(step) * (min(1.0, (step + 1) / steps) if steps else 1.0)  # (warm-up)


def cosine(lr: float, steps: int, final: float = 0.0) -> Schedule:
    """From `lr` down to `final` along half a cosine over `steps` steps (Loshchilov & Hutter 2016, eq. 5).

    ::

        rate(t) = final + (lr - final) (1 + cos(pi t / steps)) / 2,     t <= steps    (cosine-learning-rate)
    """
    steps = checks.whole("steps", steps)

    def rate(step: int) -> float:
        angle = math.pi * min(step / steps, 1.0)
        return final + (lr - final) * (1 + math.cos(angle)) / 2  # (cosine-learning-rate)

    return rate


def stepwise(lr: float, factor: float, every: int) -> Schedule:
    """`lr`, multiplied by `factor` after each `every` steps."""
    every = checks.whole("every", every)
    return lambda step: lr * factor ** (step // every)  # (stepwise-rate)
