"""Convolution on any array type, in operations that NumPy hands on to the array's own library.

Kernel taps are taken as strided slices, kernel-height x kernel-width of them, which every array library has;
their products are one large matrix product, as a GPU likes it. All functions take and give
(batch, height, width, channels) arrays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..device import Array
from .geometry import Geometry, Pair


def correlate(x: Array, w: Array, geometry: Geometry, size: Pair) -> Array:
    """The convolution of x with w (out, in / groups, kh, kw), of that height and width."""
    columns = _im2col(x, geometry, size)  # (groups, rows, taps and channels)
    y = np.matmul(columns, _matrix(w, geometry.groups))  # (groups, rows, out / groups)
    return y.transpose(1, 0, 2).reshape(x.shape[0], *size, w.shape[0])


def correlate_transpose(g: Array, w: Array, geometry: Geometry, size: Pair) -> Array:
    """The transposed convolution of g with w (channels of g, channels of the result / groups, kh, kw)."""
    batch, height, width, _ = g.shape
    groups, (kh, kw), (top, left) = geometry.groups, geometry.kernel, geometry.padding
    cotangent = g.reshape(batch * height * width, groups, w.shape[0] // groups).transpose(1, 0, 2)
    columns = np.matmul(cotangent, _matrix(w, groups).transpose(0, 2, 1))
    columns = columns.reshape(groups, batch, height, width, kh, kw, w.shape[1])
    padded_size = size[0] + 2 * top, size[1] + 2 * left
    padded = np.zeros_like(g, shape=(batch, *padded_size, groups, w.shape[1]), order="C")
    for i, j, rows, across in _taps(geometry, (height, width)):
        padded[:, rows, across] += columns[:, :, :, :, i, j].transpose(1, 2, 3, 0, 4)
    padded = padded.reshape(batch, *padded_size, groups * w.shape[1])
    return padded[:, top : top + size[0], left : left + size[1]]


def correlate_weight(x: Array, g: Array, geometry: Geometry) -> Array:
    """The weights' contraction (out, in / groups, kh, kw) of x and g."""
    batch, height, width, channels_out = g.shape
    groups, (kh, kw) = geometry.groups, geometry.kernel
    columns = _im2col(x, geometry, (height, width))
    cotangent = g.reshape(batch * height * width, groups, channels_out // groups).transpose(1, 2, 0)
    weight = np.matmul(cotangent, columns).reshape(groups, channels_out // groups, kh, kw, -1)
    return weight.transpose(0, 1, 4, 2, 3).reshape(channels_out, -1, kh, kw)


def _matrix(w: Array, groups: int) -> Array:
    """(out, in / groups, kh, kw) -> (groups, taps and channels, out / groups)."""
    out, channels, kh, kw = w.shape
    grouped = w.reshape(groups, out // groups, channels, kh, kw).transpose(0, 3, 4, 2, 1)
    return grouped.reshape(groups, kh * kw * channels, out // groups)


def _im2col(x: Array, geometry: Geometry, size: Pair) -> Array:
    """Every window as a row: (groups, batch * height * width, kh * kw * channels / groups)."""
    batch, height, width, channels = x.shape
    groups, (kh, kw), (top, left) = geometry.groups, geometry.kernel, geometry.padding
    padded = np.zeros_like(x, shape=(batch, height + 2 * top, width + 2 * left, channels), order="C")
    padded[:, top : top + height, left : left + width] = x
    padded = padded.reshape(*padded.shape[:3], groups, channels // groups)
    columns = np.empty_like(x, shape=(groups, batch, *size, kh, kw, channels // groups), order="C")
    for i, j, rows, across in _taps(geometry, size):
        columns[:, :, :, :, i, j] = padded[:, rows, across].transpose(3, 0, 1, 2, 4)
    return columns.reshape(groups, batch * size[0] * size[1], kh * kw * (channels // groups))


def _taps(geometry: Geometry, size: Pair) -> Iterator[tuple[int, int, slice, slice]]:
    """Each tap (i, j) with the rows and columns of the padded input that it meets."""
    (kh, kw), (sh, sw), (dh, dw) = geometry.kernel, geometry.stride, geometry.dilation
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + (size[0] - 1) * sh + 1, sh)
            across = slice(j * dw, j * dw + (size[1] - 1) * sw + 1, sw)
            yield i, j, rows, across
