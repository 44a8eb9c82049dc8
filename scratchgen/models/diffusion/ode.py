"""The probability flow: the way back without noise, as a differential equation, and the likelihood it has.

With signal a = sqrt(alpha_bar_t) and noise s = sqrt(1 - alpha_bar_t), x_t = a x_0 + s eps, a^2 + s^2 = 1: a
and s are the cosine and the sine of an angle phi, which grows from about 0 (data) to about pi/2 (noise). A
point that moves with the mean velocity of all the examples that pass where it is,

    dx/dphi = v(x, phi) = E[a eps - s x_0 | x_t = x] = (a x - E[x_0|x]) / s,                    (ode-velocity)

has at each angle the same distribution as x_t (Song et al. 2021b, section 4.3; this velocity is the v of
Salimans & Ho 2022). No noise is drawn, so a path is as smooth as the network, and large steps do little harm.

What is known of the equation need not be approximated. In the time lambda = log(a / s), half of log SNR, it
is linear in x but for what the network sees,

    d(x / s)/dlambda = e^lambda E[x_0|x],

so a step from t to t', over h = lambda' - lambda, is exact but for how E[x_0|x] changes meanwhile, if x0_mean
is its mean with the weight d(e^lambda), where e^lambda = cot phi:

    x' = (s' / s) x + a' (1 - e^(-h)) x0_mean.                                                      (ode-step)

With E[x_0|x] as it is at t, that is DDIM without noise, of first order. If E[x_0|x] goes on as it did since
the step before, from the angle phi_b, in a straight line over the angle, x0_mean is its value at the mean
angle,

    x0_mean = x_0(phi) + (x_0(phi) - x_0(phi_b)) (m - phi) / (phi - phi_b),                (ode-extrapolation)
    m = (F(phi') - F(phi)) / (cot phi' - cot phi),   F(phi) = phi cot phi - log sin phi,      (ode-mean-angle)

and with one evaluation for each step the order is the second. (DPM-Solver++(2M) of Lu et al. 2022 is the same
with a straight line over lambda, which is infinite at both ends.)

The last step leads to alpha_bar_0 = 1, where h is infinite: x_0 as predicted.

Paths do not cross, so the flow has an inverse, and the density that it carries changes by how much it
spreads. Followed from data at t = 1 to noise at t = T,

    log p(x_1) = log N(x_T; 0, I) + integral of div v dphi,                                     (ode-log-prob)

and a density of x_0, blurred by as much noise as the finest step has, is that of x_0 = x_1 / a_1:

    log p(x_0) = log p(x_1 = a_1 x_0) + D log a_1.                                               (ode-blurred)

The divergence is the trace of a Jacobian: exact by D backward passes, one for each coordinate; or, where D is
large, estimated from a few random directions e of signs (Hutchinson 1989; Grathwohl et al. 2019),

    div v = E_e [e^T (dv/dx) e],   E e e^T = I.                                               (ode-hutchinson)
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...autograd import Tensor, grad, raw
from ...backend import Array, RandomStream, asarray, checks
from ...distributions import sum_per_example
from .process import Predict
from .schedule import Schedule

Guess = Callable[[Any, int], Any]
"""``guess(x_t, t)``: the x_0 that a network sees in x_t, as a Tensor if x_t is one."""


def velocity(schedule: Schedule, x0: Any, xt: Any, t: Any) -> Any:
    """dx/dphi at x_t, in which the network sees `x0`: equation ode-velocity."""
    return (xt * schedule.at("signal", t, xt) - x0) / schedule.at("noise", t, xt)  # (ode-velocity)


def ode_step(schedule: Schedule, x0: Any, xt: Any, t: int, s: int) -> Any:
    """x_s from x_t, for s < t, where `x0` is the mean of what is seen on the way: equation ode-step."""
    at_t, at_s = schedule.alpha_bar_at(t), schedule.alpha_bar_at(s)
    shrunk = math.sqrt((1 - at_s) / (1 - at_t))
    # a' e^(-h) = s' a / s, which is 0 at s = 0, where h is infinite.
    return xt * shrunk + x0 * (math.sqrt(at_s) - shrunk * math.sqrt(at_t))  # (ode-step)


def mean_angle(start: float, end: float) -> float:
    """The mean of the angles between two in (0, pi), with the weight d(cot phi): equation ode-mean-angle."""

    def integral(phi: float) -> float:
        return phi / math.tan(phi) - math.log(math.sin(phi))  # (ode-mean-angle)

    return (integral(end) - integral(start)) / (1 / math.tan(end) - 1 / math.tan(start))  # (ode-mean-angle)


def ode_path(
    schedule: Schedule, predict: Predict, x: Array, steps: int, order: int = 2
) -> Iterator[tuple[int, Array]]:
    """``(T, x_T), ..., (0, x_0)`` by so many steps from the noise `x`, with one evaluation for each.

    Parameters
    ----------
    schedule : Schedule
    predict : callable
        ``predict(x_t, t)``: the x_0 that the network sees, and what is not used here.
    x : array, shape (batch, ...)
    steps : int
        Of 1 .. T, as `ode_times` places them.
    order : {1, 2}
        1 leaves equation ode-extrapolation out: DDIM without noise, at these times.
    """
    yield schedule.steps, x
    phi, before = angles(schedule), None
    for t, s in pairwise(ode_times(schedule, steps)):
        x0, _ = predict(x, t)
        mean = x0
        if order == 2 and before is not None and s:
            ahead = (mean_angle(phi[t], phi[s]) - phi[t]) / (phi[t] - before[1])  # (ode-extrapolation)
            mean = x0 + (x0 - before[0]) * float(ahead)  # (ode-extrapolation)
        x, before = ode_step(schedule, mean, x, t, s), (x0, phi[t])
        yield s, x


def ode_log_prob(
    schedule: Schedule, guess: Guess, x0: Array, steps: int, probes: Array | None = None
) -> tuple[Array, Array]:
    """log p(x_0) by the probability flow, equations ode-log-prob and ode-blurred; and the noise it leads to.

    Between two times both the point and the integral go by Heun's rule, the mean of the slopes at both ends.

    Parameters
    ----------
    schedule : Schedule
    guess : callable
        ``guess(x_t, t)``, differentiable, and of each example by itself.
    x0 : array, shape (batch, ...)
    steps : int
        Between t = 1 and T.
    probes : array, shape (k, batch, ...), optional
        Directions e of equation ode-hutchinson. The divergence is exact without them.

    Returns
    -------
    log_prob : array, shape (batch,)
        In nats.
    xT : array, shape (batch, ...)
    """
    x = x0 * math.sqrt(schedule.alpha_bar_at(1))
    total = 0.5 * math.prod(x0.shape[1:]) * math.log(schedule.alpha_bar_at(1))  # (ode-blurred)
    phi = angles(schedule)
    for t, s in pairwise(reversed(ode_times(schedule, steps, last=1))):
        width = float(phi[s] - phi[t])
        slope, spread = _slope_and_spread(schedule, guess, x, t, probes)
        slope_after, spread_after = _slope_and_spread(schedule, guess, x + slope * width, s, probes)
        x = x + (slope + slope_after) * (width / 2)
        total = total + (spread + spread_after) * (width / 2)  # (ode-log-prob)
    log_normal = -0.5 * sum_per_example(x * x + math.log(2 * math.pi))
    return total + log_normal, x  # (ode-log-prob)


def angles(schedule: Schedule) -> NDArray[np.float64]:
    """phi at t = 0 .. T, whose cosine is the signal and whose sine is the noise: (T + 1,), from 0 up."""
    return np.append(0.0, np.arctan2(schedule.noise, schedule.signal))


def ode_times(schedule: Schedule, steps: int, last: int = 0) -> list[int]:
    """`steps` + 1 times from T down to `last`, which is 0 or 1, dense where the data are near.

    There details are decided, and the flow turns sharply. Angles grow from that of t = 1 as squares, as far
    as whole times allow: ``phi_i = phi(1) + (phi(T) - phi(1)) (i / steps)^2``.

    Examples
    --------
    >>> ode_times(Schedule([0.1] * 20), 4)
    [20, 7, 3, 1, 0]
    """
    count = np.arange(checks.whole("steps", steps, 1, schedule.steps - last) + 1)
    phi = angles(schedule)[1:]
    wanted = phi[0] + (phi[-1] - phi[0]) * (count / steps) ** 2
    near = np.abs(phi[:, None] - wanted).argmin(axis=0) + 1
    times = [last]
    for i, t in enumerate(near[1:], 1):  # no time twice, and none above T
        times.append(min(max(int(t), times[-1] + 1), schedule.steps - steps + i))
    return times[::-1]


def _slope_and_spread(
    schedule: Schedule, guess: Guess, x: Array, t: int, probes: Array | None
) -> tuple[Array, Array]:
    """v at x, and its divergence: (batch, ...) and (batch,), raw."""
    point = Tensor(x, requires_grad=True)
    v = velocity(schedule, guess(point, t), point, t)
    if probes is not None:
        products = [sum_per_example(_pulled(v, point, e) * e) for e in probes]
        return raw(v), sum(products) / len(products)  # (ode-hutchinson)
    size = math.prod(x.shape[1:])
    spread: Any = 0.0
    for d in range(size):
        unit = np.zeros(size, x.dtype)
        unit[d] = 1
        e = np.broadcast_to(asarray(unit.reshape(x.shape[1:])), x.shape)
        spread = spread + sum_per_example(_pulled(v, point, e) * e)
    return raw(v), spread


def _pulled(v: Any, point: Tensor, e: Array) -> Array:
    """e^T dv/dx of each example, of the shape of x."""
    (pulled,) = grad(v, [point], e)
    return pulled


def signs(rng: RandomStream, count: int, like: Array) -> Array:
    """Random signs, each of the same probability: (count, *like.shape)."""
    shape = (count, *like.shape)
    return asarray(np.where(rng.uniform(shape, like.dtype, batch_axis=1) < 0.5, -1, 1).astype(like.dtype))
