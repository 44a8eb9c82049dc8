"""Threads over blocks of work: ``parallel_for(function, pieces)``.

NumPy releases Python's lock inside its loops and its matrix products, so plain Python threads keep several
cores busy as long as each piece is a few large operations. Two cores that each run *one-threaded* products on
blocks of their own beat one product after another that BLAS splits between both, since everything between the
products (copies, transforms, additions) is then shared out too and a block never leaves its core's cache.

While the threads run, BLAS is therefore held to one thread. `threadpoolctl` finds the library once; after
that its setter is called directly, which takes 1 to 2 microseconds (its context manager takes 17).
"""

from __future__ import annotations

import contextvars
import functools
import os
import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import numpy as np
import threadpoolctl

from .device import Array

Piece = TypeVar("Piece")
Result = TypeVar("Result")

PIECE = 1 << 18  # numbers

_blas_is_ours = threading.Lock()
_pools: dict[int, ThreadPoolExecutor] = {}
# A forked child inherits the pool but not its threads: work given to it would wait for ever.
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_pools.clear)


def thread_count() -> int:
    """How many threads `parallel_for` uses: as many as BLAS is set to use now.

    So ``OPENBLAS_NUM_THREADS``, ``OMP_NUM_THREADS`` and ``threadpoolctl.threadpool_limits`` govern both, and
    a `parallel_for` inside another one runs in its own thread only.
    """
    # os.cpu_count() asks the system, which takes longer than a small operation; so only where it is needed.
    libraries = _blas_libraries()
    return min(library.num_threads for library in libraries) if libraries else os.cpu_count() or 1


def parallel_for(function: Callable[[Piece], Result], pieces: Iterable[Piece]) -> list[Result]:
    """The results of `function` on every piece, in the order of the pieces, computed by several threads.

    The calling thread works too. Which thread takes which piece is left to chance, so pieces must write to
    disjoint places; what is to be added up is best returned and summed by the caller, whose order is fixed.

    Parameters
    ----------
    function : callable
        Called once with each piece. The first exception it raises is raised here, after all threads have
        stopped; further pieces are then left out.
    pieces : iterable

    Examples
    --------
    >>> parallel_for(lambda n: n * n, range(5))
    [0, 1, 4, 9, 16]
    """
    pieces = list(pieces)
    threads = min(thread_count(), len(pieces))
    # BLAS's number of threads belongs to the whole process: who finds it taken works alone.
    if threads < 2 or not _blas_is_ours.acquire(blocking=False):
        return [function(piece) for piece in pieces]
    try:
        return _share_out(function, pieces, threads)
    finally:
        _blas_is_ours.release()


def _share_out(function: Callable[[Piece], Result], pieces: list[Piece], threads: int) -> list[Result]:
    """`parallel_for` by several threads, BLAS being held to one meanwhile."""
    waiting = deque(enumerate(pieces))
    results: list[Any] = [None] * len(pieces)

    def work() -> None:
        while waiting:
            try:
                index, piece = waiting.popleft()
            except IndexError:  # another thread took the last one
                return
            try:
                results[index] = function(piece)
            except BaseException:
                waiting.clear()
                raise

    libraries = [(library, library.num_threads) for library in _blas_libraries()]
    for library, _ in libraries:
        library.set_num_threads(1)
    try:
        pool = _pool(threads - 1)
        # The context carries np.errstate into the helpers.
        helpers = [pool.submit(contextvars.copy_context().run, work) for _ in range(threads - 1)]
        try:
            work()
        finally:
            errors = [helper.exception() for helper in helpers]
        for error in filter(None, errors):
            raise error
    finally:
        for library, before in libraries:
            library.set_num_threads(before)
    return results


@functools.cache
def _blas_libraries() -> list[Any]:
    """The controllers of the BLAS libraries that are loaded (NumPy's is, since NumPy was imported)."""
    controllers = threadpoolctl.ThreadpoolController().lib_controllers
    return [library for library in controllers if library.user_api == "blas"]


def _pool(size: int) -> ThreadPoolExecutor:
    """The lasting helpers, started on first use."""
    if size not in _pools:
        _pools[size] = ThreadPoolExecutor(size, thread_name_prefix="scratchgen")
    return _pools[size]


def parts(x: Array, size: int | None = None) -> list[slice]:
    """Slices of the first axis of x, each of about `size` numbers (`PIECE`); on a device only one.

    Examples
    --------
    >>> parts(np.zeros((64, 10)), size=200)
    [slice(0, 16, None), slice(16, 32, None), slice(32, 48, None), slice(48, 64, None)]
    """
    return even_slices(len(x), -(-x.size // (size or PIECE)) if isinstance(x, np.ndarray) else 1)


def even_slices(length: int, count: int) -> list[slice]:
    """About `count` slices, an even number if there are several: two threads then have as much to do."""
    count += count % 2 if count > 1 else 0
    step = max(1, -(-length // max(count, 1)))
    return [slice(start, min(start + step, length)) for start in range(0, length, step)]
