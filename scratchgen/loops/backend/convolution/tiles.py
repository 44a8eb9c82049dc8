"""The rows under a tile, weighed and added: evaluation and interpolation of minimal filtering.

Both take whole rows of pixels, a segment at a time, times numbers that stand in a small matrix: `evaluate`
the rows under a tile, into a line for each point; `interpolate` the products at all points, into the rows of
the tile.
"""

from __future__ import annotations

import numpy as np

from ....backend.compiled import loop

SEGMENT = 512
"""Numbers of a row that are weighed at once, so that all rows of a tile stay in the first-level cache."""

WIDEST = 10
"""Binary digits by which the largest numbers of an image's rows may differ."""


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
