"""DDIM: the same network, fewer steps, and as little new noise as one likes (Song et al. 2020).

The loss only ever looks at q(x_t|x_0), and other processes than the step-by-step one have the same. In one
of them x_s, for any s < t, is made of what the network predicts and of sigma fresh noise z:

    x_s = sqrt(alpha_bar_s) x_0 + sqrt(1 - alpha_bar_s - sigma^2) eps + sigma z                  (ddim-step)
    sigma = eta sqrt((1 - alpha_bar_s) / (1 - alpha_bar_t)) sqrt(1 - alpha_bar_t / alpha_bar_s)  (ddim-sigma)

(their eq. 12 and 16). With eta = 0 all is decided by the first noise. With eta = 1 and s = t - 1 it is the
step of DDPM with the small variance,

    sqrt(alpha_bar_(t-1)) x_0 + sqrt(1 - alpha_bar_(t-1) - sigma^2) eps  =  mean of q(x_(t-1)|x_t, x_0),
    sigma^2  =  its variance.                                                                 (ddim-is-ddpm)

The last step leads to s = 0, where alpha_bar_0 = 1: x_0 as predicted, and no noise.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...nn.module import check_size
from .schedule import Schedule


def ddim_times(T: int, steps: int) -> list[int]:
    """`steps` + 1 times evenly from T down to 0.

    Examples
    --------
    >>> ddim_times(1000, 4)
    [1000, 750, 500, 250, 0]
    """
    check_size("T", T)
    if check_size("steps", steps) > T:
        raise ValueError(f"steps: got {steps}, expected at most T = {T}: the network knows no times between")
    return [round(t) for t in np.linspace(T, 0, steps + 1).tolist()]


def ddim_sigma(schedule: Schedule, t: int, s: int, eta: float) -> float:
    """The standard deviation of the new noise in the step from t to s < t: equation ddim-sigma."""
    at_t, at_s = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
    return eta * math.sqrt((1 - at_s) / (1 - at_t) * (1 - at_t / at_s))


def ddim_step(schedule: Schedule, x0: Any, eps: Any, z: Any, t: int, s: int, eta: float) -> Any:
    """x_s from the predicted `x0` and `eps`, at time t, and fresh noise `z`: equation ddim-step."""
    sigma = ddim_sigma(schedule, t, s, eta)
    at_s = schedule.alpha_bar_at(s)
    # Rounding may carry 1 - alpha_bar_s - sigma^2 below 0 where eta = 1 leaves nothing of the old noise.
    direction = math.sqrt(max(1 - at_s - sigma**2, 0.0))
    mean = x0 * math.sqrt(at_s) + eps * direction
    return mean + z * sigma if sigma else mean
