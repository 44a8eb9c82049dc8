"""Sampling: from pure noise back to data, one step after another.

One step back is p(x_(t-1)|x_t) = N(mean, sigma_t^2 I). Its mean is that of q(x_(t-1)|x_t, x_0) at the x_0
that the network predicts; in terms of the noise that it predicts (Ho et al. 2020, eq. 11),

    mean = (x_t - beta_t / sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_t).                (ddpm-mean-from-noise)

For the variance there are two natural choices: that of the posterior, right if the data are a single point,

    sigma_t^2 = beta_t (1 - alpha_bar_(t-1)) / (1 - alpha_bar_t),                         (ddpm-fixed-small)

and that of the step itself, right if the data are N(0, I):

    sigma_t^2 = beta_t.                                                                   (ddpm-fixed-large)

Data of variance 1 lie between, on average, so the network may choose, for each dimension, the share f of the
one and 1 - f of the other (Nichol & Dhariwal 2021, eq. 15):

    sigma_t^2 = exp(f log beta_t + (1 - f) log(beta_t (1 - alpha_bar_(t-1)) / (1 - alpha_bar_t)))
                                                                                     (ddpm-learned-variance)

The small variance is 0 at t = 1, where it takes the number of t = 2. No noise is added in that last step
anyhow; but the likelihood of the data, p(x_0|x_1), has this variance. From x_T ~ N(0, I) all T steps give

    x_(t-1) = mean(x_t, t) + sigma_t z,   z ~ N(0, I), but z = 0 at t = 1,                (ddpm-sample-step)

since what is left at the end should be the image that the network sees, not a noisy one (Ho et al. 2020,
algorithm 2).

DDIM goes the same way by fewer steps, and with as little new noise as one likes (Song et al. 2020). The loss
only ever looks at q(x_t|x_0), and other processes than the step-by-step one have the same. In one of them
x_s, for any s < t, is made of what the network predicts and of sigma fresh noise z:

    x_s = sqrt(alpha_bar_s) x_0 + sqrt(1 - alpha_bar_s - sigma^2) eps + sigma z                  (ddim-step)
    sigma = eta sqrt((1 - alpha_bar_s) / (1 - alpha_bar_t)) sqrt(1 - alpha_bar_t / alpha_bar_s)  (ddim-sigma)

(their eq. 12 and 16). With eta = 0 all is decided by the first noise. With eta = 1 and s = t - 1 it is the
step of DDPM with the small variance,

    sqrt(alpha_bar_(t-1)) x_0 + sqrt(1 - alpha_bar_(t-1) - sigma^2) eps  =  mean of q(x_(t-1)|x_t, x_0),
    sigma^2  =  its variance.                                                                 (ddim-is-ddpm)

The last step leads to s = 0, where alpha_bar_0 = 1: x_0 as predicted, and no noise.

A network that knows the label of an image, or none, tells by the difference of the two what is typical of the
class. Classifier-free guidance exaggerates it (Ho & Salimans 2022, eq. 6):

    eps = (1 + w) eps(x_t, t, label) - w eps(x_t, t, none)                                        (guidance)

With w = 0 the label is merely given; with w = -1 it is ignored; w > 0 makes images more typical, and less
various. (Elsewhere the weight is 1 + w.)
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ...backend import Array, RandomStream, checks
from .process import Predict, noise_from_x0, posterior_mean
from .schedule import Schedule

VARIANCES = ("fixed-small", "fixed-large", "learned")


def ddpm_path(
    schedule: Schedule, predict: Predict, x: Array, rng: RandomStream
) -> Iterator[tuple[int, Array]]:
    """``(T, x_T), ..., (0, x_0)`` by all T steps, equation ddpm-sample-step, from the noise `x`."""
    yield schedule.steps, x
    for t in range(schedule.steps, 0, -1):
        x0, log_var = predict(x, t)
        x = posterior_mean(schedule, x0, x, t)  # (ddpm-sample-step)
        if t > 1:
            x = x + np.exp(log_var * 0.5) * rng.normal(x.shape, x.dtype)  # (ddpm-sample-step)
        yield t - 1, x


def ddim_path(
    schedule: Schedule, predict: Predict, x: Array, rng: RandomStream, steps: int, eta: float
) -> Iterator[tuple[int, Array]]:
    """``(T, x_T), ..., (0, x_0)`` by so many steps, equation ddim-step, from the noise `x`."""
    yield schedule.steps, x
    for t, s in pairwise(ddim_times(schedule.steps, steps)):
        x0, _ = predict(x, t)
        eps = noise_from_x0(schedule, x0, x, t)
        z = rng.normal(x.shape, x.dtype) if s and eta else None
        x = ddim_step(schedule, x0, eps, z, t, s, eta)
        yield s, x


def reverse_log_var(variance: str, schedule: Schedule, fraction: Any, t: Any, like: Any) -> Any:
    """log sigma_t^2: (batch, 1, ...), or of the shape of `fraction`, which is f, if the network chooses."""
    small = schedule.at("log_posterior_variance_clipped", t, like)
    if variance == "fixed-small":
        return small  # (ddpm-fixed-small)
    large = schedule.at("log_beta", t, like)
    if variance == "fixed-large":
        return large  # (ddpm-fixed-large)
    return fraction * (large - small) + small  # (ddpm-learned-variance)


def mean_from_noise(schedule: Schedule, eps: Any, xt: Any, t: Any) -> Any:
    """The mean of the step back, from the noise: equation ddpm-mean-from-noise."""
    share = schedule.at("beta", t, xt) / schedule.at("noise", t, xt)
    return (xt - eps * share) / schedule.at("alpha", t, xt) ** 0.5  # (ddpm-mean-from-noise)


def ddim_times(T: int, steps: int) -> list[int]:
    """`steps` + 1 times evenly from T down to 0.

    Examples
    --------
    >>> ddim_times(1000, 4)
    [1000, 750, 500, 250, 0]
    """
    T = checks.whole("T", T)
    steps = checks.whole("steps", steps, 1, T)
    times = np.linspace(T, 0, steps + 1)  # (ddim-times)
    return [round(t) for t in times.tolist()]  # (ddim-times)


def ddim_sigma(schedule: Schedule, t: int, s: int, eta: float) -> float:
    """The standard deviation of the new noise in the step from t to s < t: equation ddim-sigma."""
    at_t, at_s = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
    return eta * math.sqrt((1 - at_s) / (1 - at_t) * (1 - at_t / at_s))  # (ddim-sigma)


def ddim_step(schedule: Schedule, x0: Any, eps: Any, z: Any, t: int, s: int, eta: float) -> Any:
    """x_s from the predicted `x0` and `eps`, at time t, and fresh noise `z`: equation ddim-step."""
    sigma = ddim_sigma(schedule, t, s, eta)
    at_s = schedule.alpha_bar_at(s)
    # Rounding may carry 1 - alpha_bar_s - sigma^2 below 0 where eta = 1 leaves nothing of the old noise.
    direction = math.sqrt(max(1 - at_s - sigma**2, 0.0))  # (ddim-step) (ddim-is-ddpm)
    mean = x0 * math.sqrt(at_s) + eps * direction  # (ddim-step) (ddim-is-ddpm)
    return mean + z * sigma if sigma else mean  # (ddim-step)


def guided(with_label: Any, without: Any, weight: float) -> Any:
    """Equation guidance: ``(1 + w) with_label - w without``."""
    return with_label * (1 + weight) - without * weight  # (guidance)
