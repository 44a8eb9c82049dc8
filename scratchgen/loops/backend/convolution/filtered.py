"""Convolution by minimal filtering: down the columns at points of evaluation, along the rows by windows.

Down the columns of the image the taps are applied by minimal filtering (`backend/convolution/minimal.py`):

1. evaluate: at each point, the rows under a tile of (7) outputs are weighed by B^T and added to one *line* of
   pixels (`evaluate`).
2. multiply: along such lines the taps are windows of neighbouring pixels, rows of a matrix without any copy
   (`backend/convolution/lines.py`), times the kernel at that point: the bulk of the work, in 9/21 of the
   multiplications.
3. interpolate: for each row of the tile, the products at all points are weighed by A^T and added
   (`interpolate`).

A chunk of lines goes through all three in memory that stays in the core's cache. In two dimensions minimal
filtering needs fewer multiplications still (Lavin and Gray), but it adds short runs of numbers instead of
whole rows, and its errors multiply.

Rounding errors are relative to the largest number under a tile, and an infinite one spoils its tile. So
images that hold such numbers (`too_wide`) are named to the caller, who computes them in another way.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....backend.blas import sgemm
from ....backend.compiled import loop
from ....backend.convolution.geometry import Geometry, Pair
from ....backend.convolution.lines import Lines
from ....backend.convolution.minimal import filtering
from ....backend.convolution.phases import phases
from ....backend.threads import count_pieces, hold_blas, parallel_for, release_blas
from ...products import NO_BIAS
from .kernels import at_points, from_points
from .tiles import evaluate, interpolate
from .windows import MOST_PIECES, PIECE, STRIPS

SMALL_PRODUCT = 1_000_000
"""OpenBLAS multiplies matrices in place up to so many multiplications and copies larger ones first."""

CACHE = 1 << 19
"""Bytes of pixels and products in one chunk, at most, if that leaves `FEWEST_WINDOWS`."""

FEWEST_WINDOWS = 32
"""In one product, however many the channels."""

PIECE_OF_KERNELS = 1 << 16
"""Numbers of a kernel at its points that are worth handing over."""

SINGLE = np.dtype(np.float32)
Lane = tuple[int, np.ndarray]  # the column where the first window begins, and the weights along it


def correlate(x: np.ndarray, w: np.ndarray, y: np.ndarray, geometry: Geometry, bias: Any) -> np.ndarray:
    """Write the convolution of x with w (out, in, kh, kw) into y; which images are spoilt."""
    top, left = geometry.padding
    return _filter(x, [(-left, w)], y, slice(0, y.shape[1], 1), -top, geometry.stride, bias)


def correlate_transpose(
    g: np.ndarray, w: np.ndarray, x: np.ndarray, geometry: Geometry, bias: Any
) -> np.ndarray:
    """Write the transposed convolution of g with w (channels of g, of x, kh, kw) into x; who is spoilt.

    It is a convolution of stride 1 for each remainder of rows and of columns by the stride (`phases`).
    """
    swapped = w.transpose(1, 0, 2, 3)
    spoilt = np.zeros(len(g), bool)
    for vertical in phases(geometry, x.shape[1], 0):
        lanes = [
            (horizontal.first, swapped[:, :, vertical.taps, horizontal.taps])
            for horizontal in phases(geometry, x.shape[2], 1)
        ]
        spoilt |= _filter(g, lanes, x, vertical.rows, vertical.first, (1, 1), bias)
    return spoilt


def correlate_weight(x: np.ndarray, g: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The weights' contraction (out, in, kh, kw) of x and g: ``G^T [(B^T x) * (A g)]``."""
    _, height, width, out = g.shape
    (kh, kw), (sh, sw), (top, left) = geometry.kernel, geometry.stride, geometry.padding
    way = filtering(height, kh, sh, SINGLE)
    lines = Lines.of(x.shape[2], width, sw, -left, kw - left)
    tiles = -(-height // way.outputs)
    apart = -(-kw // sw)
    chunk = _chunk(lines.windows, apart, kw * x.shape[3], out, sw * x.shape[3] + out, way.points)
    sums = np.zeros((STRIPS, way.points, kw * x.shape[3], out), x.dtype)
    down = tiles, -top, way.outputs * sh
    _weight(x, g, way.b, way.a, down, way.outputs, _across(lines), (sw, apart), lines.tail, chunk, sums)
    w = np.empty((out, x.shape[3], kh, kw), x.dtype)
    from_points(count_pieces(sums.size, PIECE_OF_KERNELS), sums, way.g, w)
    return w


def _filter(
    x: np.ndarray, lanes: list[Lane], y: np.ndarray, rows: slice, first: int, stride: Pair, bias: Any
) -> np.ndarray:
    """A convolution whose first window begins at row `first`, written into some rows of y; who is spoilt.

    Output columns go to the lanes in turn: one lane for a convolution, as many as the stride for a
    transposed one.
    """
    batch, _, width, out = y.shape
    height, channels, (sh, sw) = len(range(rows.start, rows.stop, rows.step)), x.shape[3], stride
    way = filtering(height, lanes[0][1].shape[2], sh, SINGLE)
    where = np.array([(start, w.shape[3]) for start, w in lanes])
    begin, end, taps = int(where[:, 0].min()), int(where.sum(axis=1).max()), int(where[:, 1].max())
    lines = Lines.of(x.shape[2], -(-width // len(lanes)), sw, begin, end)
    kernels = np.empty((len(lanes), way.points, taps * channels, out), x.dtype)
    for lane, (_, w) in enumerate(lanes):
        at_points(count_pieces(w.size * way.points, PIECE_OF_KERNELS), w, way.g, kernels[lane])
    where[:, 0] -= begin
    apart = -(-taps // sw)  # windows so far from each other do not overlap
    tiles = -(-height // way.outputs)
    numbers = sw * channels + len(lanes) * out
    chunk = _chunk(lines.windows, apart, taps * channels, out, numbers, way.points)
    work = way.points * batch * tiles * lines.windows * taps * channels * len(lanes) * out
    pieces = max(1, min(MOST_PIECES, -(-batch * tiles // chunk), work // PIECE))
    spoilt = np.zeros(batch, np.bool_)
    wide = NO_BIAS if bias is None else np.concatenate([bias] * width)
    _convolve(
        pieces, x, kernels, where, way.b, way.a, (tiles, first, way.outputs * sh), _across(lines),
        (sw, apart), lines.tail, chunk, wide, y, (rows.start, rows.step, height), spoilt,
    )  # fmt: skip
    return spoilt


def _across(lines: Lines) -> tuple[int, int, int, int]:
    return lines.left, lines.pixels.start, lines.pixels.stop, lines.windows


def _chunk(windows: int, apart: int, inside: int, outside: int, numbers: int, points: int) -> int:
    """How many lines go through all steps together."""
    small = SMALL_PRODUCT * apart // (inside * outside)
    cached = CACHE // (4 * points * numbers)
    return max(1, max(FEWEST_WINDOWS * apart, min(small, cached)) // windows)


@loop
def _convolve(
    pieces, x, kernels, lanes, b, a, down, across, along, tail, chunk, bias, y, rows, spoilt
):  # fmt: skip
    hold_blas()
    parallel_for(
        _convolve_piece,
        pieces,
        (pieces, x, kernels, lanes, b, a, down, across, along, tail, chunk, bias, y, rows, spoilt),
    )
    release_blas()


@loop
def _convolve_piece(
    i, pieces, x, kernels, lanes, b, a, down, across, along, tail, chunk, bias, y, rows, spoilt
):  # fmt: skip
    channels, windows, (step, apart) = x.shape[3], across[3], along
    lane_count, points, _, out = kernels.shape
    count = len(x) * down[0]
    spare = apart  # windows beyond the last, so that all products of a chunk are of one size
    pixels = np.empty((points, ((chunk * windows + spare) * step + tail) * channels), np.float32)
    products = np.empty((points, (chunk * windows + spare) * lane_count * out), np.float32)
    stop = (i + 1) * count // pieces
    for first in range(i * count // pieces, stop, chunk):
        last = min(first + chunk, stop)
        evaluate(x, b, down, first, last, across, step, pixels, spoilt)
        number = ((last - first) * windows + apart - 1) // apart
        for p in range(points):
            pixels[p, (last - first) * windows * step * channels :] = np.float32(0)
            for lane in range(lane_count):
                for j in range(apart):
                    sgemm(
                        False, False, number, out, lanes[lane, 1] * channels,
                        pixels[p].ctypes.data + 4 * (lanes[lane, 0] + j * step) * channels,
                        apart * step * channels,
                        kernels[lane, p].ctypes.data, out, np.float32(0),
                        products[p].ctypes.data + 4 * (j * lane_count + lane) * out, apart * lane_count * out,
                    )  # fmt: skip
        interpolate(products, a, down[0], first, last, windows * lane_count * out, bias, rows, y)


@loop
def _weight(x, g, b, a, down, outputs, across, along, tail, chunk, sums):
    hold_blas()
    parallel_for(_weight_piece, len(sums), (x, g, b, a, down, outputs, across, along, tail, chunk, sums))
    release_blas()


@loop
def _weight_piece(i, x, g, b, a, down, outputs, across, along, tail, chunk, sums):
    channels, windows, (step, apart) = x.shape[3], across[3], along
    strips, points, inside, out = sums.shape
    count = len(x) * down[0]
    pixels = np.empty((points, (chunk * windows * step + tail) * channels), np.float32)
    cotangents = np.empty((points, chunk * windows * out), np.float32)
    back = a.T.copy()
    nobody = np.zeros(len(x), np.bool_)
    stop = (i + 1) * count // strips
    for first in range(i * count // strips, stop, chunk):
        last = min(first + chunk, stop)
        evaluate(x, b, down, first, last, across, step, pixels, nobody)
        # The cotangent's lines are zero where no window is wanted.
        evaluate(
            g, back, (down[0], 0, outputs), first, last, (0, 0, g.shape[2], windows), 1, cotangents, nobody
        )
        for p in range(points):
            pixels[p, (last - first) * windows * step * channels :] = np.float32(0)
            for j in range(apart):
                number = ((last - first) * windows - j + apart - 1) // apart
                sgemm(
                    True, False, inside, out, number,
                    pixels[p].ctypes.data + 4 * j * step * channels, apart * step * channels,
                    cotangents[p].ctypes.data + 4 * j * out, apart * out,
                    np.float32(1), sums[i, p].ctypes.data, out,
                )  # fmt: skip
