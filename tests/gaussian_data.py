"""Data for which a diffusion model can be checked exactly: Gaussians, whose best network is known.

If x_0 ~ N(m, s^2) then x_t ~ N(sqrt(alpha_bar_t) m, alpha_bar_t s^2 + 1 - alpha_bar_t), and by regression

    E[eps|x_t] = sqrt(1 - alpha_bar_t) (x_t - sqrt(alpha_bar_t) m) / (alpha_bar_t s^2 + 1 - alpha_bar_t).
"""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen.models import DDPM
from scratchgen.models.diffusion import Schedule, prediction_target, x0_from_prediction
from scratchgen.nn import Buffer, Module

MEAN = np.array([0.5, -0.2, 0.0])
SIGMA = np.array([0.3, 1.0, 1.5])


class ExactNoise(Module):
    """E[eps|x_t], or what it means for x_0 or v; with `fraction`, as a network that learns the variance."""

    def __init__(
        self,
        schedule: Schedule,
        prediction: str = "noise",
        fraction: float | None = None,
        mean: np.ndarray = MEAN,
        sigma: np.ndarray = SIGMA,
    ) -> None:
        self.schedule, self.prediction, self.fraction = schedule, prediction, fraction
        self.mean, self.sigma = Buffer(mean), Buffer(sigma)

    def forward(self, xt: Any, t: Any) -> Any:
        signal, noise = (self.schedule.at(name, t, xt) for name in ("signal", "noise"))
        mean, sigma = (x.data.astype(xt.dtype) for x in (self.mean, self.sigma))
        eps = noise * (xt - signal * mean) / (signal**2 * sigma**2 + noise**2)
        x0 = x0_from_prediction("noise", self.schedule, eps, xt, t)
        predicted = prediction_target(self.prediction, self.schedule, x0, eps, t)
        if self.fraction is None:
            return predicted
        return sg.cat([predicted, predicted * 0 + self.fraction], axis=1)


class Unit(Module):
    """One number that a sampler takes the dtype float64 from."""

    def __init__(self, inner: Module) -> None:
        self.inner = inner
        self.unit = sg.nn.Parameter(np.ones(1))

    def forward(self, *args: Any) -> Any:
        return self.inner(*args) * self.unit


def exact(
    schedule: Schedule, prediction: str = "noise", fraction: float | None = None, **options: Any
) -> DDPM:
    """A DDPM in float64 whose network is exact for N(MEAN, SIGMA^2)."""
    mean, sigma = options.pop("mean", MEAN), options.pop("sigma", SIGMA)
    network = Unit(ExactNoise(schedule, prediction, fraction, mean, sigma))
    if fraction is not None:
        options["variance"] = "learned"
    return DDPM(network, schedule, (len(mean),), prediction=prediction, **options)


def draw(n: int, seed: int = 0) -> Any:
    """`n` examples of N(MEAN, SIGMA^2), float64, on the device under test."""
    return sg.asarray(MEAN + SIGMA * np.random.default_rng(seed).normal(size=(n, len(MEAN))))


def column(values: np.ndarray, t: np.ndarray) -> np.ndarray:
    """The entries of steps t, (batch, 1)."""
    return values[np.asarray(t) - 1][:, None]
