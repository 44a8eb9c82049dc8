"""Sums over the rows of a matrix, of 64 at a time: a long running sum would lose digits."""

from __future__ import annotations

import numpy as np

from ...backend.compiled import loop
from ...backend.threads import piece_of
from ..maths import f32


@loop
def column_sums(x, out):
    """The sums themselves."""
    part = np.empty(x.shape[1], np.float32)
    out[:] = f32(0)
    for start in range(0, x.shape[0], 64):
        part[:] = f32(0)
        for p in range(start, min(start + 64, x.shape[0])):
            a = x[p]
            for c in range(a.size):
                part[c] += a[c]
        for c in range(part.size):
            out[c] += part[c]


@loop
def sums_piece(i, pieces, x, parts):
    start, stop = piece_of(i, pieces, x.shape[0])
    column_sums(x[start:stop], parts[i])


@loop
def squares(x, mean, out):
    """Sums over the rows of squared distances from the mean."""
    part = np.empty(x.shape[1], np.float32)
    out[:] = f32(0)
    for start in range(0, x.shape[0], 64):
        part[:] = f32(0)
        for p in range(start, min(start + 64, x.shape[0])):
            a = x[p]
            for c in range(a.size):
                part[c] += (a[c] - mean[c]) * (a[c] - mean[c])
        for c in range(part.size):
            out[c] += part[c]


@loop
def squares_piece(i, pieces, x, mean, parts):
    start, stop = piece_of(i, pieces, x.shape[0])
    squares(x[start:stop], mean, parts[i])


@loop
def products(x, g, mean, total, product):
    """The sums over the rows of g and of g (x - mean), 64 rows at a time."""
    room = np.empty((2, x.shape[1]), np.float32)
    part, of_product = room[0], room[1]
    total[:] = f32(0)
    product[:] = f32(0)
    for start in range(0, len(x), 64):
        part[:] = f32(0)
        of_product[:] = f32(0)
        for p in range(start, min(start + 64, len(x))):
            a, b = x[p], g[p]
            for c in range(a.size):
                part[c] += b[c]
                of_product[c] += b[c] * (a[c] - mean[c])
        for c in range(part.size):
            total[c] += part[c]
            product[c] += of_product[c]


@loop
def products_piece(i, pieces, x, g, mean, sums, of_products):
    start, stop = piece_of(i, pieces, len(x))
    products(x[start:stop], g[start:stop], mean, sums[i], of_products[i])
