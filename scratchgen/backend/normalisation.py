"""Group normalisation, with its scale, its shift and the SiLU after it, block by block; and its shares.

Written as ten operations over whole images, it passes thirty times over main memory, forward and back. Here a
block of a few images goes through all operations while it is in a cache of the core's (`BLOCK`), and the
blocks go to all threads. Rows of several pixels, and sums as products with ones, are those of
`channels.py`. With h = y / 2, ``silu(y) = y s(y) = h (1 + tanh h)``: NumPy's tanh is vectorised and cannot
overflow, and halving costs nothing, since scale and shift can be halved instead.

For 64 images of 28 x 28 pixels and 32 channels, with SiLU, one thread of a 2.5 GHz Xeon took 2.7 ms for the
statistics, 5.5 forward and 10.7 back (PyTorch, in the same minutes, 5.5 forward and 7.6 back). Blocks of
2^15, 2^16, 2^17 and 2^18 numbers took 13.2, 11.7, 10.7 and 12.1 ms back: in smaller ones the calls cost more
than their work, larger ones leave the second-level cache. Two threads, which wait for Python's lock between
calls, want larger ones: with 96 channels 41, 28 and 27 ms for 2^17, 2^18 and 2^19.

On a device the same lines run once, on the whole batch.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .blocks import parts
from .channels import as_images, as_pixels, pixels_in_row, spread, sum_rows
from .convolution.memory import temporary
from .device import Array
from .parallel import parallel_for

BLOCK = 1 << 18  # numbers

Statistics = tuple[Array, Array]


def group_statistics(x: Array, groups: int, eps: float) -> Statistics:
    """Mean and 1 / sqrt(var + eps) of each group of each image, once for each of its channels.

    Parameters
    ----------
    x : array (batch, channels, ...)
        Best with channels-last memory.
    groups : int
        Divides the channels.
    eps : float

    Returns
    -------
    two arrays (batch, 1, channels)
    """
    pixels = as_pixels(x)
    layout = _Layout(pixels, groups)
    means, rstds = (np.empty_like(pixels, shape=(len(pixels), 1, layout.channels)) for _ in range(2))

    def work(images: slice) -> None:
        block = pixels[images]
        means[images] = layout.group_means(layout.pixel_sums(block))
        minus_mean = layout.spread(-means[images])
        rows = layout.rows(block)
        # The squares of what is left without the mean: a difference of two large sums would lose digits.
        squares = np.add(rows, minus_mean, out=temporary("normal 0", rows))
        squares *= squares
        rstds[images] = (layout.group_means(layout.pixel_sums(squares)) + eps) ** -0.5

    _for_blocks(work, pixels)
    return means, rstds


def group_norm(
    x: Array, weight: Array, bias: Array, groups: int, statistics: Statistics, silu: bool
) -> Array:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, then SiLU if asked for.

    Parameters
    ----------
    x : array (batch, channels, ...)
    weight, bias : array (channels,)
    groups : int
    statistics : what `group_statistics` gives for x
    silu : bool

    Returns
    -------
    array (batch, channels, ...)
        With channels-last memory.
    """
    pixels = as_pixels(x)
    out = np.empty_like(pixels)
    layout = _Layout(pixels, groups)
    scale, shift = _affine(weight, bias, statistics, silu)

    def work(images: slice) -> None:
        y = np.multiply(
            layout.rows(pixels[images]), layout.spread(scale[images]), out=layout.rows(out[images])
        )
        y += layout.spread(shift[images])
        if silu:
            t = np.tanh(y, out=temporary("normal 0", y))
            t += 1
            y *= t

    _for_blocks(work, pixels)
    return as_images(out, x)


