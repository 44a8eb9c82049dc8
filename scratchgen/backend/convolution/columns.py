"""Convolution by columns: every window of an image written out as one row of a matrix.

With ``im2col(x)`` the matrix whose rows are the windows of x, W the kernels as its columns, and G the
cotangent's pixels as rows, the three contractions are matrix products::

    Y = im2col(x) W,     x_bar = col2im(G W^T),     W_bar = im2col(x)^T G

where col2im, the adjoint of im2col, adds every number back to the pixel that it was read from. These formulas
serve every array, dtype and shape. All functions take and give (batch, height, width, channels) arrays.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from ..compiled import compiled
from ..device import Array
from .geometry import Geometry, Pair


@compiled
def correlate(x: Array, w: Array, *, geometry: Geometry, size: Pair, bias: Array | None = None) -> Array:
    """The convolution of x with w (out, in / groups, kh, kw), of that height and width, plus the bias."""
    windows, kernels = im2col(x, geometry, size), _matrix(w, geometry.groups)
    y = np.matmul(windows, kernels)  # (convolution)
    # (groups, rows, out / groups) -> (batch, height, width, out)
    y = y.transpose(1, 0, 2).reshape(x.shape[0], *size, w.shape[0])
    return y if bias is None else y + bias


@compiled
def correlate_transpose(
    g: Array, w: Array, *, geometry: Geometry, size: Pair, bias: Array | None = None
) -> Array:
    """The transposed convolution of g with w (channels of g, channels of the result / groups, kh, kw)."""
    groups = geometry.groups
    cotangent = g.reshape(-1, groups, w.shape[0] // groups).transpose(1, 0, 2)
    columns = np.matmul(cotangent, _matrix(w, groups).transpose(0, 2, 1))  # (transposed-convolution)
    x = col2im(columns, geometry, (*g.shape[:3], w.shape[1]), size)
    return x if bias is None else x + bias


@compiled
def correlate_weight(x: Array, g: Array, *, geometry: Geometry) -> Array:
    """The weights' contraction (out, in / groups, kh, kw) of x and g."""
    _, height, width, channels_out = g.shape
    groups, (kh, kw) = geometry.groups, geometry.kernel
    columns = im2col(x, geometry, (height, width))
    cotangent = g.reshape(-1, groups, channels_out // groups).transpose(1, 2, 0)
    weight = np.matmul(cotangent, columns)  # (convolution-weight)
    weight = weight.reshape(groups, channels_out // groups, kh, kw, -1)
    return weight.transpose(0, 1, 4, 2, 3).reshape(channels_out, -1, kh, kw)


def im2col(x: Array, geometry: Geometry, size: Pair) -> Array:
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


def col2im(columns: Array, geometry: Geometry, windows: tuple[int, int, int, int], size: Pair) -> Array:
    """The adjoint of `im2col`: images of a given height and width, each the sum of what its windows hold.

    `windows` is (batch, down, across, channels / groups).
    """
    batch, height, width, channels = windows
    groups, (top, left) = geometry.groups, geometry.padding
    columns = columns.reshape(groups, batch, height, width, *geometry.kernel, channels)
    padded_size = size[0] + 2 * top, size[1] + 2 * left
    padded = np.zeros_like(columns, shape=(batch, *padded_size, groups, channels), order="C")
    for i, j, rows, across in _taps(geometry, (height, width)):
        padded[:, rows, across] += columns[:, :, :, :, i, j].transpose(1, 2, 3, 0, 4)
    padded = padded.reshape(batch, *padded_size, groups * channels)
    return padded[:, top : top + size[0], left : left + size[1]]


def _matrix(w: Array, groups: int) -> Array:
    """(out, in / groups, kh, kw) -> (groups, taps and channels, out / groups)."""
    out, channels, kh, kw = w.shape
    grouped = w.reshape(groups, out // groups, channels, kh, kw).transpose(0, 3, 4, 2, 1)
    return grouped.reshape(groups, kh * kw * channels, out // groups)


def _taps(geometry: Geometry, size: Pair) -> Iterator[tuple[int, int, slice, slice]]:
    """Each tap (i, j) with the rows and columns of the padded input that it meets."""
    (kh, kw), (sh, sw), (dh, dw) = geometry.kernel, geometry.stride, geometry.dilation
    for i in range(kh):
        for j in range(kw):
            rows = slice(i * dh, i * dh + (size[0] - 1) * sh + 1, sh)
            across = slice(j * dw, j * dw + (size[1] - 1) * sw + 1, sw)
            yield i, j, rows, across
