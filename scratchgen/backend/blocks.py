"""Elementwise work in cache-sized blocks, shared out between threads.

A formula of ten operations over a large array passes ten times over main memory. Cut into blocks that stay in
a core's second-level cache it passes once, and the blocks go to all cores.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

import numpy as np

from .device import Array
from .parallel import parallel_for

BLOCK = 1 << 15  # numbers


def blockwise(function: Callable[..., None], *arrays: Array) -> Array:
    """The array that `function` writes: ``function(*arrays, out)``, called block by block of the first axis.

    Parameters
    ----------
    function : callable
        Elementwise: writes to `out` what it makes of the arrays at the same place.
    *arrays : array
        All of one shape and of the dtype of the result.
    """
    out = np.empty_like(arrays[0])
    if not isinstance(out, np.ndarray) or out.size < 2 * BLOCK:
        function(*arrays, out)
    else:
        parallel_for(lambda index: function(*(a[index] for a in arrays), out[index]), list(blocks(out.shape)))
    return out


def blocks(shape: tuple[int, ...]) -> Iterator[tuple[int | slice, ...]]:
    """Indices that cut an array into pieces of about `BLOCK` numbers, along its first axes.

    Examples
    --------
    >>> list(blocks((2, 40_000)))
    [(0, slice(0, 32768, None)), (0, slice(32768, 40000, None)),
     (1, slice(0, 32768, None)), (1, slice(32768, 40000, None))]
    """
    row = math.prod(shape[1:])
    if row > BLOCK:
        for i in range(shape[0]):
            for rest in blocks(shape[1:]):
                yield (i, *rest)
    else:
        rows = BLOCK // max(row, 1)
        for start in range(0, shape[0], rows):
            yield (slice(start, min(start + rows, shape[0])),)
