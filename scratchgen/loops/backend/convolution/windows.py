"""Convolution by columns, a block at a time: im2col, its adjoint, and products by BLAS.

For a whole batch the matrix of all windows is kernel-height x kernel-width times the images and travels to
main memory and back. Here it is written for some rows of windows, in memory that stays in the core's cache.
A kernel of one tap needs no copy: the pixels are the windows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ....backend.blas import sgemm
from ....backend.compiled import loop
from ....backend.convolution.geometry import Geometry
from ....backend.threads import hold_blas, parallel_for, release_blas
from ...products import NO_BIAS

BLOCK = 1 << 16
"""Numbers of windows written out in one block."""

PIECE = 1 << 21
"""Multiplications below which a piece of work is not worth handing over."""

MOST_PIECES = 32

STRIPS = 4
"""Partial sums of the weight contraction: fixed, so that results do not depend on the number of threads."""


def correlate(x: np.ndarray, w: np.ndarray, y: np.ndarray, geometry: Geometry, bias: Any) -> None:
    """Write the convolution of x with w (out, in / groups, kh, kw) into y."""
    if y.size:
        matrix = _matrix(w, geometry.groups)
        lines = y.shape[0] * y.shape[1]
        pieces = _pieces(lines, y.size * matrix.shape[1])
        _correlate(pieces, x, matrix, *_numbers(geometry), _or_none(bias), _in_block(y, matrix), y)


def correlate_transpose(g: np.ndarray, w: np.ndarray, x: np.ndarray, geometry: Geometry, bias: Any) -> None:
    """Write the transposed convolution of g with w (channels of g, of x / groups, kh, kw) into x."""
    if x.size:
        matrix = np.ascontiguousarray(_matrix(w, geometry.groups).transpose(0, 2, 1))
        pieces = _pieces(len(x), g.size * matrix.shape[2])
        _transpose(pieces, g, matrix, *_numbers(geometry), _or_none(bias), _in_block(g, matrix), x)


def correlate_weight(x: np.ndarray, g: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The weights' contraction (out, in / groups, kh, kw) of x and g."""
    (kh, kw), groups, out = geometry.kernel, geometry.groups, g.shape[3]
    sums = np.zeros((STRIPS, groups, kh * kw * (x.shape[3] // groups), out // groups), np.float32)
    if g.size:
        _weight(x, g, *_numbers(geometry), _in_block(g, sums[0]), sums)
    taps = sums.sum(0).reshape(groups, kh, kw, -1, out // groups)
    return np.ascontiguousarray(taps.transpose(0, 4, 3, 1, 2)).reshape(out, -1, kh, kw)


def _matrix(w: np.ndarray, groups: int) -> np.ndarray:
    """(out, in / groups, kh, kw) -> (groups, taps and channels, out / groups)."""
    out, channels, kh, kw = w.shape
    grouped = w.reshape(groups, out // groups, channels, kh, kw).transpose(0, 3, 4, 2, 1)
    return np.ascontiguousarray(grouped).reshape(groups, kh * kw * channels, out // groups)


def _numbers(geometry: Geometry) -> tuple[Any, ...]:
    return geometry.kernel, geometry.stride, geometry.padding, geometry.dilation


def _or_none(bias: Any) -> np.ndarray:
    return NO_BIAS if bias is None else plain(bias)


def plain(x: np.ndarray) -> np.ndarray:
    """The array, or a copy of it, as every loop is compiled for: contiguous, aligned and writeable."""
    return np.require(x, requirements="CAW")


def _pieces(lines: int, multiplications: int) -> int:
    return max(1, min(lines, MOST_PIECES, multiplications // PIECE))


def _in_block(windows: np.ndarray, matrix: np.ndarray) -> int:
    """Rows of windows in a block: (batch, rows, columns, channels), (groups, inside, outside)."""
    return max(
        1, min(windows.shape[1], BLOCK // (windows.shape[2] * matrix.shape[0] * max(matrix.shape[1:])))
    )


@loop
def _correlate(pieces, x, matrix, kernel, stride, padding, dilation, bias, most, y):
    hold_blas()
    parallel_for(
        _correlate_piece, pieces, (pieces, x, matrix, kernel, stride, padding, dilation, bias, most, y)
    )
    release_blas()


@loop
def _correlate_piece(i, pieces, x, matrix, kernel, stride, padding, dilation, bias, most, y):
    batch, height, width, out = y.shape
    groups, inside, outside = matrix.shape
    only_pixels = kernel == (1, 1) and stride == (1, 1) and padding == (0, 0)
    columns = np.empty((groups, 0 if only_pixels else most * width, inside), np.float32)
    beta = np.float32(min(bias.size, 1))
    stop = (i + 1) * batch * height // pieces
    for first in range(i * batch * height // pieces, stop, most):
        last = min(first + most, stop)
        results = y.reshape(batch * height * width, out)[first * width : last * width]
        if bias.size:
            for r in range(len(results)):
                results[r] = bias
        if not only_pixels:
            im2col(x, first, last, height, width, kernel, stride, padding, dilation, columns)
        for g in range(groups):
            if only_pixels:
                source, step = x.ctypes.data + 4 * (first * width * x.shape[3] + g * inside), x.shape[3]
            else:
                source, step = columns[g].ctypes.data, inside
            sgemm(
                False, False, len(results), outside, inside, source, step, matrix[g].ctypes.data, outside,
                beta, results.ctypes.data + 4 * g * outside, out,
            )  # fmt: skip


@loop
def _transpose(pieces, g, matrix, kernel, stride, padding, dilation, bias, most, x):
    hold_blas()
    parallel_for(
        _transpose_piece, pieces, (pieces, g, matrix, kernel, stride, padding, dilation, bias, most, x)
    )
    release_blas()


@loop
def _transpose_piece(i, pieces, g, matrix, kernel, stride, padding, dilation, bias, most, x):
    batch, height, width, channels = g.shape
    groups, inside, outside = matrix.shape
    columns = np.empty((groups, most * width, outside), np.float32)
    for image in range(i * batch // pieces, (i + 1) * batch // pieces):
        pixels = x[image].reshape(-1, x.shape[3])
        for r in range(len(pixels)):
            if bias.size:
                pixels[r] = bias
            else:
                pixels[r] = np.float32(0)
        for first in range(image * height, (image + 1) * height, most):
            last = min(first + most, (image + 1) * height)
            for group in range(groups):
                sgemm(
                    False, False, (last - first) * width, outside, inside,
                    g.ctypes.data + 4 * (first * width * channels + group * inside), channels,
                    matrix[group].ctypes.data, outside,
                    np.float32(0), columns[group].ctypes.data, outside,
                )  # fmt: skip
            col2im(columns, first, last, height, width, kernel, stride, padding, dilation, x)


@loop
def _weight(x, g, kernel, stride, padding, dilation, most, sums):
    hold_blas()
    parallel_for(_weight_piece, len(sums), (x, g, kernel, stride, padding, dilation, most, sums))
    release_blas()


@loop
def _weight_piece(i, x, g, kernel, stride, padding, dilation, most, sums):
    batch, height, width, out = g.shape
    strips, groups, inside, outside = sums.shape
    columns = np.empty((groups, most * width, inside), np.float32)
    stop = (i + 1) * batch * height // strips
    for first in range(i * batch * height // strips, stop, most):
        last = min(first + most, stop)
        im2col(x, first, last, height, width, kernel, stride, padding, dilation, columns)
        for group in range(groups):
            sgemm(
                True, False, inside, outside, (last - first) * width,
                columns[group].ctypes.data, inside,
                g.ctypes.data + 4 * (first * width * out + group * outside), out,
                np.float32(1), sums[i, group].ctypes.data, outside,
            )  # fmt: skip


@loop
def im2col(x, first, last, height, width, kernel, stride, padding, dilation, columns):
    """Write the rows `first` to `last` of windows (of all images, one after another) as rows of matrices.

    `columns` is (groups, windows, taps * channels / groups).
    """
    channels = columns.shape[2] // (kernel[0] * kernel[1])
    for q in range(first, last):
        picture, begin = x[q // height], (q - first) * width
        for i in range(kernel[0]):
            row = q % height * stride[0] + i * dilation[0] - padding[0]
            for j in range(kernel[1]):
                at, shift = (i * kernel[1] + j) * channels, j * dilation[1] - padding[1]
                low, high = inside_of(row, shift, stride[1], width, picture.shape)
                for group in range(len(columns)):
                    windows = columns[group]
                    for p in range(width):
                        if p < low or p >= high:
                            windows[begin + p, at : at + channels] = np.float32(0)
                    if low < high:
                        pixels, of = picture[row], group * channels
                        if channels == 1:
                            for p in range(low, high):
                                windows[begin + p, at] = pixels[p * stride[1] + shift, of]
                        else:
                            for p in range(low, high):
                                source = pixels[p * stride[1] + shift, of : of + channels]
                                target = windows[begin + p, at : at + channels]
                                for c in range(channels):
                                    target[c] = source[c]


@loop
def col2im(columns, first, last, height, width, kernel, stride, padding, dilation, x):
    """The adjoint of `im2col`: add what stands in these rows of windows to the pixels of x."""
    channels = columns.shape[2] // (kernel[0] * kernel[1])
    for q in range(first, last):
        picture, begin = x[q // height], (q - first) * width
        for i in range(kernel[0]):
            row = q % height * stride[0] + i * dilation[0] - padding[0]
            for j in range(kernel[1]):
                at, shift = (i * kernel[1] + j) * channels, j * dilation[1] - padding[1]
                low, high = inside_of(row, shift, stride[1], width, picture.shape)
                if low < high:
                    for group in range(len(columns)):
                        windows, pixels, of = columns[group], picture[row], group * channels
                        if channels == 1:
                            for p in range(low, high):
                                pixels[p * stride[1] + shift, of] += windows[begin + p, at]
                        else:
                            for p in range(low, high):
                                source = windows[begin + p, at : at + channels]
                                target = pixels[p * stride[1] + shift, of : of + channels]
                                for c in range(channels):
                                    target[c] += source[c]


@loop
def inside_of(row, shift, step, width, shape):
    """The windows p of which the tap at column ``p * step + shift`` of a row is inside the image."""
    if not 0 <= row < shape[0]:
        return width, width
    low = min(width, (max(0, -shift) + step - 1) // step)
    high = min(width, (shape[1] - 1 - shift) // step + 1)
    return low, max(low, high)
