"""Cache-sized blocks: how a batch is cut up, and the buffers that each thread uses again and again.

A fresh array costs a page fault for every 4 kB of it, which for a block is more than the arithmetic; a buffer
that stays in the core's second-level cache costs nothing.
"""

from __future__ import annotations

import math
import threading
from typing import Any

import numpy as np

from ..device import Array
from .geometry import Pair

Block = tuple[slice, slice]


class _Buffers(threading.local):
    """One thread's memory by name, and the arrays that were made of it by shape."""

    def __init__(self) -> None:
        self.memory: dict[str, np.ndarray] = {}
        self.arrays: dict[str, dict[tuple[tuple[int, ...], Any], np.ndarray]] = {}


_buffers = _Buffers()


def scratch(name: str, shape: tuple[int, ...], dtype: Any) -> np.ndarray:
    """A contiguous array of unspecified content, whose memory the next call of that name overwrites.

    Each thread has its own. They grow to the largest size ever asked for, which blocks keep small.
    """
    arrays = _buffers.arrays.setdefault(name, {})
    array = arrays.get((shape, dtype))
    if array is None:
        size = math.prod(shape) * np.dtype(dtype).itemsize
        memory = _buffers.memory.get(name)
        if memory is None or memory.nbytes < size:
            memory = _buffers.memory[name] = np.empty(size, np.uint8)
            arrays.clear()
        array = arrays[shape, dtype] = memory[:size].view(dtype).reshape(shape)
    return array


def temporary(name: str, like: Array) -> Array:
    """Memory of the shape of `like`: on the CPU the thread's own, which the next block uses again."""
    return scratch(name, like.shape, like.dtype) if isinstance(like, np.ndarray) else np.empty_like(like)


def blocks(batch: int, rows: int, row_bytes: int, budget: int) -> list[Block]:
    """Slices of (images, rows) that cover the batch, each of about `budget` bytes at `row_bytes` a row.

    A block is several whole images or, where one image is too large, a strip of one.
    """
    height = min(rows, max(1, budget // row_bytes))
    images = max(1, budget // (row_bytes * rows))
    return [
        (slice(n, min(n + images, batch)), slice(r, min(r + height, rows)))
        for n in range(0, batch, images)
        for r in range(0, rows, height)
    ]


def runs(x: np.ndarray, axes: int = 1) -> np.ndarray:
    """The same memory with its last `axes` axes (contiguous) seen as one element of many bytes.

    NumPy copies an array in contiguous pieces, with a bookkeeping step for each; elements of whole pixels it
    copies without that step, in 0.65 (32 channels) to 0.9 times (128) the time.
    """
    size = math.prod(x.shape[-axes:]) * x.itemsize
    return x.reshape(*x.shape[: x.ndim - axes], -1).view(f"V{size}")[..., 0]


def window(x: np.ndarray, first: Pair, size: Pair, name: str) -> np.ndarray:
    """Rows and columns of x (images, height, width, channels) from `first` on, zeros where x has none.

    A contiguous array: x itself where that is all that was asked for, else a buffer of that `name`.
    """
    images, height, width, channels = x.shape
    if first == (0, 0) and size == (height, width) and x.flags.c_contiguous:
        return x
    out = scratch(name, (images, *size, channels), x.dtype)
    top, left = (min(max(0, -f), n) for f, n in zip(first, size, strict=True))
    bottom, right = (
        max(start, min(n, length - f))
        for start, f, n, length in zip((top, left), first, size, (height, width), strict=True)
    )
    out[:, :top] = 0
    out[:, bottom:] = 0
    out[:, top:bottom, :left] = 0
    out[:, top:bottom, right:] = 0
    inside = x[:, top + first[0] : bottom + first[0], left + first[1] : right + first[1]]
    out[:, top:bottom, left:right] = inside
    return out
