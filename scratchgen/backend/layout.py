"""Where numbers lie in memory: images channels last."""

from __future__ import annotations

import math

from .device import Array


def as_pixels(x: Array) -> Array:
    """(batch, channels, ...) -> contiguous (batch, pixels, channels): a view of channels-last memory."""
    last = x.transpose(0, *range(2, x.ndim), 1)
    pixels = last.reshape(len(x), math.prod(x.shape[2:]), x.shape[1])
    return pixels if pixels.flags.c_contiguous else pixels.copy()


def as_images(pixels: Array, like: Array) -> Array:
    """(batch, pixels, channels) -> (batch, channels, ...) of the shape of `like`, a view."""
    last = pixels.reshape(len(pixels), *like.shape[2:], like.shape[1])
    return last.transpose(0, like.ndim - 1, *range(1, like.ndim - 1))
