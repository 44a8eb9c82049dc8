"""Loops of the gate."""

from __future__ import annotations

import numpy as np

from ...backend.compiled import loop
from ...backend.layout import as_images, as_pixels
from ...backend.threads import parallel_slices
from ..maths import f32, sigmoid, tanh

SLICE = 1 << 13


def gate(a):
    half = a.shape[1] // 2
    pixels = as_pixels(a)
    y = np.empty((*pixels.shape[:2], half), np.float32)
    gates(pixels.reshape(y.shape[0] * y.shape[1], 2 * half), y.reshape(y.shape[0] * y.shape[1], half))
    return as_images(y, a[:, :half])


def gate_share(g, y, a):
    half = a.shape[1] // 2
    pixels, slopes = as_pixels(a), as_pixels(g)
    out = np.empty_like(pixels)
    count = pixels.shape[0] * pixels.shape[1]
    gate_shares(pixels.reshape(count, 2 * half), slopes.reshape(count, half), out.reshape(count, 2 * half))
    return as_images(out, a)


@loop
def gates(a, y):
    parallel_slices(gates_slice, SLICE, (a, y))


@loop
def gates_slice(a, y):
    half = y.shape[1]
    for p in range(y.shape[0]):
        first, second, out = a[p, :half], a[p, half:], y[p]
        for k in range(half):
            out[k] = tanh(first[k]) * sigmoid(second[k])


@loop
def gate_shares(a, g, out):
    parallel_slices(gate_shares_slice, SLICE, (a, g, out))


@loop
def gate_shares_slice(a, g, out):
    half = g.shape[1]
    for p in range(g.shape[0]):
        first, second, slope = a[p, :half], a[p, half:], g[p]
        u_share, s_share = out[p, :half], out[p, half:]
        for k in range(half):
            u, s = tanh(first[k]), sigmoid(second[k])
            u_share[k] = slope[k] * s * (f32(1) - u * u)
            s_share[k] = slope[k] * u * s * (f32(1) - s)
