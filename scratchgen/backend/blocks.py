"""Elementwise work in cache-sized blocks, shared out between threads.

A formula of ten operations over a large array passes ten times over main memory. Cut into blocks that stay in
a core's second-level cache it passes once, and the blocks go to all cores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence

import numpy as np

from .device import Array
from .parallel import parallel_for

Index = tuple[int | slice, ...]

BLOCK = 1 << 16  # numbers
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
        for start in range(0, shape[0], rows):
            yield (slice(start, min(start + rows, shape[0])),)
