"""The critics of the lesson on physics: what tells generated readings from real ones."""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen.networks import MLP
from scratchgen.nn import Buffer, LeakyReLU, Module


def critic(readings: int, rng: sg.RandomStream) -> MLP:
    """What tells generated readings from real ones."""
    return MLP([readings, 128, 128, 1], lambda: LeakyReLU(0.2), rng=rng)


class RodCritic(Module):
    """A critic that is shown the squares of readings, too: means and deviations are sums of what it sees."""

    def __init__(self, mean: np.ndarray, rng: sg.RandomStream) -> None:
        self.mean = Buffer(mean.astype(np.float32))
        self.network = critic(2 * len(mean), rng)

    def forward(self, readings: Any) -> Any:
        off = readings - self.mean
        return self.network(sg.cat([off, off * off], axis=1))
