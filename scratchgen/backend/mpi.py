"""The ranks that mpiexec started, by mpi4py. Only `ranks.py` imports this, and only when there are some."""

from __future__ import annotations

import os
import sys
import threading
import time
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import Any

import numpy as np
from mpi4py import MPI

from .ranks import Ranks

GRACE = 5.0  # seconds in which an error of all ranks has to come to all of them


class MPIRanks(Ranks):
    """All ranks of the program. Whatever a rank waits for, it waits for at most `timeout` seconds."""

    def __init__(self) -> None:
        self._world = MPI.COMM_WORLD.Dup()
        self._farewell = MPI.COMM_WORLD.Dup()  # of its own, for ranks whose errors find them elsewhere
        self.index, self.size = self._world.rank, self._world.size
        self.timeout = float(os.environ.get("SCRATCHGEN_RANK_TIMEOUT", Ranks.timeout))
        self._waits_since: float | None = None
        if self.size > 1:
            threading.Thread(target=self._watch, name="scratchgen-ranks", daemon=True).start()
            self._report, sys.excepthook = sys.excepthook, self._end_all

    def _sum(self, x: np.ndarray) -> np.ndarray:
        with self._waiting():
            self._world.Allreduce(MPI.IN_PLACE, x)
        return x

    def _gather(self, x: np.ndarray) -> list[np.ndarray]:
        with self._waiting():
            return self._world.allgather(x)

    def _broadcast(self, value: Any) -> Any:
        with self._waiting():
            return self._world.bcast(value)

    @contextmanager
    def together(self) -> Iterator[None]:
        try:
            yield
        except BaseException as error:
            if self.size > 1 and not self._all_leave():
                self._abort("".join(traceback.format_exception(error)))
            raise

    def _all_leave(self) -> bool:
        """Whether every rank comes here soon: all of them have an error then, and end as one would."""
        request, until = self._farewell.Ibarrier(), time.monotonic() + GRACE
        while not request.Test():
            if time.monotonic() > until:
                return False
            time.sleep(0.01)
        return True

    def _end_all(self, kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
        """Report an error that nobody caught, and let no rank wait for this one."""
        self._report(kind, error, trace)
        if not self._all_leave():
            self._abort("")

    def _abort(self, reason: str) -> None:
        print(f"{reason}Rank {self.index} of {self.size} ends them all.", file=sys.stderr, flush=True)
        MPI.COMM_WORLD.Abort(1)

    @contextmanager
    def _waiting(self) -> Iterator[None]:
        self._waits_since = time.monotonic()
        try:
            yield
        finally:
            self._waits_since = None

    def _watch(self) -> None:
        """End all ranks once this one has waited too long; in a thread of its own."""
        while True:
            time.sleep(min(1.0, self.timeout / 4))
            since = self._waits_since
            if since is not None and time.monotonic() - since > self.timeout:
                stack = traceback.format_stack(sys._current_frames()[threading.main_thread().ident or 0])
                self._abort(
                    f"{''.join(stack)}Rank {self.index} has waited here for another rank for "
                    f"{self.timeout:g} seconds (--rank-timeout, or SCRATCHGEN_RANK_TIMEOUT).\n"
                )
