"""Pooling: the sum or the largest of the numbers in each window of an image, and the ways back.

A window's position (o, p) and its tap (i, j) meet at pixel ``(o s + i - p0, p s + j - p0)``, as in a
convolution without weights. Each operation goes over the taps, a strided slice of the image for each.

Summing windows is linear, and spreading a number over its window is its adjoint: each is the other's
derivative. The largest number is one chosen number of the window, the first of those that tie (in rows from
the top left) or the last NaN, as in PyTorch; its derivative puts the cotangent where that number was, and the
derivative of that takes it from there again.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..backend import Array
from ..backend.compiled import compiled
from ..backend.convolution.geometry import Geometry, Pair
from .primitive import primitive
from .tensor import raw


@primitive(lambda g, y, x, **window: spread_windows(g, size=tuple(x.shape[2:]), **window))
@compiled
def sum_windows(x: Array, *, kernel: Pair, stride: Pair, padding: Pair) -> Array:
    """The sum of each window: (batch, channels, height, width) -> (batch, channels, ..., ...).

    Outside of the image there are zeros.
    """
    x = _padded(x, padding, 0.0)
    first, *others = (x[tap] for tap in _taps(kernel, stride, _count(x.shape[2:], kernel, stride)))
    y = first.copy()
    for numbers in others:
        y += numbers  # (average-pooling)
    return y


@primitive(lambda u, y, g, size, **window: sum_windows(u, **window))
@compiled
def spread_windows(g: Array, *, kernel: Pair, stride: Pair, padding: Pair, size: Pair) -> Array:
    """Each number added to every pixel of its window, in an image of a given size: adjoint of a sum."""
    x = _blank(g, padding, size)
    for tap in _taps(kernel, stride, tuple(g.shape[2:])):
        x[tap] += g  # (average-pooling)
    return _inside(x, padding, size)


@primitive(
    lambda g, y, x, **window: put_chosen(
        g, choice=chosen_tap(raw(x), raw(y), **window), size=tuple(x.shape[2:]), **window
    )
)
@compiled
def max_windows(x: Array, *, kernel: Pair, stride: Pair, padding: Pair) -> Array:
    """The largest number of each window: (batch, channels, height, width) -> (batch, channels, ..., ...)."""
    x = _padded(x, padding, -np.inf)
    size = _count(x.shape[2:], kernel, stride)
    y = np.full_like(x, -np.inf, shape=(*x.shape[:2], *size))
    for tap in _taps(kernel, stride, size):
        np.maximum(y, x[tap], out=y)  # (max-pooling)
    return y


@compiled
def chosen_tap(x: Array, y: Array, *, kernel: Pair, stride: Pair, padding: Pair) -> Array:
    """Of each window the first tap that met its largest number, or the last that met NaN."""
    taps = list(enumerate(_taps(kernel, stride, tuple(y.shape[2:]))))
    choice = np.zeros_like(y, dtype=np.int32)
    pixels = _padded(x, padding, np.nan)  # which equals nothing: the padding is never chosen
    for i, tap in reversed(taps):
        choice[...] = np.where(pixels[tap] == y, i, choice)  # (max-pooling-vjp)
    pixels = _padded(x, padding, 0.0)
    for i, tap in taps:
        choice[...] = np.where(np.isnan(pixels[tap]), i, choice)
    return choice


@primitive(lambda u, y, g, choice, size, **window: take_chosen(u, choice=choice, **window))
@compiled
def put_chosen(g: Array, *, choice: Array, kernel: Pair, stride: Pair, padding: Pair, size: Pair) -> Array:
    """Each number added to the one pixel of its window that `choice` names, in an image of a given size."""
    x = _blank(g, padding, size)
    for i, tap in enumerate(_taps(kernel, stride, tuple(g.shape[2:]))):
        x[tap] += np.where(choice == i, g, 0)  # (max-pooling-vjp)
    return _inside(x, padding, size)


@primitive(lambda g, y, x, choice, **window: put_chosen(g, choice=choice, size=tuple(x.shape[2:]), **window))
def take_chosen(x: Array, *, choice: Array, kernel: Pair, stride: Pair, padding: Pair) -> Array:
    """Of each window the number at the tap that `choice` names: the adjoint of `put_chosen`."""
    x = _padded(x, padding, 0.0)
    y = np.zeros_like(x, shape=choice.shape)
    for i, tap in enumerate(_taps(kernel, stride, tuple(choice.shape[2:]))):
        y += np.where(choice == i, x[tap], 0)  # (max-pooling-vjp)
    return y


def window_count(size: tuple[int, ...], kernel: Pair, stride: Pair, padding: Pair) -> Pair:
    """How many windows an image of that height and width has, down and across.

    Raises
    ------
    ValueError
        If the kernel is larger than the padded image, or a number is out of range.
    """
    return Geometry.of(kernel, stride, padding, 1, 1).output_size(size)


def _count(size: tuple[int, ...], kernel: Pair, stride: Pair) -> Pair:
    """How many windows a padded image has."""
    return window_count(size, kernel, stride, (0, 0))


def _taps(kernel: Pair, stride: Pair, size: tuple[int, ...]) -> Iterator[tuple[Any, ...]]:
    """For each tap of the kernel, row by row, the pixels of the padded image that it meets."""
    for i in range(kernel[0]):
        for j in range(kernel[1]):
            rows = slice(i, i + (size[0] - 1) * stride[0] + 1, stride[0])
            yield ..., rows, slice(j, j + (size[1] - 1) * stride[1] + 1, stride[1])


def _blank(like: Array, padding: Pair, size: tuple[int, ...], value: float = 0.0) -> Array:
    """Images of a given height and width with `padding` around them, all of one value."""
    height, width = (n + 2 * p for n, p in zip(size, padding, strict=True))
    return np.full_like(like, value, shape=(*like.shape[:2], height, width))


def _inside(x: Array, padding: Pair, size: tuple[int, ...]) -> Array:
    """The image without what was padded."""
    return x[:, :, padding[0] : padding[0] + size[0], padding[1] : padding[1] + size[1]]


def _padded(x: Array, padding: Pair, value: float) -> Array:
    """The image with `value` around it."""
    if padding == (0, 0):
        return x
    padded = _blank(x, padding, x.shape[2:], value)
    _inside(padded, padding, x.shape[2:])[...] = x
    return padded
