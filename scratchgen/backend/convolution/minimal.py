"""Minimal filtering: a convolution of few taps along one axis, with fewer multiplications.

Neighbouring outputs share inputs. Take u outputs of a convolution with m taps w, and the ``u + m - 1`` inputs
x that they see. Read x and w as polynomials: evaluated at ``u + m - 1`` points (numbers, and infinity, where
a polynomial takes its highest coefficient), multiplied there and interpolated, they give all u outputs:

    y = A^T [(G w) * (B^T x)]                                                         (minimal-filtering)

with ``u + m - 1`` multiplications where the definition has ``u m``: for 7 outputs of 3 taps 9 instead of 21.
Evaluation and interpolation are products with the constant matrices G, B and A. The form is trilinear, so its
gradient with respect to the taps is the same expression read the other way, ``G^T [(B^T x) * (A g)]``.

With a stride q, the taps that leave the same remainder by q meet the inputs that do: q convolutions of stride
1, whose results add up. Their points stand side by side in one A, B and G.

Sources: Winograd, "Arithmetic complexity of computations" (1980); Lavin and Gray, "Fast algorithms for
convolutional neural networks" (2016), equation 6; the matrices are the Toom-Cook construction (Blahut, "Fast
algorithms for signal processing", 2010, chapter 5).
"""

from __future__ import annotations

import functools
from typing import NamedTuple

import numpy as np

POINTS: tuple[tuple[float, ...], ...] = (
    (),
    (0,),
    (0.5, -0.5),
    (0, 1, -1),
    (0.4375, -0.4375, 1.375, -1.375),
    (0, 0.625, -0.625, 1.625, -1.625),
    (0.375, -0.375, 0.875, -0.875, 1.8125, -1.8125),
    (0, 0.5, -0.5, 1, -1, 2, -2),
    (0.21875, -0.21875, 0.6875, -0.6875, 1.125, -1.125, 2.3125, -2.3125),
)
"""``POINTS[n]``: n points of evaluation besides infinity, found by a random search for the smallest error in
float32. Of u outputs of 3 taps and 64 channels the error (root mean square, relative to the result's standard
deviation) is 3.3e-7 (u = 2), 4.2e-7, 5.6e-7, 8.1e-7, 1.2e-6, 1.8e-6 (u = 7); a plain sum's is 3.0e-7."""

LARGEST = len(POINTS)  # outputs of one tap


class Filtering(NamedTuple):
    """The three matrices for `outputs` outputs, some taps, and some stride; `points` of evaluation."""

    a: np.ndarray  # (points, outputs)
    b: np.ndarray  # (inputs, points)
    g: np.ndarray  # (points, taps)
    points: int
    outputs: int


def applies(taps: int, stride: int) -> bool:
    """Whether there are multiplications to be saved, and points enough."""
    return stride < taps and -(-taps // stride) < LARGEST


@functools.lru_cache(maxsize=256)
def filtering(length: int, taps: int, stride: int, dtype: np.dtype) -> Filtering:
    """The matrices for an axis of `length` outputs, cut into equal tiles, as few as the points allow."""
    outputs = LARGEST + 1 - -(-taps // stride)
    outputs = -(-length // -(-length // outputs))
    parts = [matrices(outputs, len(range(first, taps, stride))) for first in range(min(stride, taps))]
    points = sum(len(a) for a, _, _ in parts)
    b, g = np.zeros((stride * (outputs - 1) + taps, points)), np.zeros((points, taps))
    start = 0
    for first, (_, evaluate_inputs, evaluate_taps) in enumerate(parts):
        mine = slice(start, start + len(evaluate_taps))
        b[first::stride, mine] = evaluate_inputs
        g[mine, first::stride] = evaluate_taps
        start = mine.stop
    a = np.concatenate([interpolate for interpolate, _, _ in parts])
    return Filtering(a.astype(dtype), b.astype(dtype), g.astype(dtype), *a.shape)


def matrices(outputs: int, taps: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (n, outputs), B (n, n) and G (n, taps) for stride 1, with ``n = outputs + taps - 1``.

    Row l of A and G evaluates a polynomial at point l (the last row, at infinity, takes its highest
    coefficient); column l of B holds the coefficients of the polynomial with roots at all other points.
    """
    if taps == 1:  # nothing to save
        return np.eye(outputs), np.eye(outputs), np.ones((outputs, 1))
    n = outputs + taps - 1
    points = np.array(POINTS[n - 1])
    a, b, g = np.zeros((n, outputs)), np.zeros((n, n)), np.zeros((n, taps))
    for row, point in enumerate(points):
        others = np.delete(points, row)
        a[row] = point ** np.arange(outputs)  # (minimal-filtering)
        g[row] = point ** np.arange(taps) / np.prod(point - others)  # (minimal-filtering)
        b[: n - 1, row] = _coefficients(others)  # (minimal-filtering)
    a[-1, -1] = g[-1, -1] = 1  # (minimal-filtering)
    b[:, -1] = _coefficients(points)  # (minimal-filtering)
    return a, b, g


def _coefficients(roots: np.ndarray) -> np.ndarray:
    """Those of the polynomial with these roots, from the constant one up."""
    return np.atleast_1d(np.poly(roots))[::-1]
