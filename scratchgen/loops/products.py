"""Products of matrices: cut into pieces by rows or columns, each one product by one thread."""

from __future__ import annotations

import numpy as np

from ..backend.blas import sgemm
from ..backend.compiled import loop
from ..backend.threads import hold_blas, parallel_for, piece_of, release_blas
from .maths import f32

SMALL = 600_000  # multiplications, which one thread does as fast as two
PAIR = 1 << 27  # multiplications for every two pieces
NO_BIAS = np.empty(0, np.float32)


def product(a: np.ndarray, b: np.ndarray, bias: np.ndarray = NO_BIAS) -> np.ndarray:
    """``a b + bias``; an empty bias is none."""
    out = np.empty((a.shape[0], b.shape[1]), np.float32)
    if out.size:
        a = a if a.flags.forc else np.ascontiguousarray(a)
        b = b if b.flags.forc else np.ascontiguousarray(b)
        flip_a, flip_b = not a.flags.c_contiguous, not b.flags.c_contiguous
        multiply(a.T if flip_a else a, flip_a, b.T if flip_b else b, flip_b, np.ascontiguousarray(bias), out)
    return out


@loop
def multiply(a, flip_a, b, flip_b, bias, out):
    m, n = out.shape
    k = a.shape[0] if flip_a else a.shape[1]
    pieces = 1 if m * n * k < SMALL else min(2 + 2 * (m * n * k // PAIR), 64)
    by_columns = m < n  # each piece reads the other factor whole: let that be the smaller one
    hold_blas()
    parallel_for(multiply_piece, pieces, (pieces, a, flip_a, b, flip_b, bias, out, k, by_columns))
    release_blas()


@loop
def multiply_piece(i, pieces, a, flip_a, b, flip_b, bias, out, k, by_columns):
    m, n = out.shape
    left, right = 0, n
    top, bottom = 0, m
    if by_columns:
        left, right = piece_of(i, pieces, n)
    else:
        top, bottom = piece_of(i, pieces, m)
    if top == bottom or left == right:
        return
    # Where a's row `top`, b's column `left` and their place in `out` begin, in numbers.
    of_a = top if flip_a else top * a.shape[1]
    of_b = left * b.shape[1] if flip_b else left
    sgemm(
        flip_a, flip_b, bottom - top, right - left, k,
        a.ctypes.data + 4 * of_a, a.shape[1], b.ctypes.data + 4 * of_b, b.shape[1],
        f32(0), out.ctypes.data + 4 * (top * n + left), n,
    )  # fmt: skip
    if bias.size:
        added = bias[left:right]
        for r in range(top, bottom):
            y = out[r, left:right]
            for j in range(y.size):
                y[j] += added[j]
