"""What N ranks would make of a training step, from what one rank and one message take.

A message of s bytes between two ranks takes alpha + beta s seconds. In a ring each rank talks to its two
neighbours only: the array of s bytes is cut into N pieces; in N - 1 rounds each rank hands a partial sum on,
after which each has one piece summed, and in N - 1 rounds more the sums go round:

    t_ring = 2 (N - 1) (alpha + beta s / N)                                              (ring-allreduce)

A step on a batch of b examples costs one rank a fixed time f (the optimiser, Python), w for each example of
the whole batch (every rank draws the numbers of all of it) and e for each example of its own part:

    t(N) = f + w b + e b / N + t_ring                                                        (ranks-step)

For a fixed batch this is least, and more ranks make it longer, at

    N* = sqrt((e b - 2 beta s) / (2 alpha)).                                                (ranks-limit)
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from ..backend import checks


@dataclass(frozen=True)
class Network:
    """What a message takes: alpha seconds, and beta for each byte."""

    alpha: float
    beta: float

    def __post_init__(self) -> None:
        checks.number("alpha", self.alpha, "(0, inf)")
        checks.number("beta", self.beta, "[0, inf)")


@dataclass(frozen=True)
class Step:
    """What a training step takes one rank, in seconds.

    Attributes
    ----------
    fixed : float
        f, whatever the batch.
    whole : float
        w, for each example of the whole batch.
    own : float
        e, for each example of the rank's part.
    size : int
        s, the bytes of all gradients.
    """

    fixed: float
    whole: float
    own: float
    size: int


def ring_seconds(size: float, ranks: int, network: Network) -> float:
    """What summing `size` bytes over so many ranks takes, in a ring: equation ring-allreduce."""
    ranks = checks.whole("ranks", ranks)
    return 2 * (ranks - 1) * (network.alpha + network.beta * size / ranks)  # (ring-allreduce)


def step_seconds(step: Step, batch: int, ranks: int, network: Network) -> float:
    """What a step on `batch` examples takes so many ranks: equation ranks-step.

    Examples
    --------
    >>> step, network = Step(fixed=0, whole=0, own=1e-3, size=4_000_000), Network(alpha=1e-5, beta=1e-9)
    >>> [round(step_seconds(step, 128, n, network), 4) for n in (1, 8, 64)]
    [0.128, 0.0231, 0.0111]
    """
    batch = checks.whole("batch", batch)
    own = step.own * batch / checks.whole("ranks", ranks)
    return step.fixed + step.whole * batch + own + ring_seconds(step.size, ranks, network)  # (ranks-step)


def most_ranks(step: Step, batch: int, network: Network) -> int:
    """How many ranks take a step on `batch` examples fastest: equation ranks-limit, and 1 at least."""
    gain = step.own * batch - 2 * network.beta * step.size  # (ranks-limit)
    if gain <= 0:
        return 1
    limit = math.sqrt(gain / (2 * network.alpha))  # (ranks-limit)
    around = {max(1, math.floor(limit)), max(1, math.ceil(limit))}
    return min(around, key=lambda ranks: step_seconds(step, batch, ranks, network))
