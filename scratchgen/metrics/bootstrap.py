"""Bootstrap intervals: how much a number would change if the samples were drawn again."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from ..backend import RandomStream, asnumpy, checks


class Estimate(NamedTuple):
    """A number with an interval around it."""

    value: float
    lower: float
    upper: float

    def __str__(self) -> str:
        return f"{self.value:.3f} [{self.lower:.3f}, {self.upper:.3f}]"


def bootstrap_interval(
    statistic: Callable[[Any], float],
    sample: Any,
    rng: RandomStream,
    *,
    resamples: int = 1000,
    level: float = 0.95,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """Return a statistic of a sample with a bootstrap interval.

    The sample is drawn again from itself, with replacement, many times; the quantiles of the statistic over
    these resamples, shifted so that their mean is the observed value v, are the interval. With v* the
    resamples' mean and q_a their quantile: ::

        [v + q_a - v*,  v + q_b - v*],     a = (1 - level) / 2,   b = (1 + level) / 2  (bootstrap-interval)

    The shift matters for statistics that a resample biases: a resample always has fewer different looks than
    the sample, so that plain quantiles would lie wholly below the observed coverage. For a mean it changes
    nothing. The interval is for the value expected with as many samples, and is too short where every sample
    agrees: of n samples without a single failure, the true rate of failure may still be about 3 / n.

    Parameters
    ----------
    statistic : callable
        From an array of samples to a number.
    sample : array
        Shape (n, ...), n >= 1, independent draws along the first axis.
    rng : RandomStream
        The stream of random numbers.
    resamples : int
        How many times to draw again.
    level : float
        The probability that the interval should have, between 0 and 1.
    bounds : tuple of two floats
        The least and the greatest value that the statistic can take.

    Raises
    ------
    ValueError
        If the sample is empty, or ``resamples`` or ``level`` is out of range.

    References
    ----------
    Efron, B., & Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapters 10 and 13.

    Examples
    --------
    >>> heads = np.repeat([0.0, 1.0], 50)
    >>> print(bootstrap_interval(np.mean, heads, RandomStream(0)))
    0.500 [0.408, 0.598]
    """
    drawn = np.asarray(asnumpy(sample))
    if drawn.ndim == 0 or len(drawn) == 0:
        raise ValueError(f"sample: got shape {drawn.shape}, expected (n, ...) with n at least 1")
    resamples, level = checks.whole("resamples", resamples), checks.number("level", level, "(0, 1)")
    value = float(statistic(drawn))
    replicates = np.empty(resamples)
    for i in range(resamples):
        again = rng.integers(0, len(drawn), (len(drawn),), batch_axis=None)
        replicates[i] = statistic(drawn[asnumpy(again)])
    quantiles = np.quantile(replicates, [(1 - level) / 2, (1 + level) / 2])
    lower, upper = np.clip(value + quantiles - replicates.mean(), *bounds)  # (bootstrap-interval)
    return Estimate(value, float(lower), float(upper))
