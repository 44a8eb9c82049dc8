"""Batch normalisation: statistics over all pixels of all images, then a scale and a shift for each channel.

Mean and variance need the whole batch before the first number can be written, so the batch is passed three
times forward and twice back, each time in blocks that go to all threads; see `channels.py` for the rows.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from .blocks import even_slices
from .channels import as_images, as_pixels, pixels_in_row, spread
from .convolution.memory import temporary
from .device import Array
from .parallel import parallel_for

BLOCK = 1 << 18  # numbers

Statistics = tuple[Array, Array]


def batch_statistics(x: Array) -> Statistics:
    """Mean and (biased) variance of each channel of x (batch, channels, ...): two arrays (channels,)."""
    rows = _Rows(x)
    values = rows.of(as_pixels(x))
    (total,) = rows.add_up(lambda block: values[block])
    mean = total / rows.count
    minus_mean = rows.spread(-mean)

    def squares(block: slice) -> Array:
        centred = np.add(values[block], minus_mean, out=temporary("batch norm 0", values[block]))
        return np.multiply(centred, centred, out=centred)

    (total,) = rows.add_up(squares)
    return mean, total / rows.count


def batch_norm(x: Array, weight: Array, bias: Array, statistics: Statistics, eps: float) -> Array:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, of the shape of x (batch, channels, ...)."""
    mean, variance = statistics
    rows = _Rows(x)
    pixels = as_pixels(x)
    out = np.empty_like(pixels)
    values, results = rows.of(pixels), rows.of(out)
    scale = weight / np.sqrt(variance + eps)
    minus_mean, scale, shift = (rows.spread(a) for a in (-mean, scale, bias))

    def work(block: slice) -> None:
        y = np.add(values[block], minus_mean, out=results[block])
        y *= scale
        y += shift

    rows.for_blocks(work)
    return as_images(out, x)


def batch_norm_shares(
    g: Array, x: Array, weight: Array, statistics: Statistics, eps: float
) -> tuple[Array, Array, Array]:
    """The vector-Jacobian products of `batch_norm` with cotangent g, by x, weight and bias.

    With u = (x - mean) / sqrt(var + eps), where mean and var are those of x, and M the mean over all pixels
    of all images: ::

        x: (g - M(g) - u M(u g)) weight / sqrt(var + eps)
        weight: sum of g u,     bias: sum of g,     over images and pixels            (batch-norm-shares)
    """
    mean, variance = statistics
    rows = _Rows(x)
    pixels = as_pixels(x)
    out = np.empty_like(pixels)
    values, upstream, results = rows.of(pixels), rows.of(as_pixels(g)), rows.of(out)
    rstd = 1 / np.sqrt(variance + eps)
    minus_mean = rows.spread(-mean)

    def products(block: slice) -> Array:
        centred = np.add(values[block], minus_mean, out=temporary("batch norm 0", values[block]))
        return np.multiply(centred, upstream[block], out=centred)

    for_bias, for_weight = rows.add_up(lambda block: upstream[block], products)
    for_weight *= rstd
    scale = weight * rstd
    by_x = scale * rstd * for_weight / rows.count
    constant = mean * by_x - scale * for_bias / rows.count
    scale, by_x, constant = (rows.spread(a) for a in (scale, by_x, constant))

    def work(block: slice) -> None:
        share = np.multiply(upstream[block], scale, out=results[block])
        share -= np.multiply(values[block], by_x, out=temporary("batch norm 0", values[block]))
        share += constant

    rows.for_blocks(work)
    return as_images(out, x), for_weight, for_bias


class _Rows:
    """All pixels of all images of x (batch, channels, ...) as rows of several pixels, and blocks of rows."""

    def __init__(self, x: Array) -> None:
        self.channels = x.shape[1]
        self.count = max(x.size // max(self.channels, 1), 1)
        self.repeats = pixels_in_row(self.count, self.channels)
        self.length = self.repeats * self.channels
        rows = x.size // max(self.length, 1)
        self.blocks = even_slices(rows, -(-x.size // BLOCK) if isinstance(x, np.ndarray) else 1)
        self.nothing = np.zeros_like(x, shape=(self.channels,))
        self.ones = np.ones_like(x, shape=(1, self.blocks[0].stop if rows else 0))

    def of(self, pixels: Array) -> Array:
        """(batch, pixels, channels) -> (rows, pixels of a row * channels), a view."""
        return pixels.reshape(-1, max(self.length, 1))

    def spread(self, x: Array) -> Array:
        """One number for each channel, repeated for the pixels of a row."""
        return spread(x, self.repeats)

    def add_up(self, *values: Callable[[slice], Array]) -> list[Array]:
        """The sums over all pixels of what each of `values` makes of the blocks: (channels,) each."""

        def block_sums(block: slice) -> list[Array]:
            made = (make(block) for make in values)
            return [np.matmul(self.ones[:, : len(m)], m).reshape(self.repeats, -1).sum(axis=0) for m in made]

        by_block = self.for_blocks(block_sums) or [[self.nothing] * len(values)]
        return [sum(sums, start=self.nothing) for sums in zip(*by_block, strict=True)]

    def for_blocks(self, work: Callable[[slice], Any]) -> list[Any]:
        return parallel_for(work, self.blocks)
