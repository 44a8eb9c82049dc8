"""Convolution on the CPU to few output channels: products of whole pixels, then shifted and added.

With one output channel (the last layer of a generator, the gradient of a first layer's input) im2col would
copy every input channel kernel-height x kernel-width times for a product with a thin matrix. Here each input
pixel is multiplied with all taps at once, and the small results are shifted to their places and added. All
functions take and give (batch, height, width, channels) arrays.
"""

from __future__ import annotations

import numpy as np

from ..parallel import parallel_for
from .geometry import Geometry, Pair
from .memory import blocks, scratch, window

BUDGET = 1 << 18
"""Bytes of products in one block."""


def correlate(x: np.ndarray, w: np.ndarray, out: np.ndarray, geometry: Geometry) -> None:
    """Write the convolution of stride 1 of x with w (out, in, kh, kw) into `out`.

    It is the transposed convolution with mirrored taps and the complementary padding.
    """
    mirrored = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
    (eh, ew), (top, left) = geometry.extent, geometry.padding
    _scatter(x, mirrored, out, geometry, (eh - 1 - top, ew - 1 - left))


def correlate_transpose(g: np.ndarray, w: np.ndarray, out: np.ndarray, geometry: Geometry) -> None:
    """Write the transposed convolution of g with w (channels of g, channels of out, kh, kw) into `out`."""
    _scatter(g, w, out, geometry, geometry.padding)


def _scatter(x: np.ndarray, w: np.ndarray, out: np.ndarray, geometry: Geometry, first: Pair) -> None:
    """Write into `out` what all products add up to, from position `first` on."""
    batch, height, width, channels = x.shape
    few, (kh, kw), (sh, sw), (dh, dw) = w.shape[1], geometry.kernel, geometry.stride, geometry.dilation
    matrix = np.ascontiguousarray(w.transpose(2, 3, 1, 0)).reshape(kh * kw * few, channels)
    full = (height - 1) * sh + geometry.extent[0], (width - 1) * sw + geometry.extent[1]

    def block(images: slice) -> None:
        pixels = window(x[images], (0, 0), (height, width), "padded").reshape(-1, channels)
        # Taps first, so that each tap's products are one long row.
        products = scratch("columns", (kh * kw * few, len(pixels)), x.dtype)
        np.matmul(matrix, pixels.T, out=products)
        products = products.reshape(kh, kw, few, -1, height, width)
        total = scratch("result", (few, products.shape[3], *full), x.dtype)
        total[...] = 0
        for i in range(kh):
            for j in range(kw):
                rows = slice(i * dh, i * dh + (height - 1) * sh + 1, sh)
                across = slice(j * dw, j * dw + (width - 1) * sw + 1, sw)
                total[:, :, rows, across] += products[i, j]
        out[images] = window(total.transpose(1, 2, 3, 0), first, out.shape[1:3], "cropped")

    row_bytes = height * width * max(kh * kw * few, channels) * x.itemsize
    parallel_for(block, [images for images, _ in blocks(batch, 1, row_bytes, BUDGET)])
