"""What the network predicts: the noise, the data, or a mixture of both. Each can be had from each other.

Since x_t is known, the noise eps and the data x_0 determine one another:

    x_0 = (x_t - sqrt(1 - alpha_bar_t) eps) / sqrt(alpha_bar_t)                         (ddpm-x0-from-noise)

To predict eps is easy at large t, where x_t is nearly nothing else, and an error in it is an error in x_0
multiplied by sqrt(1/SNR); to predict x_0 is the other way round. Between the two is (Salimans & Ho 2022)

    v = sqrt(alpha_bar_t) eps - sqrt(1 - alpha_bar_t) x_0,
    x_0 = sqrt(alpha_bar_t) x_t - sqrt(1 - alpha_bar_t) v,                               (ddpm-v-prediction)

x_t turned by a right angle in the plane of x_0 and eps. The noise is also the score, up to its scale:

    grad log q(x_t) = -E[eps|x_t] / sqrt(1 - alpha_bar_t)                                       (ddpm-score)

The loss is the squared error of whatever is predicted, summed over an example's dimensions, for a t drawn
evenly from 1 .. T (Ho et al. 2020, eq. 14, where the sum is a mean):

    L_simple = E_t |target - prediction|^2                                                (ddpm-simple-loss)

The bound on the likelihood weighs the same squared errors by

    w_t = beta_t^2 / (2 sigma_t^2 alpha_t (1 - alpha_bar_t))   for eps;                   (ddpm-loss-weight)

for v times alpha_bar_t, and for x_0 times SNR(t), since these are the squared ratios of the errors.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backend import Array
from .schedule import Schedule

PREDICTIONS = ("noise", "x0", "v")


def prediction_target(prediction: str, schedule: Schedule, x0: Any, eps: Any, t: Array) -> Any:
    """What the network ought to say, of the shape of `x0`: eps, x0 or v."""
    if prediction == "noise":
        return eps
    if prediction == "x0":
        return x0
    return eps * schedule.at("signal", t, x0) - x0 * schedule.at("noise", t, x0)


def x0_from_prediction(prediction: str, schedule: Schedule, predicted: Any, xt: Any, t: Array) -> Any:
    """The x_0 that a prediction means, given x_t: equations ddpm-x0-from-noise and ddpm-v-prediction."""
    if prediction == "x0":
        return predicted
    signal, noise = schedule.at("signal", t, xt), schedule.at("noise", t, xt)
    if prediction == "noise":
        return (xt - predicted * noise) / signal
    return xt * signal - predicted * noise


def noise_from_x0(schedule: Schedule, x0: Any, xt: Any, t: Array) -> Any:
    """The eps with which `x0` becomes `xt`: equation ddpm-q-sample, solved for it."""
    return (xt - x0 * schedule.at("signal", t, xt)) / schedule.at("noise", t, xt)


def score(schedule: Schedule, eps: Any, t: Array) -> Any:
    """The gradient of log q(x_t) by x_t that the noise `eps` means: equation ddpm-score."""
    return -eps / schedule.at("noise", t, eps)


def bound_weight(prediction: str, schedule: Schedule, variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """w_t: the bound's term t >= 2 is w_t times the squared error, plus what does not depend on the network.

    Parameters
    ----------
    prediction : {"noise", "x0", "v"}
    schedule : Schedule
    variance : array, shape (T,)
        sigma_t^2 of the reverse process.

    Returns
    -------
    array, shape (T,)
        Equation ddpm-loss-weight.
    """
    with np.errstate(divide="ignore"):  # a variance of 0, at t = 1
        weight = schedule.beta**2 / (2 * variance * schedule.alpha * (1 - schedule.alpha_bar))
    factor = {"noise": 1.0, "x0": schedule.snr, "v": schedule.alpha_bar}[prediction]
    return weight * factor