def group_norm_shares(
    g: Array, x: Array, weight: Array, bias: Array, groups: int, statistics: Statistics, silu: bool
) -> tuple[Array, Array, Array]:
    """The vector-Jacobian products of `group_norm` with cotangent g, by x, weight and bias.

    With u = (x - mean) rstd, y = u weight + bias, q = g silu'(y) (or g), and M the mean over the pixels and
    channels of a group: ::

        x: (q weight - M(q weight) - u M(u q weight)) rstd
        weight: sum of q u,     bias: sum of q,     over images and pixels            (group-norm-shares)
    """
    pixels, cotangent = as_pixels(x), as_pixels(g)
    out = np.empty_like(pixels)
    layout = _Layout(pixels, groups)
    mean, rstd = statistics
    scale, shift = _affine(weight, bias, statistics, silu)
    half = 0.5 if silu else 1.0  # with SiLU, what is called q in the code is 2 q
    of_q, of_qu = np.zeros_like(mean), np.zeros_like(mean)  # sums over the pixels

    def work(images: slice) -> None:
        rows, upstream, result = (layout.rows(a[images]) for a in (pixels, cotangent, out))
        product, q = (temporary(f"normal {i}", rows) for i in range(2))
        scale_rows = layout.spread(scale[images])
        if silu:
            h = np.multiply(rows, scale_rows, out=product)
            h += layout.spread(shift[images])
            _twice_silu_slope(h, out=q)
            q *= upstream
        else:
            q = upstream
        np.multiply(q, rows, out=product)
        of_q[images] = layout.pixel_sums(q)
        of_qu[images] = (layout.pixel_sums(product) - of_q[images] * mean[images]) * rstd[images]
        by_x = rstd[images] ** 2 * layout.group_means(of_qu[images] * (weight * half))
        constant = by_x * mean[images] - rstd[images] * layout.group_means(of_q[images] * (weight * half))
        np.multiply(q, scale_rows, out=result)
        result -= np.multiply(rows, layout.spread(by_x), out=product)
        result += layout.spread(constant)

    _for_blocks(work, pixels)
    for_weight, for_bias = (sums.sum(axis=(0, 1)) * half for sums in (of_qu, of_q))
    return as_images(out, x), for_weight, for_bias


def _affine(weight: Array, bias: Array, statistics: Statistics, silu: bool) -> Statistics:
    """Scale and shift that make y of x, or with SiLU h = y / 2: two arrays (batch, 1, channels)."""
    mean, rstd = statistics
    half = 0.5 if silu else 1.0
    scale = rstd * (weight * half)
    return scale, bias * half - mean * scale


def _twice_silu_slope(h: Array, out: Array) -> None:
    """``2 silu'(2 h) = 1 + t + h (1 - t^2)`` with t = tanh h; `h` is overwritten."""
    t = np.tanh(h, out=out)
    rest = np.multiply(t, t, out=temporary("normal 2", t))
    np.subtract(1, rest, out=rest)
    h *= rest
    t += h
    t += 1


class _Layout:
    """How blocks of images are seen: as rows of several pixels, and as groups of channels.

    Parameters
    ----------
    pixels : array (batch, pixels, channels)
        All images; the blocks are some of them.
    groups : int
    """

    def __init__(self, pixels: Array, groups: int) -> None:
        _, self.count, self.channels = pixels.shape
        self.repeats = pixels_in_row(self.count, self.channels)
        self.groups = groups

    def pixel_sums(self, x: Array) -> Array:
        """The sum over the pixels: (images, pixels, channels), or as rows -> (images, 1, channels)."""
        return sum_rows(self.rows(x), self.channels)

    def group_means(self, sums: Array) -> Array:
        """From sums over the pixels the mean over each group, for all its channels: (images, 1, channels)."""
        grouped = sums.reshape(len(sums), 1, self.groups, self.channels // self.groups)
        means = grouped.sum(axis=3, keepdims=True) * (self.groups / (self.count * self.channels))
        return np.broadcast_to(means, grouped.shape).reshape(sums.shape)

    def rows(self, x: Array) -> Array:
        """(images, pixels, channels) -> (images, rows, pixels of a row * channels), a view."""
        return x.reshape(len(x), self.count // self.repeats, self.repeats * self.channels)

    def spread(self, x: Array) -> Array:
        """One number for each channel (..., channels), repeated for the pixels of a row."""
        return spread(x, self.repeats)


def _for_blocks(work: Callable[[slice], None], pixels: Array) -> None:
    """Call `work` on blocks of images."""
    if pixels.size:
        parallel_for(work, parts(pixels, BLOCK))
