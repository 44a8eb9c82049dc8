"""Ranks: several processes, on one machine or many, that train one model together.

Each is a copy of the same program that knows its number. They meet in collective operations, which all of
them have to enter in the same order: a sum over the ranks, a gathering of parts, the word of rank 0. Here is
what that means for one process, to which nothing happens; `mpi.py` has the same by MPI.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any, TypeVar

import numpy as np

from . import checks
from .context import held
from .device import Array, asarray, asnumpy

Result = TypeVar("Result")

STARTED_BY = ("OMPI_COMM_WORLD_SIZE", "PMI_SIZE", "MV2_COMM_WORLD_SIZE")
"""Variables in which mpiexec (Open MPI, MPICH and Intel MPI, MVAPICH) tells how many ranks it started."""

SWITCH = "SCRATCHGEN_RANKS"
"""``1`` asks for MPI where none of these is set (``srun --mpi=pmix``), ``0`` keeps every process alone."""


class Ranks:
    """The ranks of this program, of which this process is one: alone, unless a subclass says otherwise.

    Attributes
    ----------
    index : int
        This rank, 0 .. size - 1.
    size : int
    timeout : float
        How many seconds a rank waits for the others before it ends them all.
    """

    index = 0
    size = 1
    timeout = 300.0

    @property
    def first(self) -> bool:
        """Whether this is rank 0, which alone writes files and shows progress."""
        return self.index == 0

    def part(self, count: int) -> tuple[int, int]:
        """Where this rank's part of so many examples begins and ends; sizes differ by one at most.

        Examples
        --------
        >>> ranks = Ranks()
        >>> ranks.size = 3
        >>> ranks.index = 1
        >>> ranks.part(8)
        (2, 5)
        """
        return count * self.index // self.size, count * (self.index + 1) // self.size

    def sum(self, x: Array) -> Array:
        """The sum of the ranks' arrays of one shape, the same to the bit on each; on the device of `x`."""
        return asarray(self._sum(np.array(asnumpy(x), order="C")), x.dtype)

    def gather(self, x: Array) -> Array:
        """The ranks' arrays one after another along the first axis, of which each may have another length."""
        return asarray(np.concatenate(self._gather(np.array(asnumpy(x), order="C"))))

    def any(self, condition: bool) -> bool:
        """Whether the condition holds on at least one rank."""
        return bool(self._sum(np.array([condition], np.int32))[0])

    def agree(self, value: Result) -> Result:
        """Rank 0's value. It travels as Python pickles it, between the ranks of one program."""
        return value if self.size == 1 else self._broadcast(value)

    def once(self, work: Callable[[], Result]) -> Result:
        """What `work` gives on rank 0, which alone does it; an error there is an error on all."""
        if self.size == 1:
            return work()
        outcome: tuple[Any, Exception | None] = None, None
        if self.first:
            try:
                outcome = work(), None
            except Exception as error:
                outcome = None, error
        result, failure = self.agree(outcome)
        if failure is not None:
            raise failure
        return result

    @contextmanager
    def together(self) -> Iterator[None]:
        """Within this context an error of one rank ends all, within seconds and with its traceback.

        An error that all of them have alike, such as a loss that is not finite, is raised as ever.
        """
        yield

    def _sum(self, x: np.ndarray) -> np.ndarray:
        return x

    def _gather(self, x: np.ndarray) -> list[np.ndarray]:
        return [x]

    def _broadcast(self, value: Any) -> Any:
        return value


class _Context(threading.local):
    """One thread's: the ranks it is one of, if they are not the process's; whether these share a batch."""

    ranks: Ranks | None = None
    sharing: bool = False


_context = _Context()
_process: Ranks | None = None


def current_ranks() -> Ranks:
    """The ranks of this program: one, unless mpiexec started it, or `SCRATCHGEN_RANKS` is 1.

    Raises
    ------
    RuntimeError
        If mpiexec started several, and mpi4py is not installed: each would train the same for itself.
    """
    global _process
    if _context.ranks is not None:
        return _context.ranks
    if _process is None:
        _process = _ranks_of_the_process()
    return _process


def _ranks_of_the_process() -> Ranks:
    switch = checks.one_of(SWITCH, os.environ.get(SWITCH, ""), ("", "0", "1"))
    started = max(int(os.environ.get(name, "1")) for name in STARTED_BY)
    if switch == "0" or (switch == "" and started == 1):
        return Ranks()
    if importlib.util.find_spec("mpi4py") is None:
        raise RuntimeError(
            f"ranks: mpiexec started {started} of them, but mpi4py is not installed; "
            'pip install "scratchgen[mpi]" brings it, and SCRATCHGEN_RANKS=0 does without'
        )
    from .mpi import MPIRanks

    return MPIRanks()


def taking_part(ranks: Ranks) -> AbstractContextManager[None]:
    """Within this context this thread is one of these ranks."""
    return held(_context, "ranks", ranks)


def sharing_a_batch(shared: bool = True) -> AbstractContextManager[None]:
    """Within this context what this thread computes is about its rank's part of a batch, not all of it."""
    return held(_context, "sharing", shared)


def is_shared() -> bool:
    """Whether this thread sees only a part of the batch at hand."""
    return _context.sharing


def whole_batch(x: Array) -> Array:
    """`x` (part of the batch, ...) of all ranks: (batch, ...); unchanged where nobody shares."""
    return current_ranks().gather(x) if is_shared() else x


def sum_of_parts(x: Array) -> Array:
    """The sum of `x` over the ranks that share a batch; a copy where nobody shares."""
    return current_ranks().sum(x) if is_shared() else x.copy()
