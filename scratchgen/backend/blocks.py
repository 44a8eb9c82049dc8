"""Elementwise work in cache-sized blocks, shared out between threads.

A formula of ten operations over a large array passes ten times over main memory. Cut into blocks that stay in
a core's cache it passes once, and the blocks go to all cores. A single operation gains by the cores only, so
its pieces are larger.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np

from .device import Array
from .parallel import parallel_for

Index = tuple[int | slice, ...]

BLOCK = 1 << 17  # numbers
PIECE = 1 << 18  # numbers, where there is one operation only and no cache to stay in
# Two threads hand Python's lock to each other between operations, which wakes a sleeping thread each time:
# that takes as long as an operation on a small block, so threads pay only where there are several.
WORTH_THREADS = 4


def blockwise(function: Callable[..., None], *arrays: Array) -> Array:
    """The array that an elementwise function writes: ``function(*arrays, out)``, called block by block.

    Parameters
    ----------
    function : callable
        Writes to `out` what it makes of the arrays at the same place.
    *arrays : array
        All of one shape and of the dtype of the result.
    """
    return _in_blocks(function, arrays, np.empty_like(arrays[0]), BLOCK)


def rowwise(function: Callable[..., None], *arrays: Array) -> Array:
    """The same for a function that writes one number for each row, that is along the last axis.

    Parameters
    ----------
    function : callable
        Of arrays of shape (..., n) and `out` of shape (...).
    *arrays : array
        All of one shape, of at least two axes, and of the dtype of the result.
    """
    *rows, n = arrays[0].shape
    return _in_blocks(function, arrays, np.empty_like(arrays[0], shape=tuple(rows)), BLOCK // max(n, 1))


def is_large(x: Any) -> bool:
    """Whether one operation on an array is worth more than one thread."""
    return type(x) is np.ndarray and x.size > PIECE


def binary(operation: Callable[..., Any], a: Any, b: Any) -> Any:
    """``operation(a, b)``, a NumPy function such as `np.add`, by all threads if both are large arrays."""
    if not (is_large(a) and is_large(b) and a.shape == b.shape):
        return operation(a, b)
    out = np.empty_like(a, dtype=np.result_type(a, b))
    parallel_for(lambda part: operation(a[part], b[part], out=out[part]), parts(out))
    return out


def joined(arrays: Sequence[Array], axis: int) -> Array:
    """The arrays one after another along `axis`, copied by all threads if they are large."""
    first = arrays[0]
    shareable = all(map(is_large, arrays)) and len({len(a) for a in arrays}) == 1
    if not shareable or axis not in range(-first.ndim + 1, first.ndim) or axis == 0:
        return np.concatenate(arrays, axis=axis)
    shape = list(first.shape)
    shape[axis] = sum(a.shape[axis] for a in arrays)
    out = np.empty_like(first, shape=shape)
    parallel_for(lambda part: np.concatenate([a[part] for a in arrays], axis=axis, out=out[part]), parts(out))
    return out


def parts(x: Array, size: int | None = None) -> list[slice]:
    """Slices of the first axis of x, each of about `size` numbers (`PIECE`); on a device only one.

    Examples
    --------
    >>> parts(np.zeros((64, 10)), size=200)
    [slice(0, 16, None), slice(16, 32, None), slice(32, 48, None), slice(48, 64, None)]
    """
    return even_slices(len(x), -(-x.size // (size or PIECE)) if isinstance(x, np.ndarray) else 1)


def _in_blocks(function: Callable[..., None], arrays: Sequence[Array], out: Array, size: int) -> Array:
    """Fill `out` in pieces of about `size` of its numbers."""
    if not isinstance(out, np.ndarray) or out.size <= size:
        function(*arrays, out)
        return out
    pieces = list(blocks(out.shape, max(size, 1)))

    def work(index: Index) -> None:
        function(*(a[index] for a in arrays), out[index])

    if len(pieces) < WORTH_THREADS:
        for index in pieces:
            work(index)
    else:
        parallel_for(work, pieces)
    return out


def blocks(shape: tuple[int, ...], size: int) -> Iterator[Index]:
    """Indices that cut an array into pieces of about `size` numbers, along its first axes.

    Examples
    --------
    >>> list(blocks((2, 5), size=3))
    [(0, slice(0, 3, None)), (0, slice(3, 5, None)), (1, slice(0, 3, None)), (1, slice(3, 5, None))]
    """
    row = math.prod(shape[1:])
    if row > size:
        for i in range(shape[0]):
            for rest in blocks(shape[1:], size):
                yield (i, *rest)
    else:
        rows = size // max(row, 1)
        for part in even_slices(shape[0], -(-shape[0] // rows)):
            yield (part,)


def even_slices(length: int, count: int) -> list[slice]:
    """About `count` slices, an even number if there are several: two threads then have as much to do."""
    count += count % 2 if count > 1 else 0
    step = max(1, -(-length // max(count, 1)))
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]
