"""3 x 3 convolutions of stride 1 with a quarter of the multiplications: Winograd's F(4 x 4, 3 x 3).

Along one axis, four outputs of three taps come from a tile of six inputs d and the kernel w as a product of
polynomials, evaluated at six points (five numbers and infinity), multiplied there, and interpolated:

    y = A^T [(G w) * (B^T d)],       in two dimensions       Y = A^T [(G w G^T) * (B^T d B)] A

with 36 multiplications for 16 outputs, where the definition needs 144. The elementwise product, summed over
input channels, is 36 matrix products. The three transforms are matrix products too, of 6 x 6 and 4 x 6
matrices with long rows of pixels, so BLAS does all the arithmetic and NumPy only moves pixels. The form is
trilinear: the gradient of the weights is the same expression read the other way,
``G^T [(B^T d B) * (A g A^T)] G``.

Sources: Lavin and Gray, "Fast algorithms for convolutional neural networks" (2016), equations 7 and 8; the
matrices are the Toom-Cook construction (Blahut, "Fast algorithms for signal processing", 2010, chapter 5).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable

import numpy as np

from ..parallel import parallel_for
from .geometry import Pair
from .memory import Block, blocks, runs, scratch, window

OUTPUTS, TAPS = 4, 3
TILE = OUTPUTS + TAPS - 1

POINTS = (0.0, 0.75, -0.75, 1.5, -1.5)
"""The points of evaluation, besides infinity. With the usual 0, 1, -1, 2, -2 float32 errs twice as much (root
mean square 1.7e-6 of the result's deviation at 64 channels; these 0.8e-6; the direct product 0.2e-6)."""

BUDGET = 1 << 20
"""Bytes of transformed tiles in one block: for 64 to 64 channels at 28 x 28, batch 64, one thread takes 33.1,
28.5, 26.4, 26.9, 48.5 ms with 2^18 to 2^22 (Xeon with AVX-512, OpenBLAS with its SkylakeX kernels)."""

STRIPS = 4
"""Partial sums of the weight contraction: fixed, so that results do not depend on the number of threads."""


@functools.cache
def matrices(dtype: np.dtype) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A (6, 4), B (6, 6) and G (6, 3), with ``A^T [(G w) * (B^T d)]`` the convolution of d with w.

    Row l of A and G evaluates a polynomial at point l (the last row, at infinity, takes its highest
    coefficient); column l of B holds the coefficients of the polynomial with roots at all other points.
    """
    points = np.array(POINTS)
    a, b, g = np.zeros((TILE, OUTPUTS)), np.zeros((TILE, TILE)), np.zeros((TILE, TAPS))
    for row, point in enumerate(points):
        others = np.delete(points, row)
        a[row] = point ** np.arange(OUTPUTS)
        g[row] = point ** np.arange(TAPS) / np.prod(point - others)
        b[: TILE - 1, row] = np.poly(others)[::-1]
    a[-1, -1] = g[-1, -1] = 1
    b[:, -1] = np.poly(points)[::-1]
    return a.astype(dtype), b.astype(dtype), g.astype(dtype)


def correlate(x: np.ndarray, w: np.ndarray, out: np.ndarray, padding: Pair) -> None:
    """Write the convolution of x (batch, height, width, in) with w (out, in, 3, 3) into `out`."""
    batch, height, width, channels_out = out.shape
    channels = x.shape[3]
    down, across = -(-height // OUTPUTS), -(-width // OUTPUTS)
    a, b, g = matrices(x.dtype)
    kernel = np.kron(g, g) @ w.transpose(3, 2, 1, 0).reshape(TAPS * TAPS, -1)
    kernel = kernel.reshape(TILE * TILE, channels, channels_out)

    def block(part: Block) -> None:
        images, rows = part
        tiles = _input_tiles(x[images], rows, across, padding, b)
        products = scratch("products", (TILE * TILE, tiles.shape[1], channels_out), x.dtype)
        np.matmul(tiles, kernel, out=products)
        _write_outputs(products, out[images, OUTPUTS * rows.start : OUTPUTS * rows.stop], across, a)

    row_bytes = TILE * TILE * across * max(channels, channels_out) * x.itemsize
    parallel_for(block, blocks(batch, down, row_bytes, BUDGET))


def correlate_weight(x: np.ndarray, g: np.ndarray, padding: Pair) -> np.ndarray:
    """The weights' contraction (out, in, 3, 3) of x (batch, height, width, in) and g (batch, ..., out)."""
    batch, height, width, channels_out = g.shape
    channels = x.shape[3]
    down, across = -(-height // OUTPUTS), -(-width // OUTPUTS)
    a, b, evaluate = matrices(x.dtype)

    def strip(parts: Iterable[Block]) -> np.ndarray:
        total = np.zeros((TILE * TILE, channels, channels_out), x.dtype)
        product = scratch("product", total.shape, x.dtype)
        for images, rows in parts:
            tiles = _input_tiles(x[images], rows, across, padding, b)
            first, size = (OUTPUTS * rows.start, 0), (OUTPUTS * (rows.stop - rows.start), OUTPUTS * across)
            cotangent = window(g[images], first, size, "padded")
            cotangent = _transform(cotangent, a, across, "cotangent tiles")
            total += np.matmul(tiles.transpose(0, 2, 1), cotangent, out=product)
        return total

    row_bytes = TILE * TILE * across * max(channels, channels_out) * x.itemsize
    cut = blocks(batch, down, row_bytes, BUDGET)
    length = -(-len(cut) // STRIPS)
    totals = parallel_for(strip, [cut[i : i + length] for i in range(0, len(cut), length)])
    total = functools.reduce(np.add, totals).reshape(TILE * TILE, -1)
    total = np.kron(evaluate, evaluate).T @ total
    return np.ascontiguousarray(total.reshape(TAPS, TAPS, channels, channels_out).transpose(3, 2, 1, 0))


def _input_tiles(x: np.ndarray, rows: slice, across: int, padding: Pair, b: np.ndarray) -> np.ndarray:
    """B^T d B of the overlapping 6 x 6 tiles in some rows of tiles: (36, tiles, channels)."""
    overlap = TILE - OUTPUTS
    first = OUTPUTS * rows.start - padding[0], -padding[1]
    size = OUTPUTS * (rows.stop - rows.start) + overlap, OUTPUTS * across + overlap
    return _transform(window(x, first, size, "padded"), b.T, across, "input tiles")


def _transform(x: np.ndarray, matrix: np.ndarray, across: int, name: str) -> np.ndarray:
    """``matrix d matrix^T`` for each square tile d, tiles starting every 4 pixels: (36, tiles, channels).

    The columns of all tiles in a row of tiles are transformed in one product, before overlapping tiles are
    written out apart; entry (j, i) of a transformed tile is at 6 j + i.
    """
    images, height, width, channels = x.shape
    side = matrix.shape[1]
    down = (height - side) // OUTPUTS + 1
    step_n, step_h, step_w, step_c = x.strides
    row_strides = step_n, OUTPUTS * step_h, step_h, step_c
    lines = np.ndarray((images, down, side, width * channels), x.dtype, x, strides=row_strides)
    columns = scratch("columns", (TILE, images, down, width * channels), x.dtype)
    np.matmul(matrix, lines, out=columns.transpose(1, 2, 0, 3))

    pixels = runs(columns.reshape(TILE, images, down, width, channels))
    step_i, step_n, step_h, step_w = pixels.strides
    apart = np.ndarray(
        (side, TILE, images, down, across),
        pixels.dtype,
        columns,
        strides=(step_w, step_i, step_n, step_h, OUTPUTS * step_w),
    )
    gathered = scratch("gathered", (*apart.shape, channels), x.dtype)
    np.copyto(runs(gathered), apart)

    tiles = scratch(name, (TILE, TILE, images * down * across * channels), x.dtype)
    np.matmul(matrix, gathered.reshape(side, TILE, -1).transpose(1, 0, 2), out=tiles.transpose(1, 0, 2))
    return tiles.reshape(TILE * TILE, -1, channels)


def _write_outputs(products: np.ndarray, out: np.ndarray, across: int, a: np.ndarray) -> None:
    """A^T M A of every tile M, the last ones cut off where the image ends, written into `out`."""
    images, height, width, channels = out.shape
    down = -(-height // OUTPUTS)
    half = scratch("columns", (OUTPUTS, TILE, products[0].size), out.dtype)
    np.matmul(a.T, products.reshape(TILE, TILE, -1).transpose(1, 0, 2), out=half.transpose(1, 0, 2))
    tiles = scratch("gathered", (OUTPUTS, OUTPUTS, images, down, across, channels), out.dtype)
    np.matmul(a.T, half, out=tiles.reshape(OUTPUTS, OUTPUTS, -1))

    size = OUTPUTS * down, OUTPUTS * across
    exact = (height, width) == size and out.flags.c_contiguous
    whole = out if exact else scratch("padded", (images, *size, channels), out.dtype)
    # (column, row, image, tile row, tile column) -> (image, tile row, row, tile column, column)
    target = runs(whole).reshape(images, down, OUTPUTS, across, OUTPUTS)
    np.copyto(target, runs(tiles).transpose(2, 3, 1, 4, 0))
    if not exact:
        runs(out)[...] = runs(whole)[:, :height, :width]
