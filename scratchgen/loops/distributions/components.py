"""Every vector under every component, without an array that has both and their elements."""

from __future__ import annotations

import numpy as np

from ...backend.compiled import loop
from ...backend.threads import count_pieces, parallel_for
from ...distributions.normal import LOG_2PI, inverse_sigma
from ..elementwise import SLICE, SMALL
from ..maths import f32


def component_log_probs(x, mean, log_var):
    if len(x) * mean.size <= SMALL:
        return NotImplemented
    scale, constant = inverse_sigma(log_var), log_var.sum(axis=1) + f32(LOG_2PI * mean.shape[1])
    y = np.empty((len(x), len(mean)), np.float32)
    densities(*map(np.ascontiguousarray, (x, mean, scale)), constant, y)
    return y


def component_shares(g, y, x, mean, log_var):
    if len(x) * mean.size <= SMALL:
        return NotImplemented
    g, x, mean = map(np.ascontiguousarray, (g, x, mean))
    scale, down = np.ascontiguousarray(inverse_sigma(log_var)), np.ascontiguousarray(g.T)
    by_x, by_mean, by_log_var = np.zeros_like(x), np.zeros_like(mean), np.zeros_like(mean)
    shares(g, down, x, mean, scale, by_x, by_mean, by_log_var)
    return by_x, by_mean, by_log_var


@loop
def densities(x, mean, scale, constant, y):
    pieces = count_pieces(y.size * x.shape[1], 2 * SLICE)
    parallel_for(densities_piece, pieces, (pieces, x, mean, scale, constant, y))


@loop
def densities_piece(i, pieces, x, mean, scale, constant, y):
    for n in range(i * len(x) // pieces, (i + 1) * len(x) // pieces):
        row, out = x[n], y[n]
        for k in range(len(mean)):
            centre, narrow = mean[k], scale[k]
            square = f32(0)
            for d in range(row.size):
                u = (row[d] - centre[d]) * narrow[d]
                square += u * u
            out[k] = f32(-0.5) * (square + constant[k])


@loop
def shares(g, down, x, mean, scale, by_x, by_mean, by_log_var):
    pieces = count_pieces(g.size * x.shape[1], 2 * SLICE)
    parallel_for(by_x_piece, pieces, (pieces, g, x, mean, scale, by_x))
    parallel_for(by_component_piece, pieces, (pieces, down, x, mean, scale, by_mean, by_log_var))


@loop
def by_x_piece(i, pieces, g, x, mean, scale, by_x):
    for n in range(i * len(x) // pieces, (i + 1) * len(x) // pieces):
        row, weight, out = x[n], g[n], by_x[n]
        for k in range(len(mean)):
            centre, narrow, w = mean[k], scale[k], weight[k]
            for d in range(row.size):
                out[d] -= w * ((row[d] - centre[d]) * narrow[d] * narrow[d])


@loop
def by_component_piece(i, pieces, down, x, mean, scale, by_mean, by_log_var):
    for k in range(i * len(mean) // pieces, (i + 1) * len(mean) // pieces):
        centre, narrow, weight, pull, width = mean[k], scale[k], down[k], by_mean[k], by_log_var[k]
        for n in range(len(x)):
            row, w = x[n], weight[n]
            for d in range(row.size):
                u = (row[d] - centre[d]) * narrow[d]
                pull[d] += w * (u * narrow[d])
                width[d] += w * (f32(0.5) * (u * u - f32(1)))
