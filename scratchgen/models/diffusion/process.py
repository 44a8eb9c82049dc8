"""The process: data become noise in T small steps, none of which has anything to learn.

One step scales an example down a little and adds a little noise,

    q(x_t|x_(t-1)) = N(sqrt(1 - beta_t) x_(t-1), beta_t I).                              (ddpm-forward-step)

Sums of independent Gaussians are Gaussian, so t steps are as easy as one:

    x_t = sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps,   eps ~ N(0, I).                (ddpm-q-sample)

And by Bayes' rule, if x_0 is known the way back is Gaussian too, q(x_(t-1)|x_t, x_0) = N(mean, variance I):

    mean = (sqrt(alpha_bar_(t-1)) beta_t x_0 + sqrt(alpha_t) (1 - alpha_bar_(t-1)) x_t)
           / (1 - alpha_bar_t)                                                         (ddpm-posterior-mean)
    variance = beta_t (1 - alpha_bar_(t-1)) / (1 - alpha_bar_t)                    (ddpm-posterior-variance)

(Ho et al. 2020, eq. 2, 4, 6 and 7.) At t = 1 the variance is 0, and the mean x_0 itself.

What is not known is x_0, and to guess it from x_t is all that a network has to learn. Since x_t is known, x_0
and the noise eps in it determine one another:

    x_0 = (x_t - sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_bar_t)                         (ddpm-x0-from-noise)

To predict eps is easy at large t, where x_t is nearly nothing else, and an error in it is an error in x_0
multiplied by sqrt(1/SNR); to predict x_0 is the other way round. Between the two is (Salimans & Ho 2022)

    v = sqrt(alpha_bar_t) eps - sqrt(1 - alpha_bar_t) x_0,                                   (ddpm-v-target)
    x_0 = sqrt(alpha_bar_t) x_t - sqrt(1 - alpha_bar_t) v,                               (ddpm-v-prediction)

x_t turned by a right angle in the plane of x_0 and eps. The noise is also the score, up to its scale:

    grad log q(x_t) = -E[eps|x_t] / sqrt(1 - alpha_bar_t)                                       (ddpm-score)
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ...backend import Array
from ...distributions import Normal
from .schedule import Schedule

PREDICTIONS = ("noise", "x0", "v")

Predict = Callable[[Array, Any], tuple[Array, Array]]
"""``predict(x_t, t)``: the x_0 that a network sees in x_t, and log sigma_t^2 of one step back; raw arrays."""


def q_step(schedule: Schedule, before: Any, t: Any) -> Normal:
    """q(x_t|x_(t-1)), equation ddpm-forward-step, of the shape of `before`, which is x_(t-1)."""
    beta = schedule.at("beta", t, before)
    return Normal(before * np.sqrt(1 - beta), schedule.at("log_beta", t, before))  # (ddpm-forward-step)


def q_sample(schedule: Schedule, x0: Any, t: Any, eps: Any) -> Any:
    """x_t from x_0 and the noise `eps`, both (batch, ...): equation ddpm-q-sample."""
    return x0 * schedule.at("signal", t, x0) + eps * schedule.at("noise", t, x0)  # (ddpm-q-sample)


def q_posterior(schedule: Schedule, x0: Any, xt: Any, t: Any) -> Normal:
    """q(x_(t-1)|x_t, x_0), equations ddpm-posterior-mean and ddpm-posterior-variance.

    At t = 1 its `log_var` is minus infinity: x_0 is what it is.
    """
    return Normal(posterior_mean(schedule, x0, xt, t), schedule.at("log_posterior_variance", t, xt))


def posterior_mean(schedule: Schedule, x0: Any, xt: Any, t: Any) -> Any:
    """Equation ddpm-posterior-mean alone."""
    x0_share, xt_share = schedule.at("posterior_x0_share", t, xt), schedule.at("posterior_xt_share", t, xt)
    return x0 * x0_share + xt * xt_share  # (ddpm-posterior-mean)


def prediction_target(prediction: str, schedule: Schedule, x0: Any, eps: Any, t: Any) -> Any:
    """What a network ought to say, of the shape of `x0`: eps, x0 or v."""
    if prediction == "noise":
        return eps
    if prediction == "x0":
        return x0
    signal, noise = schedule.at("signal", t, x0), schedule.at("noise", t, x0)
    return eps * signal - x0 * noise  # (ddpm-v-target)


def x0_from_prediction(prediction: str, schedule: Schedule, predicted: Any, xt: Any, t: Any) -> Any:
    """The x_0 that a prediction means, given x_t: equations ddpm-x0-from-noise and ddpm-v-prediction."""
    if prediction == "x0":
        return predicted
    signal, noise = schedule.at("signal", t, xt), schedule.at("noise", t, xt)
    if prediction == "noise":
        return (xt - predicted * noise) / signal  # (ddpm-x0-from-noise)
    return xt * signal - predicted * noise  # (ddpm-v-prediction)


def noise_from_x0(schedule: Schedule, x0: Any, xt: Any, t: Any) -> Any:
    """The eps with which `x0` becomes `xt`: equation ddpm-noise-from-x0."""
    signal, noise = schedule.at("signal", t, xt), schedule.at("noise", t, xt)
    return (xt - x0 * signal) / noise  # (ddpm-noise-from-x0)


def score(schedule: Schedule, eps: Any, t: Any) -> Any:
    """The gradient of log q(x_t) by x_t that the noise `eps` means: equation ddpm-score."""
    return -eps / schedule.at("noise", t, eps)  # (ddpm-score)
