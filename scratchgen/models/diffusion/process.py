"""The forward process: data become noise in T small steps, none of which has anything to learn.

One step scales an example down a little and adds a little noise,

    q(x_t|x_(t-1)) = N(sqrt(1 - beta_t) x_(t-1), beta_t I).                              (ddpm-forward-step)

Sums of independent Gaussians are Gaussian, so t steps are as easy as one:

    x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps,   eps ~ N(0, I).                (ddpm-q-sample)

And by Bayes' rule, if x_0 is known the way back is Gaussian too, q(x_(t-1)|x_t, x_0) = N(mean, variance I):

    mean = (sqrt(alpha_bar_(t-1)) beta_t x_0 + sqrt(alpha_t) (1 - alpha_bar_(t-1)) x_t)
           / (1 - alpha_bar_t)                                                         (ddpm-posterior-mean)
    variance = beta_t (1 - alpha_bar_(t-1)) / (1 - alpha_bar_t)                    (ddpm-posterior-variance)

(Ho et al. 2020, eq. 2, 4, 6 and 7.) At t = 1 the variance is 0, and the mean x_0 itself.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import Array
from ...distributions import Normal
from .schedule import Schedule


def q_step(schedule: Schedule, before: Any, t: Array) -> Normal:
    """q(x_t|x_(t-1)), equation ddpm-forward-step, of the shape of `before`, which is x_(t-1)."""
    beta = schedule.at("beta", t, before)
    return Normal(before * np.sqrt(1 - beta), schedule.at("log_beta", t, before))


def q_sample(schedule: Schedule, x0: Any, t: Array, eps: Any) -> Any:
    """x_t from x_0 and the noise `eps`, both (batch, ...): equation ddpm-q-sample."""
    return x0 * schedule.at("signal", t, x0) + eps * schedule.at("noise", t, x0)


def q_posterior(schedule: Schedule, x0: Any, xt: Any, t: Array) -> Normal:
    """q(x_(t-1)|x_t, x_0), equations ddpm-posterior-mean and ddpm-posterior-variance.

    At t = 1 its `log_var` is minus infinity: x_0 is what it is.
    """
    return Normal(posterior_mean(schedule, x0, xt, t), schedule.at("log_posterior_variance", t, xt))


def posterior_mean(schedule: Schedule, x0: Any, xt: Any, t: Array) -> Any:
    """Equation ddpm-posterior-mean alone."""
    return x0 * schedule.at("posterior_x0_share", t, xt) + xt * schedule.at("posterior_xt_share", t, xt)
