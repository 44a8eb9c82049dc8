"""Sampling: from pure noise back to data, one step after another.

From x_T ~ N(0, I), each of the T steps draws x_(t-1) from p(x_(t-1)|x_t),

    x_(t-1) = mean(x_t, t) + sigma_t z,   z ~ N(0, I), but z = 0 at t = 1,                (ddpm-sample-step)

since what is left at the end should be the image that the network sees, not a noisy one (Ho et al. 2020,
algorithm 2). DDIM goes the same way by other steps.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import numpy as np

from ...autograd import exp, no_grad, raw
from ...backend import Array, RandomStream
from ...nn.module import evaluating
from .ddim import ddim_step
from .denoiser import Denoiser
from .inputs import check_times
from .prediction import noise_from_x0
from .process import posterior_mean
from .reverse import reverse_log_var


def steps_back(
    model: Denoiser,
    n: int,
    rng: RandomStream,
    times: list[int],
    eta: float | None,
    labels: Array | None,
    guidance: float,
) -> Iterator[tuple[int, Array]]:
    """The pairs (t, x_t) for each of the `times`, which fall from T to 0; x_t is raw, (n, *shape).

    Without `eta` these are DDPM's steps, from each t to t - 1; with it DDIM's.
    """
    dtype = next((p.dtype for p in model.parameters()), np.dtype(np.float32))
    x = rng.normal((n, *model.shape), dtype)
    yield times[0], x
    for t, s in pairwise(times):
        z = rng.normal(x.shape, dtype) if s and eta != 0 else np.zeros_like(x)  # none in the last step
        with no_grad(), evaluating(model):
            x = raw(_step_back(model, x, z, t, s, eta, labels, guidance)) if n else x
        yield s, x


def _step_back(
    model: Denoiser,
    x: Array,
    z: Array,
    t: int,
    s: int,
    eta: float | None,
    labels: Array | None,
    guidance: float,
) -> Any:
    """x_s from x_t and fresh noise `z`."""
    schedule, times = model.schedule, check_times(t, model.schedule.steps, len(x))
    x0, fraction = model.predict(x, times, labels, guidance)
    if eta is not None:
        return ddim_step(schedule, x0, noise_from_x0(schedule, x0, x, times), z, t, s, eta)
    log_var = reverse_log_var(model.variance, schedule, fraction, times, x)
    return posterior_mean(schedule, x0, x, times) + exp(log_var * 0.5) * z


def last(path: Iterator[tuple[int, Array]]) -> Array:
    """The x_0 at the end of a reverse process."""
    return deque(path, maxlen=1)[0][1]
