"""Channels and pixels: one number for each channel added to all pixels, and the sums that undo it.

In channels-last memory such a number stands beside every pixel again, a short row at a time. What NumPy
spends on starting its loop for each row is saved by seeing several pixels as one row of about `ROW` numbers,
with the channels' numbers repeated as often; and a sum over pixels is a product with a row of ones, which
BLAS does at the speed of the memory.
"""

from __future__ import annotations

import functools
import math

import numpy as np

from .blocks import parts
from .device import Array
from .parallel import parallel_for

ROW = 1024  # numbers


def as_pixels(x: Array) -> Array:
    """(batch, channels, ...) -> contiguous (batch, pixels, channels): a view of channels-last memory."""
    last = x.transpose(0, *range(2, x.ndim), 1)
    pixels = last.reshape(len(x), math.prod(x.shape[2:]), x.shape[1])
    return pixels if pixels.flags.c_contiguous else pixels.copy()


def as_images(pixels: Array, like: Array) -> Array:
    """(batch, pixels, channels) -> (batch, channels, ...) of the shape of `like`, a view."""
    last = pixels.reshape(len(pixels), *like.shape[2:], like.shape[1])
    return last.transpose(0, like.ndim - 1, *range(1, like.ndim - 1))


@functools.lru_cache(maxsize=256)
def pixels_in_row(count: int, channels: int) -> int:
    """The largest divisor of a number of pixels that makes no longer rows than `ROW`."""
    return max(d for d in range(1, max(1, min(count, ROW // max(channels, 1))) + 1) if count % d == 0)


def spread(x: Array, repeats: int) -> Array:
    """(..., channels) -> (..., repeats * channels): each channel's number for each of several pixels."""
    repeated = np.empty_like(x, shape=(*x.shape[:-1], repeats, x.shape[-1]))
    repeated[...] = x[..., None, :]
    return repeated.reshape(*x.shape[:-1], -1)


def add_channels(x: Array, b: Array, in_place: bool = False) -> Array:
    """``x + b`` with b the same at all pixels.

    Parameters
    ----------
    x : array (batch, channels, ...)
    b : array (channels,) or (batch, channels)
    in_place : bool
        Whether `x` may be overwritten.
    """
    pixels = as_pixels(x)
    batch, count, channels = pixels.shape
    out = pixels if in_place else np.empty_like(pixels)
    if pixels.size:
        repeats = pixels_in_row(count, channels)
        shape = batch, count // repeats, repeats * channels
        rows, target = pixels.reshape(shape), out.reshape(shape)
        spread_out = np.broadcast_to(spread(b.reshape(-1, 1, channels), repeats), (batch, 1, shape[2]))

        def work(images: slice) -> None:
            np.add(rows[images], spread_out[images], out=target[images])

        parallel_for(work, parts(pixels))
    return as_images(out, x)


def sum_pixels(x: Array, by_image: bool) -> Array:
    """The sum over the pixels of each image, (batch, channels), or of all images, (channels,)."""
    pixels = as_pixels(x)
    batch, count, channels = pixels.shape
    repeats = pixels_in_row(count, channels)
    rows = pixels.reshape(batch, count // repeats, repeats * channels)
    sums = np.empty_like(pixels, shape=(batch, 1, channels))

    def work(images: slice) -> None:
        sums[images] = sum_rows(rows[images], channels)

    parallel_for(work, parts(pixels))
    return sums[:, 0] if by_image else sums.sum(axis=(0, 1))


def sum_rows(rows: Array, channels: int) -> Array:
    """Rows of several pixels (images, rows, pixels * channels), summed: (images, 1, channels).

    Over the rows first and then within the row that is left: in one long running sum of float32 numbers the
    rounding errors add up (of 700 x 700 pixels around 10,000 with deviation 1 the mean was wrong by 1).
    """
    images, count, length = rows.shape
    one_row = np.matmul(np.ones_like(rows, shape=(1, count)), rows)
    pixels = one_row.reshape(images, length // channels, channels)
    return np.matmul(np.ones_like(rows, shape=(1, length // channels)), pixels)
