"""Kernels at points of evaluation, and back: the G of minimal filtering.

A kernel lies as (out, in, kh, kw), and products want it as (points, kw * in, out): a block of it is turned in
the core's cache, and weighed there.
"""

from __future__ import annotations

import numpy as np

from ....backend.compiled import loop
from ....backend.threads import parallel_for

BLOCK = 64  # outputs


@loop
def at_points(pieces, w, matrix, kernels):
    """``G w``: (out, in, kh, kw), (points, kh) -> the first kw * in rows of (points, rows, out)."""
    parallel_for(at_points_piece, pieces, (pieces, w, matrix, kernels))


@loop
def at_points_piece(i, pieces, w, matrix, kernels):
    out, channels, height, width = w.shape
    taps = np.empty((height, width, BLOCK), np.float32)
    for c in range(i * channels // pieces, (i + 1) * channels // pieces):
        for first in range(0, out, BLOCK):
            count = min(BLOCK, out - first)
            for e in range(count):
                for k in range(height):
                    for j in range(width):
                        taps[k, j, e] = w[first + e, c, k, j]
            for p in range(len(matrix)):
                for j in range(width):
                    row = kernels[p, j * channels + c, first : first + count]
                    row[:] = np.float32(0)
                    for k in range(height):
                        tap, weight = taps[k, j], matrix[p, k]
                        for e in range(row.size):
                            row[e] += weight * tap[e]


@loop
def from_points(pieces, sums, matrix, w):
    """``G^T`` of the strips' sum: (strips, points, kw * in, out), (points, kh) -> (out, in, kh, kw)."""
    parallel_for(from_points_piece, pieces, (pieces, sums, matrix, w))


@loop
def from_points_piece(i, pieces, sums, matrix, w):
    out, channels, height, width = w.shape
    taps = np.empty((height, width, BLOCK), np.float32)
    for c in range(i * channels // pieces, (i + 1) * channels // pieces):
        for first in range(0, out, BLOCK):
            count = min(BLOCK, out - first)
            taps[:] = np.float32(0)
            for s in range(len(sums)):
                for p in range(len(matrix)):
                    for j in range(width):
                        row = sums[s, p, j * channels + c, first : first + count]
                        for k in range(height):
                            tap, weight = taps[k, j], matrix[p, k]
                            for e in range(row.size):
                                tap[e] += weight * row[e]
            for e in range(count):
                for k in range(height):
                    for j in range(width):
                        w[first + e, c, k, j] = taps[k, j, e]
