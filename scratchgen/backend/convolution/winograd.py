"""Convolution on the CPU without im2col: minimal filtering down the columns, windows along the rows.

Down the columns of the image the taps are applied by minimal filtering (`minimal.py`), at every point of
evaluation apart:

1. evaluate: the rows under a tile of (7) outputs, times B^T. One matrix product for each tile of an image,
   with whole rows of pixels as its columns; it reads the image where it is and writes into `lines`.
2. multiply: along the rows the taps are windows of neighbouring pixels, rows of a matrix without any copy
   (`lines.py`), times the evaluated kernel: the bulk of the work, in 9/21 of the multiplications.
3. interpolate: A^T times the products, one matrix product for each tile, straight into the result.

So BLAS does everything, and no pixel is copied. In two dimensions minimal filtering needs fewer
multiplications still (Lavin and Gray), but its tiles have to be gathered and scattered pixel by pixel, which
cost more than was saved; and its errors multiply, so that its tiles are smaller. The price: rounding errors
are relative to the largest pixel under a tile, and an infinite one makes all (7) outputs of its tile NaN, not
only those that see it. Convolution and both
gradients, ms of one thread (Xeon at 2.5 GHz with AVX-512, OpenBLAS with its SkylakeX kernels):

    batch, in, out, kernel, size              before    this    PyTorch (oneDNN)
    16,  32,  32, 3 x 3, 28 x 28                17.4     7.3     6.9
    16,  96,  32, 3 x 3, 28 x 28                46.2    18.5    17.5
    16,  64,  64, 3 x 3, 28 x 28                47.9    23.8    22.2
    16,  64,  64, 3 x 3, 14 x 14                12.9     6.3     6.5
    16,  64,  64, 3 x 3, 7 x 7                   3.8     2.6     2.5
    16,  32,  32, 3 x 3, stride 2, 28 x 28       6.3     4.7     3.3
    64,  64, 128, 4 x 4, stride 2, 14 x 14      43.3    36.7    26.1

where "before" is two-dimensional filtering with tiles of 4 x 4 (stride 1) and im2col (stride 2).

Images are (batch, height, width, channels) arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import numpy as np

from ..parallel import parallel_for
from .geometry import Geometry, Pair
from .lines import Lines, windows
from .memory import Block, blocks, scratch
from .minimal import Filtering, filtering
from .phases import phases

SMALL_PRODUCT = 1_000_000
"""OpenBLAS multiplies matrices in place up to so many multiplications and copies larger ones first, for 1.5
to 2 times the time where one of them is thin. So products are as large as that, but no larger."""

BUDGET = 1 << 22
"""Bytes of products in one block. A block holds several products, which one call of NumPy's computes: between
two calls a thread needs Python's lock, and on two cores waiting for it costs more than what is lost when a
block outgrows the second-level cache. A U-Net's step of width 32, of which the convolutions are two thirds,
took 649, 627, 601 and 599 ms with 2^20, 2^21, 2^22 and 2^23."""

FEWEST_WINDOWS = 32
"""In one product, however many the channels."""

LONGEST_SUM = 1024
"""So many windows are added up in one product of the weight contraction: rounding errors grow with a sum."""

STRIPS = 4
"""Partial sums of the weight contraction: fixed, so that results do not depend on the number of threads."""

WORTH_THREADS = 1 << 15
"""From so many weights on, a kernel is evaluated by all threads."""

Job = Callable[[], None]
Lane = tuple[int, np.ndarray]  # the column where the first window begins, and the weights along it


def correlate(x: np.ndarray, w: np.ndarray, out: np.ndarray, geometry: Geometry) -> None:
    """Write the convolution of x with w (out, in, kh, kw) into `out`."""
    top, left = geometry.padding
    _run(_jobs(x, [(-left, w)], out, -top, geometry.stride))


def correlate_transpose(g: np.ndarray, w: np.ndarray, out: np.ndarray, geometry: Geometry) -> None:
    """Write the transposed convolution of g with w (channels of g, channels of out, kh, kw) into `out`.

    It is a convolution of stride 1 for each remainder of rows and of columns by the stride (`phases`).
    """
    swapped = w.transpose(1, 0, 2, 3)
    jobs: list[Job] = []
    for vertical in phases(geometry, out.shape[1], 0):
        lanes = [
            (horizontal.first, swapped[:, :, vertical.taps, horizontal.taps])
            for horizontal in phases(geometry, out.shape[2], 1)
        ]
        jobs += _jobs(g, lanes, out[:, vertical.rows], vertical.first, (1, 1))
    _run(jobs)


def correlate_weight(x: np.ndarray, g: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The weights' contraction (out, in, kh, kw) of x and g."""
    batch, height, width, channels_out = g.shape
    (kh, kw), (sh, sw), (top, left) = geometry.kernel, geometry.stride, geometry.padding
    channels = x.shape[3]
    way = filtering(height, kh, sh, x.dtype)
    lines = Lines.of(x.shape[2], width, sw, [(-left, kw)])
    cotangent_lines = Lines.of(width, lines.windows, 1, [(0, 1)])  # zero where no window is wanted

    def strip(parts: Iterable[Block]) -> np.ndarray:
        total = product = scratch("total", (way.points, kw, channels, channels_out), x.dtype)
        for images, tiles in parts:
            pixels = _evaluate(x[images], way.b, way.outputs * sh, tiles, -top, lines, "pixels")
            cotangent = _evaluate(g[images], way.a.T, way.outputs, tiles, 0, cotangent_lines, "cotangent")
            count = cotangent.shape[1] - cotangent_lines.tail
            length = -(-count // -(-count // most))
            for start in range(0, count, length):
                stop = min(start + length, count)
                for j in range(kw):
                    tap = windows(pixels, start * sw + j, stop - start, sw, 1)
                    np.matmul(tap.transpose(0, 2, 1), cotangent[:, start:stop], out=product[:, j])
                if product is not total:
                    total += product
                product = scratch("product", total.shape, x.dtype)
        return way.g.T @ total.reshape(way.points, -1)

    cut = _cut(batch, height, way, lines, channels, channels_out)
    most = min(LONGEST_SUM, max(FEWEST_WINDOWS, SMALL_PRODUCT // (channels * channels_out)))
    sums = parallel_for(strip, [cut[i::STRIPS] for i in range(min(STRIPS, len(cut)))])
    taps = functools.reduce(np.add, sums).reshape(kh, kw, channels, channels_out)
    return np.ascontiguousarray(taps.transpose(3, 2, 0, 1))


def _jobs(x: np.ndarray, lanes: list[Lane], out: np.ndarray, first: int, stride: Pair) -> list[Job]:
    """The blocks of a convolution whose first window begins at row `first`, written into `out`.

    Output columns go to the lanes in turn: one lane for a convolution, as many as the stride for a
    transposed one.
    """
    batch, height, width, channels_out = out.shape
    channels, (sh, sw) = x.shape[3], stride
    way = filtering(height, lanes[0][1].shape[2], sh, x.dtype)
    lines = Lines.of(x.shape[2], -(-width // len(lanes)), sw, [(start, w.shape[3]) for start, w in lanes])
    begin = min(start for start, _ in lanes)
    kernels = [(start - begin, w.shape[3], _evaluated(w, way.g)) for start, w in lanes]
    apart = max(-(-taps // sw) for _, taps, _ in kernels)  # windows so far from each other do not overlap
    most = max(FEWEST_WINDOWS, SMALL_PRODUCT // (sw * channels * channels_out))

    def block(images: slice, tiles: slice) -> None:
        here = x[images]
        count = len(here) * (tiles.stop - tiles.start) * lines.windows
        parts = -(-count // most)
        spare = -count % (parts * apart)  # windows too many, so that all products are of one size
        pixels = _evaluate(here, way.b, way.outputs * sh, tiles, first, lines, "pixels", spare * sw)
        products = scratch("products", (way.points, count + spare, len(lanes), channels_out), x.dtype)
        for lane, (start, taps, kernel) in enumerate(kernels):
            for i in range(apart):
                rows = windows(pixels, start + i * sw, (count + spare) // apart, apart * sw, taps)
                target = products[:, i::apart, lane]
                # (points, windows, numbers) -> (points, products, windows of each, numbers)
                rows, target = (a.reshape(way.points, parts, -1, a.shape[2]) for a in (rows, target))
                np.matmul(rows, kernel[:, None], out=target)
        below = slice(way.outputs * tiles.start, way.outputs * tiles.stop)
        _interpolate(products[:, :count], out[images, below], way)

    cut = _cut(batch, height, way, lines, sw * channels, len(lanes) * channels_out)
    return [functools.partial(block, *part) for part in cut]


def _cut(
    batch: int, height: int, way: Filtering, lines: Lines, channels: int, channels_out: int
) -> list[Block]:
    """Blocks of (images, tiles), as large as pays; those of several images are of one size."""
    most = max(1, BUDGET // (way.points * max(channels, channels_out) * way.a.itemsize))
    tiles = -(-height // way.outputs)
    parts = -(-batch * tiles * lines.windows // most)
    parts += parts % 2  # so that two threads have as much to do
    images = -(-batch // parts)
    return blocks(batch, tiles, lines.windows, most if images == 1 else images * tiles * lines.windows)


def _evaluated(w: np.ndarray, g: np.ndarray) -> np.ndarray:
    """The kernel at each point: (out, in, kh, kw) -> (points, kw * in, out)."""
    channels_out, channels, kh, kw = w.shape
    kernel = np.empty((len(g), kw, channels * channels_out), w.dtype)

    def tap(j: int) -> None:
        column = np.ascontiguousarray(w[:, :, :, j].transpose(2, 1, 0))  # (kh, in, out)
        np.matmul(g, column.reshape(kh, -1), out=kernel[:, j])

    if w.size < WORTH_THREADS:
        for j in range(kw):
            tap(j)
    else:
        parallel_for(tap, range(kw))
    return kernel.reshape(len(g), kw * channels, channels_out)


def _evaluate(
    x: np.ndarray,
    matrix: np.ndarray,
    step: int,
    tiles: slice,
    first: int,
    lines: Lines,
    name: str,
    spare: int = 0,
) -> np.ndarray:
    """The rows of x under each tile, times `matrix` (rows, points): (points, pixels, channels).

    Tile t begins at row ``first + t * step`` of the image. The pixels are those of all images, tiles and
    columns, one line after another, then the tail and `spare` more, all zero.
    """
    images, height, _, channels = x.shape
    rows, points = matrix.shape
    count = tiles.stop - tiles.start
    body = images * count * lines.length
    pixels = scratch(name, (points, body + lines.tail + spare, channels), x.dtype)
    pixels[:, body:] = 0
    target = pixels[:, :body].reshape(points, images, count, lines.length, channels)
    lines.zero_the_edges(target)
    inside = x[:, :, lines.pixels]
    if inside.strides[2:] != (channels * x.itemsize, x.itemsize):
        inside = np.ascontiguousarray(inside)
    across = inside.shape[2] * channels
    target = target.reshape(points, images, count, lines.length * channels)
    target = target[..., lines.left * channels : lines.left * channels + across]
    for i, tile in enumerate(range(tiles.start, tiles.stop)):
        start = first + tile * step
        low = max(0, -start)
        high = max(low, min(rows, height - start))  # the rest is padding
        source = inside[:, start + low : start + high].reshape(images, high - low, across)
        np.matmul(matrix.T[:, low:high], source, out=target[:, :, i].transpose(1, 0, 2))
    return pixels


def _interpolate(products: np.ndarray, out: np.ndarray, way: Filtering) -> None:
    """A^T times the products (points, windows, lanes, channels) of each tile, into some rows of `out`."""
    images, height, width, channels = out.shape
    full, rest = divmod(height, way.outputs)
    matrix, across = way.a.T, width * channels
    products = products.reshape(way.points, images, full + bool(rest), -1)[..., :across]
    products = products.transpose(1, 2, 0, 3)  # (images, tiles, points, width * channels)
    tiles = out[:, : full * way.outputs].reshape(images, full, way.outputs, across)
    np.matmul(matrix, products[:, :full], out=tiles)
    if rest:
        last = out[:, full * way.outputs :].reshape(images, rest, across)
        np.matmul(matrix[:rest], products[:, full], out=last)


def _run(jobs: list[Job]) -> None:
    parallel_for(lambda job: job(), jobs)
