"""Loops of NADE: an example at a time, its hidden layer computed anew only after a number that is not 0."""

from __future__ import annotations

import numpy as np

from ....backend.compiled import loop
from ....backend.threads import parallel_for, parallel_slices
from ...maths import f32, sigmoid

EXAMPLES = 16  # of a piece, at least: each has shares of W and V of its own


def nade_logits(x, W, c, V, b):
    x, W, c, V, b = (np.ascontiguousarray(a) for a in (x, W, c, V, b))
    y = np.empty_like(x)
    logits(x, y, W, c, V, b)
    return y


def nade_shares(g, y, x, W, c, V, b):
    g, x, W, c, V = (np.ascontiguousarray(a) for a in (g, x, W, c, V))
    pieces = max(1, min(len(x) // EXAMPLES, 4))
    x_share = np.empty_like(x)
    W_parts, V_parts = np.zeros((2, pieces, *W.shape), np.float32)
    c_parts = np.zeros((pieces, len(c)), np.float32)
    shares(pieces, g, x, W, c, V, x_share, W_parts, V_parts, c_parts)
    return x_share, W_parts.sum(axis=0), c_parts.sum(axis=0), V_parts.sum(axis=0), g.sum(axis=0)


@loop
def logits(x, y, W, c, V, b):
    parallel_slices(logits_slice, 4 * x.shape[1], (x, y, (W, c, V, b)))


@loop
def logits_slice(x, y, shared):
    W, c, V, b = shared
    a, h = np.empty_like(c), np.empty_like(c)
    for n in range(x.shape[0]):
        a[:] = c
        squash(a, h)
        for d in range(x.shape[1]):
            v = V[d]
            total = f32(0)
            for k in range(h.size):
                total += h[k] * v[k]
            y[n, d] = total + b[d]
            if x[n, d] != f32(0):
                add(a, x[n, d], W[d])
                squash(a, h)


@loop
def squash(a, h):
    for k in range(a.size):
        h[k] = sigmoid(a[k])


@loop
def add(a, x, w):
    for k in range(a.size):
        a[k] += x * w[k]


@loop
def shares(pieces, g, x, W, c, V, x_share, W_parts, V_parts, c_parts):
    parallel_for(shares_piece, pieces, (pieces, g, x, W, c, V, x_share, W_parts, V_parts, c_parts))


@loop
def shares_piece(i, pieces, g, x, W, c, V, x_share, W_parts, V_parts, c_parts):
    examples, dim = x.shape
    step = (examples + pieces - 1) // pieces
    W_share, V_share, c_share = W_parts[i], V_parts[i], c_parts[i]
    hidden = np.empty((dim + 1, c.size), np.float32)  # as it was after each number that is not 0
    a, later = np.empty_like(c), np.empty_like(c)
    for n in range(i * step, min(examples, (i + 1) * step)):
        last = 0
        a[:] = c
        squash(a, hidden[0])
        for d in range(dim):
            if x[n, d] != f32(0):
                add(a, x[n, d], W[d])
                last += 1
                squash(a, hidden[last])
        later[:] = f32(0)
        for d in range(dim - 1, -1, -1):
            if x[n, d] != f32(0):
                add(W_share[d], x[n, d], later)
                last -= 1
            x_share[n, d] = backwards(hidden[last], g[n, d], W[d], V[d], V_share[d], later)
        add(c_share, f32(1), later)


@loop
def backwards(h, g, w, v, v_share, later):
    """What x_d gets; `later` and the share of V_d grow by what the d-th logit gives."""
    total = f32(0)
    for k in range(h.size):
        total += later[k] * w[k]
        v_share[k] += g * h[k]
        later[k] += g * v[k] * h[k] * (f32(1) - h[k])
    return total
