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
from ....backend.threads import hold_blas, parallel_for, release_blas
from .windows import MOST_PIECES, NO_BIAS, PIECE, STRIPS, plain

SMALL_PRODUCT = 1_000_000
"""OpenBLAS multiplies matrices in place up to so many multiplications and copies larger ones first."""

CACHE = 1 << 19
"""Bytes of pixels and products in one chunk, at most, if that leaves `FEWEST_WINDOWS`."""

FEWEST_WINDOWS = 32
"""In one product, however many the channels."""

SEGMENT = 512
"""Numbers of a row that are weighed at once, so that all rows of a tile stay in the first-level cache."""

WIDEST = 10
"""Binary digits by which the largest numbers of an image's rows may differ."""

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
    lines = Lines.of(x.shape[2], width, sw, [(-left, kw)])
    tiles = -(-height // way.outputs)
    apart = -(-kw // sw)
    chunk = _chunk(lines.windows, apart, kw * x.shape[3], out, sw * x.shape[3] + out, way.points)
    sums = np.zeros((STRIPS, way.points, kw * x.shape[3], out), x.dtype)
    down = tiles, -top, way.outputs * sh
    _weight(x, g, way.b, way.a, down, way.outputs, _across(lines), (sw, apart), lines.tail, chunk, sums)
    w = np.empty((out, x.shape[3], kh, kw), x.dtype)
    _taps_of(sums, way.g, w)
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
    lines = Lines.of(x.shape[2], -(-width // len(lanes)), sw, [(start, w.shape[3]) for start, w in lanes])
    begin = min(start for start, _ in lanes)
    taps = max(w.shape[3] for _, w in lanes)
    kernels = np.empty((len(lanes), way.points, taps * channels, out), x.dtype)
    for lane, (_, w) in enumerate(lanes):
        _at_points(plain(w), way.g, kernels[lane])
    where = np.array([(start - begin, w.shape[3]) for start, w in lanes])
    apart = -(-taps // sw)  # windows so far from each other do not overlap
    tiles = -(-height // way.outputs)
    numbers = sw * channels + len(lanes) * out
    chunk = _chunk(lines.windows, apart, taps * channels, out, numbers, way.points)
    work = way.points * batch * tiles * lines.windows * taps * channels * len(lanes) * out
    pieces = max(1, min(MOST_PIECES, -(-batch * tiles // chunk), work // PIECE))
    spoilt = np.zeros(batch, np.bool_)
    wide = NO_BIAS if bias is None else np.tile(bias, width)
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


@loop
def evaluate(x, matrix, down, first, last, across, step, lines, spoilt):
    """The rows of x under each tile, times `matrix` (rows, points): a line of pixels for each point.

    Parameters
    ----------
    down : (tiles of an image, row where the first begins, rows from one to the next)
    first, last : int
        Of the tiles of all images, one after another.
    across : (pixels of zeros on the left, first and last pixel of a row, windows in a line)
    step : int
        Pixels from window to window.
    lines : array (points, numbers), written
    spoilt : array (batch,) of bool, written
        Where an image holds numbers too different in size.
    """
    _, height, width, channels = x.shape
    tiles, top, apart = down
    left, start, stop, windows = across
    here, there, counts = room_for_sums(matrix)
    length = windows * step * channels
    begin, end = left * channels, (left + stop - start) * channels
    for tile in range(first, last):
        image = tile // tiles
        row = top + tile % tiles * apart
        rows = x[image].reshape(height, width * channels)
        if too_wide(rows, max(row, 0), min(row + len(matrix), height)):
            spoilt[image] = True
        gather(matrix, row, height, here, there, counts)
        at = (tile - first) * length
        for p in range(len(lines)):
            lines[p, at : at + begin] = np.float32(0)
            lines[p, at + end : at + length] = np.float32(0)
        for s in range(begin, end, SEGMENT):
            e = min(s + SEGMENT, end)
            of = s - begin + start * channels
            for p in range(len(lines)):
                weighted_sum(rows, of, of + e - s, here[p], there[p], counts[p], lines[p, at + s : at + e])


@loop
def interpolate(products, matrix, tiles, first, last, length, bias, rows, y):
    """The products at each point, times `matrix` (points, outputs): the rows of each tile.

    Parameters
    ----------
    products : array (points, numbers)
        Tile after tile, `length` numbers each.
    rows : (first row of y, rows from one to the next, how many)
    """
    _, _, width, channels = y.shape
    outputs = matrix.shape[1]
    here, there, counts = room_for_sums(matrix)
    gather(matrix, 0, len(matrix), here, there, counts)
    for tile in range(first, last):
        image, top = tile // tiles, tile % tiles * outputs
        at = (tile - first) * length
        for s in range(0, width * channels, SEGMENT):
            e = min(s + SEGMENT, width * channels)
            for r in range(min(outputs, rows[2] - top)):
                target = y[image].reshape(-1, width * channels)[rows[0] + (top + r) * rows[1], s:e]
                weighted_sum(products, at + s, at + e, here[r], there[r], counts[r], target)
                if bias.size:
                    for n in range(e - s):
                        target[n] += bias[s + n]


@loop
def room_for_sums(matrix):
    """For `gather`: of each column the rows, their numbers, and how many there are."""
    rows, columns = matrix.shape
    shape = columns, max(rows, 8)  # `weighted_sum` fills up to eight
    return np.empty(shape, np.int64), np.empty(shape, np.float32), np.empty(columns, np.int64)


@loop
def gather(matrix, row, height, here, there, counts):
    """Of each column of a matrix, the rows that are not zero and meet the image, and their numbers."""
    for p in range(matrix.shape[1]):
        n = 0
        for r in range(len(matrix)):
            if 0 <= row + r < height and matrix[r, p] != 0:
                here[p, n], there[p, n] = row + r, matrix[r, p]
                n += 1
        counts[p] = n


@loop
def weighted_sum(x, start, stop, rows, weights, count, y):
    """``y = sum_n weights[n] x[rows[n], start:stop]``, eight rows at a time."""
    if count == 0:
        y[:] = np.float32(0)
        return
    if count == 1:
        scale(weights[0], x[rows[0], start:stop], y)
        return
    for n in range(count, 8):  # the same pixels again, times zero
        rows[n], weights[n] = rows[0], 0
    add_eight(
        weights,
        x[rows[0], start:stop], x[rows[1], start:stop], x[rows[2], start:stop], x[rows[3], start:stop],
        x[rows[4], start:stop], x[rows[5], start:stop], x[rows[6], start:stop], x[rows[7], start:stop],
        y,
    )  # fmt: skip
    for n in range(8, count):
        add_one(weights[n], x[rows[n], start:stop], y)


@loop
def add_eight(m, a, b, c, d, e, f, g, h, y):
    """``y = m[0] a + ... + m[7] h``."""
    m0, m1, m2, m3, m4, m5, m6, m7 = m[0], m[1], m[2], m[3], m[4], m[5], m[6], m[7]
    for j in range(y.size):
        y[j] = (m0 * a[j] + m1 * b[j] + m2 * c[j] + m3 * d[j]) + (
            m4 * e[j] + m5 * f[j] + m6 * g[j] + m7 * h[j]
        )


@loop
def add_one(m, a, y):
    """``y += m a``."""
    for j in range(y.size):
        y[j] += m * a[j]


@loop
def scale(m, a, y):
    """``y = m a``."""
    for j in range(y.size):
        y[j] = m * a[j]


@loop
def too_wide(rows, start, stop):
    """Whether some rows hold NaN or infinity, or their largest numbers differ by more than `WIDEST`.

    Rows of zeros do not count.
    """
    small, large = 256, 0
    for r in range(start, stop):
        exponent = largest(rows[r].view(np.int32)) >> 23
        large = max(large, exponent)
        if exponent > 0:
            small = min(small, exponent)
    return large == 255 or large - small > WIDEST


@loop
def largest(bits):
    """Of float32 numbers seen as whole ones, the largest without its sign."""
    found = np.int32(0)
    for j in range(bits.size):
        found = max(found, np.int32(bits[j] & np.int32(0x7FFFFFFF)))
    return found


@loop
def _at_points(w, matrix, kernel):
    """The kernel at each point: (out, in, kh, kw), (points, kh) -> (points, kw * in, out)."""
    out, channels, height, width = w.shape
    taps = np.empty((height, out), np.float32)
    for j in range(width):
        for c in range(channels):
            for i in range(height):
                for k in range(out):
                    taps[i, k] = w[k, c, i, j]
            for p in range(len(matrix)):
                row = kernel[p, j * channels + c]
                scale(matrix[p, 0], taps[0], row)
                for i in range(1, height):
                    add_one(matrix[p, i], taps[i], row)


@loop
def _taps_of(sums, matrix, w):
    """The adjoint of `_at_points`, of the sum of strips (strips, points, kw * in, out)."""
    out, channels, height, width = w.shape
    taps = np.empty((height, out), np.float32)
    for j in range(width):
        for c in range(channels):
            taps[:] = np.float32(0)
            for p in range(len(matrix)):
                row = sums[0, p, j * channels + c]
                for strip in range(1, len(sums)):
                    add_one(np.float32(1), sums[strip, p, j * channels + c], row)
                for i in range(height):
                    add_one(matrix[p, i], row, taps[i])
            for i in range(height):
                for k in range(out):
                    w[k, c, i, j] = taps[i, k]
