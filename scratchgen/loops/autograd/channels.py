"""Loops of a number for each channel, with an image's pixels as rows."""

from __future__ import annotations

import numpy as np

from ...backend.compiled import loop
from ...backend.layout import as_images, as_pixels
from ...backend.threads import count_pieces, parallel_for, parallel_slices, piece_of
from .normalisation import SLICE
from .rows import column_sums, sums_piece


def add_channels(x, b):
    pixels = as_pixels(x)
    y = np.empty_like(pixels)
    add_rows(pixels, y, np.ascontiguousarray(b).reshape(-1, pixels.shape[2]))
    return as_images(y, x)


def sum_pixels(x, *, by_image):
    pixels = as_pixels(x)
    batch, _, channels = pixels.shape
    if by_image:
        y = np.empty((batch, channels), np.float32)
        image_sums(pixels, y)
    else:
        y = np.empty(channels, np.float32)
        all_sums(pixels.reshape(-1, channels), y)
    return y


@loop
def add_rows(x, y, b):
    pieces = count_pieces(x.size, 2 * SLICE)
    parallel_for(add_rows_piece, pieces, (pieces, x, y, b))


@loop
def add_rows_piece(i, pieces, x, y, b):
    batch, count, channels = x.shape
    start, stop = piece_of(i, pieces, batch * count)
    own = len(b) > 1
    for p in range(start, stop):
        n = p // count
        source, target, added = x[n, p - n * count], y[n, p - n * count], b[n if own else 0]
        for c in range(channels):
            target[c] = source[c] + added[c]


@loop
def image_sums(x, y):
    parallel_slices(image_sums_slice, SLICE, (x, y))


@loop
def image_sums_slice(x, y):
    for n in range(len(x)):
        column_sums(x[n], y[n])


@loop
def all_sums(x, y):
    pieces = count_pieces(x.size, SLICE)
    parts = np.empty((pieces, x.shape[1]), np.float32)
    parallel_for(sums_piece, pieces, (pieces, x, parts))
    column_sums(parts, y)
