"""Where numbers lie in memory: images channels last, and arrays of one layout as lines of numbers."""

from __future__ import annotations

import math

import numpy as np

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


def lines(*arrays: np.ndarray) -> list[np.ndarray] | None:
    """The arrays as views of one axis, their numbers in one order; None where there is none."""
    first = arrays[0]
    if all(a.flags.c_contiguous and a.size == first.size for a in arrays):
        return [a.reshape(-1) for a in arrays]
    if any(a.strides != first.strides or a.shape != first.shape for a in arrays):
        return None
    order = sorted(range(first.ndim), key=lambda axis: -first.strides[axis])
    turned = [a.transpose(order) for a in arrays]
    return [a.reshape(-1) for a in turned] if turned[0].flags.c_contiguous else None


def alike(x: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """`x` and others of its shape, copied where that is needed for `lines` to hold them."""
    arrays = [x, *others]
    if lines(*arrays) is None:
        x = x if lines(x) is not None else np.ascontiguousarray(x)
        arrays = [x]
        for other in others:
            copy = np.empty_like(x)
            copy[...] = other
            arrays.append(copy)
    return arrays
