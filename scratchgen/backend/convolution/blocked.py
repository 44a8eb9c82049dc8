"""Convolution on the CPU: cache-sized blocks of im2col, one matrix product each, in all threads.

Every kernel window is written out as a row of a matrix ("im2col"), which turns a convolution into a matrix
product. For a whole batch that matrix is kernel-height x kernel-width times the input and travels to main
memory and back; here it is built for a few images at a time, in a buffer that stays in the core's cache. In
channels-last memory a window's row of pixels is contiguous, so the copy moves whole pixels (`memory.runs`).

All functions here take and give (batch, height, width, channels) arrays.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable

import numpy as np

from ..parallel import parallel_for
from .geometry import Geometry, Pair
from .memory import Block, blocks, runs, scratch, window
from .phases import phases

BUDGET = 1 << 21
"""Bytes of im2col in one block. Smaller blocks make thin matrix products, larger ones leave the cache: for 64
to 128 channels at 14 x 14, kernel 4, stride 2, batch 64, one thread takes 15.3, 12.6, 11.0, 10.3, 10.3 ms
with 2^18 to 2^22 (Xeon with AVX-512, OpenBLAS with its SkylakeX kernels)."""

STRIPS = 4
"""Partial sums of the weight contraction: fixed, so that results do not depend on the number of threads."""

Job = Callable[[], None]


def correlate(x: np.ndarray, w: np.ndarray, out: np.ndarray, geometry: Geometry) -> None:
    """Write the convolution of x with w (out, in / groups, kh, kw) into `out`."""
    first = -geometry.padding[0], -geometry.padding[1]
    _run(_correlation_jobs(x, w, out, geometry, first))


def correlate_transpose(g: np.ndarray, w: np.ndarray, out: np.ndarray, geometry: Geometry) -> None:
    """Write the transposed convolution of g with w (channels of g, of out / groups, kh, kw) into `out`.

    Rows of the output that leave the same remainder by the stride meet the same taps, so each such phase is a
    convolution of stride 1 with those taps in reverse (`phases`): for kernel 4 and stride 2 four convolutions
    with 2 x 2 kernels, and no result is ever added to another in memory.
    """
    flipped = _swap_channels(w, geometry.groups)
    jobs: list[Job] = []
    for vertical in phases(geometry, out.shape[1], 0):
        for horizontal in phases(geometry, out.shape[2], 1):
            part = out[:, vertical.rows, horizontal.rows]
            taps = flipped[:, :, vertical.taps, horizontal.taps]
            if 0 in taps.shape:  # a stride beyond the kernel leaves rows that nothing reaches
                part[...] = 0
                continue
            dilation = vertical.dilation, horizontal.dilation
            phase = Geometry(taps.shape[2:], (1, 1), (0, 0), dilation, geometry.groups)
            jobs += _correlation_jobs(g, taps, part, phase, (vertical.first, horizontal.first))
    _run(jobs)


def correlate_weight(x: np.ndarray, g: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The weights' contraction of x and g: for each block the transposed im2col matrix times g, added up."""
    batch, height, width, channels_out = g.shape
    (kh, kw), groups = geometry.kernel, geometry.groups
    channels = x.shape[3] // groups
    row_bytes = width * kh * kw * x.shape[3] * x.itemsize
    first = -geometry.padding[0], -geometry.padding[1]

    def strip(parts: Iterable[Block]) -> np.ndarray:
        total = np.zeros((groups, kh * kw * channels, channels_out // groups), x.dtype)
        product = scratch("product", total.shape, x.dtype)
        for images, rows in parts:
            columns = _im2col(x[images], rows, width, geometry, first)
            cotangent = window(g[images], (rows.start, 0), (rows.stop - rows.start, width), "cotangent")
            cotangent = cotangent.reshape(columns.shape[1], groups, -1).transpose(1, 0, 2)
            total += np.matmul(columns.transpose(0, 2, 1), cotangent, out=product)
        return total

    cut = _cut(batch, height, row_bytes)
    length = -(-len(cut) // STRIPS) or 1
    totals = parallel_for(strip, [cut[i : i + length] for i in range(0, len(cut), length)])
    total = functools.reduce(np.add, totals, np.zeros((), x.dtype)) if totals else strip([])
    # (groups, taps and channels, out / groups) -> (out, in / groups, kh, kw)
    total = total.reshape(groups, kh, kw, channels, -1).transpose(0, 4, 3, 1, 2)
    return np.ascontiguousarray(total.reshape(channels_out, channels, kh, kw))


def _correlation_jobs(
    x: np.ndarray, w: np.ndarray, out: np.ndarray, geometry: Geometry, first: Pair
) -> list[Job]:
    """The blocks of a convolution, where output (0, 0) begins at input position `first`."""
    batch, height, width, channels_out = out.shape
    groups, (kh, kw) = geometry.groups, geometry.kernel
    # (out, in / groups, kh, kw) -> (groups, taps and channels, out / groups)
    matrix = w.reshape(groups, channels_out // groups, -1, kh, kw).transpose(0, 3, 4, 2, 1)
    matrix = np.ascontiguousarray(matrix).reshape(groups, -1, channels_out // groups)

    def block(images: slice, rows: slice) -> None:
        columns = _im2col(x[images], rows, width, geometry, first)
        target = out[images, rows]
        whole = target.flags.c_contiguous
        result = target if whole else scratch("result", target.shape, x.dtype)
        by_group = result.reshape(-1, groups, channels_out // groups).transpose(1, 0, 2)
        np.matmul(columns, matrix, out=by_group)
        if not whole:
            runs(target)[...] = runs(result)

    row_bytes = width * kh * kw * x.shape[3] * x.itemsize
    return [functools.partial(block, *part) for part in _cut(batch, height, row_bytes)]


def _im2col(x: np.ndarray, rows: slice, width: int, geometry: Geometry, first: Pair) -> np.ndarray:
    """The windows of some output rows, as (groups, images * rows * width, kh * kw * channels / groups)."""
    (kh, kw), (sh, sw), (dh, dw) = geometry.kernel, geometry.stride, geometry.dilation
    groups, (eh, ew), height = geometry.groups, geometry.extent, rows.stop - rows.start
    first = first[0] + rows.start * sh, first[1]
    padded = window(x, first, ((height - 1) * sh + eh, (width - 1) * sw + ew), "padded")
    images, _, _, channels = padded.shape
    if kh == kw == sh == sw == groups == 1:
        return padded.reshape(1, -1, channels)

    step_n, step_h, step_w, step_c = padded.strides
    # One element of the copy is one pixel of one group or, where they are neighbours, a whole row of taps.
    taps, pixels = (1, kw) if groups == dw == 1 else (kw, 1)
    run = pixels * channels // groups
    source = np.ndarray(
        (groups, images, height, width, kh, taps),
        f"V{run * x.itemsize}",
        padded,
        strides=(channels // groups * step_c, step_n, sh * step_h, sw * step_w, dh * step_h, dw * step_w),
    )
    columns = scratch("columns", (*source.shape, run), x.dtype)
    np.copyto(runs(columns), source)
    return columns.reshape(groups, images * height * width, -1)


def _cut(batch: int, rows: int, row_bytes: int) -> list[Block]:
    """Blocks of (images, rows), of which two threads get one each if there is anything to share."""
    half = -(-batch * rows * row_bytes // 2)
    return blocks(batch, rows, row_bytes, min(BUDGET, max(half, BUDGET // 8)))


def _run(jobs: list[Job]) -> None:
    parallel_for(lambda job: job(), jobs)


def _swap_channels(w: np.ndarray, groups: int) -> np.ndarray:
    """(out, in / groups, kh, kw) -> (in, out / groups, kh, kw), each group apart."""
    grouped = w.reshape(groups, -1, *w.shape[1:])
    return grouped.transpose(0, 2, 1, 3, 4).reshape(-1, grouped.shape[1], *w.shape[2:])
