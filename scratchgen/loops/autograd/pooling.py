"""Loops of pooling: a pixel's channels are neighbours in memory; each pixel of a result is written once.

Windows and pixels see each other alike: a window some rows and columns of pixels, a pixel some rows and
columns of windows. So one loop adds up what is seen, in windows or in pixels, and which rows and columns
that are stands in two tables, ``(from, to)`` for each row and column of the result.
"""

from __future__ import annotations

import numpy as np

from ...backend.compiled import loop
from ...backend.threads import count_pieces, parallel_for

LEAST = 1 << 15  # numbers of a piece


def sum_windows(x, *, kernel, stride, padding):
    y = _windows_of(x, kernel, stride, padding)
    _add_up(_pixels(x), *_inside(y, kernel, stride, padding, x.shape[2:]), y)
    return y.transpose(0, 3, 1, 2)


def spread_windows(g, *, kernel, stride, padding, size):
    x = np.empty((len(g), *size, g.shape[1]), np.float32)
    _add_up(_pixels(g), *_seen_by(x, kernel, stride, padding, g.shape[2:]), x)
    return x.transpose(0, 3, 1, 2)


def max_windows(x, *, kernel, stride, padding):
    return _largest_of(x, kernel, stride, padding)[0]


def chosen_tap(x, y, *, kernel, stride, padding):
    return _largest_of(x, kernel, stride, padding)[1]


def put_chosen(g, *, choice, kernel, stride, padding, size):
    x = np.empty((len(g), *size, g.shape[1]), np.float32)
    seen = _seen_by(x, kernel, stride, padding, g.shape[2:])
    _put(_pixels(g), _pixels(choice), kernel, stride, padding, *seen, x)
    return x.transpose(0, 3, 1, 2)


def _largest_of(x, kernel, stride, padding):
    y = _windows_of(x, kernel, stride, padding)
    choice = np.empty(y.shape, np.int32)
    inside = _inside(y, kernel, stride, padding, x.shape[2:])
    _largest(_pixels(x), kernel, stride, padding, *inside, y, choice)
    return y.transpose(0, 3, 1, 2), choice.transpose(0, 3, 1, 2)


def _pixels(x):
    """(batch, channels, height, width) -> contiguous (batch, height, width, channels)."""
    return np.require(x.transpose(0, 2, 3, 1), requirements="CAW")


def _windows_of(x, kernel, stride, padding):
    axes = zip(x.shape[2:], kernel, stride, padding, strict=True)
    return np.empty((len(x), *((n + 2 * p - k) // s + 1 for n, k, s, p in axes), x.shape[1]), np.float32)


def _inside(windows, kernel, stride, padding, size):
    """On each axis, the first pixel of each window and the one behind its last."""
    for axis in range(2):
        start = np.arange(windows.shape[1 + axis]) * stride[axis] - padding[axis]
        yield np.stack([np.maximum(start, 0), np.minimum(start + kernel[axis], size[axis])], axis=1)


def _seen_by(pixels, kernel, stride, padding, counts):
    """On each axis, the first window in which each pixel lies and the one behind the last."""
    for axis in range(2):
        place = np.arange(pixels.shape[1 + axis]) + padding[axis]
        first = np.maximum((place - kernel[axis]) // stride[axis] + 1, 0)
        last = np.minimum(place // stride[axis] + 1, counts[axis])
        yield np.stack([first, np.maximum(first, last)], axis=1)


@loop
def _add_up(x, down, across, y):
    pieces = count_pieces(max(x.size, y.size), LEAST)
    parallel_for(_add_up_piece, pieces, (pieces, x, down, across, y))


@loop
def _add_up_piece(piece, pieces, x, down, across, y):
    lines, height, channels = len(y) * y.shape[1], y.shape[1], y.shape[3]
    room = np.empty(x.shape[2] * channels, np.float32)
    for line in range(piece * lines // pieces, (piece + 1) * lines // pieces):
        n, o = line // height, line % height
        rows = x[n].reshape(x.shape[1], room.size)[down[o, 0] : down[o, 1]]
        if len(rows) != 1:
            _sum_rows(rows, room)
        pixels = (rows[0] if len(rows) == 1 else room).reshape(x.shape[2], channels)
        for p in range(y.shape[2]):
            _sum_rows(pixels[across[p, 0] : across[p, 1]], y[n, o, p])


@loop
def _sum_rows(x, y):
    if len(x) == 0:
        for c in range(y.size):
            y[c] = np.float32(0)
    elif len(x) == 1:
        a = x[0]
        for c in range(y.size):
            y[c] = a[c]
    else:
        a, b = x[0], x[1]
        for c in range(y.size):
            y[c] = a[c] + b[c]
    for r in range(2, len(x)):
        a = x[r]
        for c in range(y.size):
            y[c] += a[c]


@loop
def _largest(x, kernel, stride, padding, down, across, y, choice):
    pieces = count_pieces(x.size, LEAST)
    args = (pieces, x, kernel, stride, padding, down, across, y, choice)
    parallel_for(_largest_piece, pieces, args)


@loop
def _largest_piece(piece, pieces, x, kernel, stride, padding, down, across, y, choice):
    lines, height = len(y) * y.shape[1], y.shape[1]
    for line in range(piece * lines // pieces, (piece + 1) * lines // pieces):
        n, o = line // height, line % height
        for p in range(y.shape[2]):
            largest, chosen = y[n, o, p], choice[n, o, p]
            first = True
            for r in range(down[o, 0], down[o, 1]):
                for q in range(across[p, 0], across[p, 1]):
                    source = x[n, r, q]
                    tap = _tap(r, q, o, p, kernel, stride, padding)
                    for c in range(len(source)):
                        a = source[c]
                        if first or a > largest[c] or a != a:
                            largest[c], chosen[c] = a, tap
                    first = False


@loop
def _put(g, choice, kernel, stride, padding, down, across, x):
    pieces = count_pieces(x.size, LEAST)
    parallel_for(_put_piece, pieces, (pieces, g, choice, kernel, stride, padding, down, across, x))


@loop
def _put_piece(piece, pieces, g, choice, kernel, stride, padding, down, across, x):
    lines, height = len(x) * x.shape[1], x.shape[1]
    for line in range(piece * lines // pieces, (piece + 1) * lines // pieces):
        n, r = line // height, line % height
        for q in range(x.shape[2]):
            target = x[n, r, q]
            target[:] = np.float32(0)
            for o in range(down[r, 0], down[r, 1]):
                for p in range(across[q, 0], across[q, 1]):
                    tap = _tap(r, q, o, p, kernel, stride, padding)
                    source, chosen = g[n, o, p], choice[n, o, p]
                    for c in range(len(target)):
                        if chosen[c] == tap:
                            target[c] += source[c]


@loop
def _tap(r, q, o, p, kernel, stride, padding):
    """Which tap of window (o, p) meets pixel (r, q)."""
    return np.int32((r + padding[0] - o * stride[0]) * kernel[1] + q + padding[1] - p * stride[1])
