"""One step back: p(x_(t-1)|x_t) = N(mean, variance I), whose mean and variance come from the network.

The mean is that of q(x_(t-1)|x_t, x_0) at the x_0 that the network predicts. In terms of its noise (Ho et al.
2020, eq. 11):

    mean = (x_t - beta_t / sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_t)                 (ddpm-mean-from-noise)

For the variance there are two natural choices: that of the posterior, right if the data are a single point,

    sigma_t^2 = beta_t (1 - alpha_bar_(t-1)) / (1 - alpha_bar_t),                         (ddpm-fixed-small)

and that of the step itself, right if the data are N(0, I):

    sigma_t^2 = beta_t.                                                                   (ddpm-fixed-large)

All else lies between, so the network may choose, for each dimension, the share f of the one and 1 - f of the
other (Nichol & Dhariwal 2021, eq. 15):

    sigma_t^2 = exp(f log beta_t + (1 - f) log(beta_t (1 - alpha_bar_(t-1)) / (1 - alpha_bar_t)))
                                                                                     (ddpm-learned-variance)

The small variance is 0 at t = 1, where it takes the number of t = 2. No noise is added in that last step
anyhow; but the likelihood of the data, p(x_0|x_1), has this variance.
"""

from __future__ import annotations

from typing import Any

from ...backend import Array
from .schedule import Schedule

VARIANCES = ("fixed-small", "fixed-large", "learned")


def reverse_log_var(variance: str, schedule: Schedule, fraction: Any, t: Array, like: Any) -> Any:
    """log sigma_t^2: (batch, 1, ...), or of the shape of `fraction`, which is f, if the network chooses."""
    small = schedule.at("log_posterior_variance_clipped", t, like)
    if variance == "fixed-small":
        return small
    large = schedule.at("log_beta", t, like)
    if variance == "fixed-large":
        return large
    return fraction * (large - small) + small


def mean_from_noise(schedule: Schedule, eps: Any, xt: Any, t: Array) -> Any:
    """The mean of the step back, from the noise: equation ddpm-mean-from-noise."""
    share = schedule.at("beta", t, xt) / schedule.at("noise", t, xt)
    return (xt - eps * share) / schedule.at("alpha", t, xt) ** 0.5
