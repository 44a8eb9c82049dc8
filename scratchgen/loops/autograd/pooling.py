"""Loops of pooling: a pixel's channels are neighbours in memory; each pixel of a result is written once."""

from __future__ import annotations

import numpy as np

from ...backend.compiled import loop
from ...backend.threads import count_pieces, parallel_for

LEAST = 1 << 15  # numbers of a piece


def sum_windows(x, *, kernel, stride, padding):
    pixels, y = _pixels(x), _windows_of(x, kernel, stride, padding)
    _sums(pixels, kernel, stride, padding, y)
    return y.transpose(0, 3, 1, 2)


def spread_windows(g, *, kernel, stride, padding, size):
    x = np.empty((len(g), *size, g.shape[1]), np.float32)
    _spread(_pixels(g), kernel, stride, padding, x)
    return x.transpose(0, 3, 1, 2)


def max_windows(x, *, kernel, stride, padding):
    y = _windows_of(x, kernel, stride, padding)
    _largest(_pixels(x), kernel, stride, padding, y, np.empty(y.shape, np.int32))
    return y.transpose(0, 3, 1, 2)


def chosen_tap(x, y, *, kernel, stride, padding):
    y = _windows_of(x, kernel, stride, padding)
    choice = np.empty(y.shape, np.int32)
    _largest(_pixels(x), kernel, stride, padding, y, choice)
    return choice.transpose(0, 3, 1, 2)


def put_chosen(g, *, choice, kernel, stride, padding, size):
    x = np.empty((len(g), *size, g.shape[1]), np.float32)
    _put(_pixels(g), _pixels(choice), kernel, stride, padding, x)
    return x.transpose(0, 3, 1, 2)


def _pixels(x):
    """(batch, channels, height, width) -> contiguous (batch, height, width, channels)."""
    return np.require(x.transpose(0, 2, 3, 1), requirements="CAW")


def _windows_of(x, kernel, stride, padding):
    axes = zip(x.shape[2:], kernel, stride, padding, strict=True)
    return np.empty((len(x), *((n + 2 * p - k) // s + 1 for n, k, s, p in axes), x.shape[1]), np.float32)


@loop
def _sums(x, kernel, stride, padding, y):
    pieces = count_pieces(x.size, LEAST)
    parallel_for(_sums_piece, pieces, (pieces, x, kernel, stride, padding, y))


@loop
def _sums_piece(piece, pieces, x, kernel, stride, padding, y):
    lines, height = len(y) * y.shape[1], y.shape[1]
    for line in range(piece * lines // pieces, (piece + 1) * lines // pieces):
        n, o = line // height, line % height
        top, bottom = _inside(o, kernel[0], stride[0], padding[0], x.shape[1])
        for p in range(y.shape[2]):
            left, right = _inside(p, kernel[1], stride[1], padding[1], x.shape[2])
            target = y[n, o, p]
            first = True
            for r in range(top, bottom):
                for q in range(left, right):
                    first = _add(x[n, r, q], first, target)


@loop
def _largest(x, kernel, stride, padding, y, choice):
    pieces = count_pieces(x.size, LEAST)
    parallel_for(_largest_piece, pieces, (pieces, x, kernel, stride, padding, y, choice))


@loop
def _largest_piece(piece, pieces, x, kernel, stride, padding, y, choice):
    lines, height = len(y) * y.shape[1], y.shape[1]
    for line in range(piece * lines // pieces, (piece + 1) * lines // pieces):
        n, o = line // height, line % height
        top, bottom = _inside(o, kernel[0], stride[0], padding[0], x.shape[1])
        for p in range(y.shape[2]):
            left, right = _inside(p, kernel[1], stride[1], padding[1], x.shape[2])
            largest, chosen = y[n, o, p], choice[n, o, p]
            first = True
            for r in range(top, bottom):
                for q in range(left, right):
                    source = x[n, r, q]
                    tap = np.int32(
                        (r - o * stride[0] + padding[0]) * kernel[1] + q - p * stride[1] + padding[1]
                    )
                    for c in range(len(source)):
                        a = source[c]
                        if first or a > largest[c] or a != a:
                            largest[c], chosen[c] = a, tap
                    first = False


@loop
def _spread(g, kernel, stride, padding, x):
    pieces = count_pieces(x.size, LEAST)
    parallel_for(_spread_piece, pieces, (pieces, g, kernel, stride, padding, x))


@loop
def _spread_piece(piece, pieces, g, kernel, stride, padding, x):
    lines, height = len(x) * x.shape[1], x.shape[1]
    for line in range(piece * lines // pieces, (piece + 1) * lines // pieces):
        n, r = line // height, line % height
        top, bottom = _seen_by(r, kernel[0], stride[0], padding[0], g.shape[1])
        for q in range(x.shape[2]):
            left, right = _seen_by(q, kernel[1], stride[1], padding[1], g.shape[2])
            target = x[n, r, q]
            first = True  # of the windows that it is in
            for o in range(top, bottom):
                for p in range(left, right):
                    first = _add(g[n, o, p], first, target)
            if first:
                target[:] = np.float32(0)


@loop
def _put(g, choice, kernel, stride, padding, x):
    pieces = count_pieces(x.size, LEAST)
    parallel_for(_put_piece, pieces, (pieces, g, choice, kernel, stride, padding, x))


@loop
def _put_piece(piece, pieces, g, choice, kernel, stride, padding, x):
    lines, height = len(x) * x.shape[1], x.shape[1]
    for line in range(piece * lines // pieces, (piece + 1) * lines // pieces):
        n, r = line // height, line % height
        top, bottom = _seen_by(r, kernel[0], stride[0], padding[0], g.shape[1])
        for q in range(x.shape[2]):
            left, right = _seen_by(q, kernel[1], stride[1], padding[1], g.shape[2])
            target = x[n, r, q]
            target[:] = np.float32(0)
            for o in range(top, bottom):
                for p in range(left, right):
                    tap = (r + padding[0] - o * stride[0]) * kernel[1] + q + padding[1] - p * stride[1]
                    source, chosen = g[n, o, p], choice[n, o, p]
                    for c in range(len(target)):
                        if chosen[c] == tap:
                            target[c] += source[c]


@loop
def _add(source, first, target):
    """Add to the target, or be the first of its sum; False, for the next one."""
    if first:
        for c in range(target.size):
            target[c] = source[c]
    else:
        for c in range(target.size):
            target[c] += source[c]
    return False


@loop
def _inside(window, kernel, stride, padding, length):
    """First and last pixel of a window, on one axis."""
    start = window * stride - padding
    return max(start, 0), min(start + kernel, length)


@loop
def _seen_by(pixel, kernel, stride, padding, windows):
    """The windows in which a pixel lies, on one axis."""
    first = max(0, (pixel + padding - kernel) // stride + 1)
    return first, max(first, min(windows, (pixel + padding) // stride + 1))
