"""The normal log-density and its derivative in one pass, where one variance serves all numbers."""

from __future__ import annotations

import math

from ...backend.compiled import loop
from ...backend.threads import parallel_slices
from ..elementwise import SLICE, mapped
from ..maths import exp, f32

LOG_2PI = math.log(2 * math.pi)
MODERATE = 80  # of |log sigma^2|: 1 / sigma^2 is a number, so it does not matter what is multiplied first


def normal_log_prob(x, mean, log_var):
    if x.shape != mean.shape or log_var.ndim or not abs(log_var) <= MODERATE:
        return NotImplemented
    return mapped(densities, x, mean, number=log_var)


def pull_to_mean(g, x, mean, log_var):
    if not x.shape == mean.shape == g.shape or log_var.ndim or not abs(log_var) <= MODERATE:
        return NotImplemented
    return mapped(pulls, x, mean, g, number=log_var)


@loop
def densities(x, mean, log_var, y):
    scale = exp(f32(-0.5) * log_var)
    parallel_slices(densities_slice, 2 * SLICE, (x, mean, scale, log_var + f32(LOG_2PI), y))


@loop
def densities_slice(x, mean, scale, constant, y):
    for i in range(x.size):
        u = (x[i] - mean[i]) * scale
        y[i] = f32(-0.5) * (u * u + constant)


@loop
def pulls(x, mean, g, log_var, y):
    parallel_slices(pulls_slice, 2 * SLICE, (x, mean, g, exp(-log_var), y))


@loop
def pulls_slice(x, mean, g, scale, y):
    for i in range(x.size):
        y[i] = g[i] * ((x[i] - mean[i]) * scale)
