"""Loops of shapes: images joined by their channels, and cut apart again."""

from __future__ import annotations

import numpy as np

from ...backend.compiled import loop
from ...backend.layout import as_images, as_pixels
from ...backend.threads import parallel_slices
from ..elementwise import LARGE, SLICE


def concatenate(*parts, axis):
    first = parts[0]
    if not _suits(first, axis) or len(parts) != 2:
        return NotImplemented
    a, b = parts
    if (len(a), *a.shape[2:]) != (len(b), *b.shape[2:]):
        return NotImplemented
    a, b = as_pixels(a), as_pixels(b)
    y = np.empty((*a.shape[:2], a.shape[2] + b.shape[2]), np.float32)
    rows = [x.reshape(-1, x.shape[2]) for x in (a, b, y)]
    join(*rows)
    return as_images(y, np.empty((len(y), y.shape[2], *first.shape[2:]), np.void))


def cut(x, start, stop, *, axis):
    if not _suits(x, axis):
        return NotImplemented
    pixels = as_pixels(x)
    y = np.empty((*pixels.shape[:2], stop - start), np.float32)
    take_apart(pixels.reshape(-1, pixels.shape[2]), start, y.reshape(-1, stop - start))
    return as_images(y, np.empty((len(y), stop - start, *x.shape[2:]), np.void))


def _suits(x, axis):
    """Whether these are large images, and the axis that of their channels."""
    return axis in (1, 1 - x.ndim) and x.ndim > 2 and x.size >= LARGE


@loop
def take_apart(x, start, y):
    parallel_slices(take_apart_slice, SLICE, (y, x, start))


@loop
def take_apart_slice(y, x, start):
    for p in range(len(y)):
        source, target = x[p, start:], y[p]
        for c in range(target.size):
            target[c] = source[c]


@loop
def join(a, b, y):
    parallel_slices(join_slice, SLICE, (y, a, b))


@loop
def join_slice(y, a, b):
    for p in range(len(y)):
        left, right = y[p, : a.shape[1]], y[p, a.shape[1] :]
        x, z = a[p], b[p]
        for c in range(x.size):
            left[c] = x[c]
        for c in range(z.size):
            right[c] = z[c]
