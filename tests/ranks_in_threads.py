"""Ranks that are threads of this process: what needs no MPI to be tested, and on any device."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np

from scratchgen.backend.ranks import Ranks, taking_part

PATIENCE = 60.0  # seconds


class ThreadRanks(Ranks):
    """One of several threads that meet at a barrier, each leaving there what the others are to read."""

    def __init__(self, index: int, size: int, barrier: threading.Barrier, left: list[Any]) -> None:
        self.index, self.size, self.barrier, self.left = index, size, barrier, left
        self.sums = 0

    def _exchange(self, value: Any) -> list[Any]:
        self.left[self.index] = value
        self.barrier.wait(PATIENCE)
        found = list(self.left)
        self.barrier.wait(PATIENCE)
        return found

    def _sum(self, x: np.ndarray) -> np.ndarray:
        self.sums += 1
        parts = self._exchange(x.copy())
        assert len({(part.shape, part.dtype) for part in parts}) == 1
        total = parts[0].copy()
        for part in parts[1:]:
            total += part
        return total

    def _gather(self, x: np.ndarray) -> list[np.ndarray]:
        return self._exchange(x.copy())

    def _broadcast(self, value: Any) -> Any:
        return self._exchange(value if self.first else None)[0]


def on_ranks(size: int, work: Callable[[ThreadRanks], Any]) -> list[Any]:
    """What `work(ranks)` gives on each of so many ranks; an error that is no echo of another's is raised."""
    barrier, left = threading.Barrier(size), [None] * size
    results: list[Any] = [None] * size
    errors: list[BaseException] = []

    def run(index: int) -> None:
        ranks = ThreadRanks(index, size, barrier, left)
        try:
            with taking_part(ranks):
                results[index] = work(ranks)
        except BaseException as error:
            errors.append(error)
            barrier.abort()

    threads = [threading.Thread(target=run, args=(index,)) for index in range(size)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for error in sorted(errors, key=lambda error: isinstance(error, threading.BrokenBarrierError)):
        raise error
    return results
