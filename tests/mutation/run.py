"""Runs of the tests of an equation, each in a fork that imports one mutated file instead of the real one.

The parent imports what takes long and is not the project's; a fork then needs a fraction of a second, and
what a mutant does to a process ends with it.
"""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import os
import signal
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import ModuleType

import equations

from .operators import Mutant

KILLED = "killed"
SURVIVED = "survived"
TIMED_OUT = "killed, by time"
BROKEN = "killed, at once"  # the tests could not even be collected


@dataclass(frozen=True)
class Job:
    """A mutant (None: the code as it is), the tests that should notice, and the seconds they may take."""

    mutant: Mutant | None
    tests: tuple[str, ...]
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What became of a job."""

    job: Job
    verdict: str
    seconds: float


class MutatedFile(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import one module of the package from a mutant's text."""

    def __init__(self, mutant: Mutant) -> None:
        parts = mutant.path.removesuffix(".py").split("/")
        self.name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
        self.mutant = mutant
        self.is_package = parts[-1] == "__init__"

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        if name != self.name:
            return None
        file = str(equations.ROOT / self.mutant.path)
        spec = importlib.machinery.ModuleSpec(name, self, origin=file, is_package=self.is_package)
        spec.has_location = True
        if self.is_package:
            spec.submodule_search_locations = [os.path.dirname(file)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.text, str(equations.ROOT / self.mutant.path), "exec"), module.__dict__)


def run(jobs: Sequence[Job], processes: int) -> Iterator[Outcome]:
    """The outcomes of all jobs, in the order in which they end."""
    warm_up()
    waiting = list(reversed(jobs))
    running: dict[int, tuple[Job, float]] = {}
    try:
        while waiting or running:
            while waiting and len(running) < processes:
                job = waiting.pop()
                running[start(job)] = job, time.monotonic()
            yield from finished(running)
            time.sleep(0.005)
    finally:
        for pid in running:
            stop(pid)


def finished(running: dict[int, tuple[Job, float]]) -> Iterator[Outcome]:
    """The outcomes of those that have ended or taken too long, which leave `running`."""
    for pid, (job, began) in list(running.items()):
        taken = time.monotonic() - began
        ended, status = os.waitpid(pid, os.WNOHANG)
        if not ended and taken <= job.seconds:
            continue
        del running[pid]
        if not ended:
            stop(pid)
            yield Outcome(job, TIMED_OUT, taken)
        else:
            code = os.waitstatus_to_exitcode(status)
            verdict = SURVIVED if code == 0 else KILLED if code == 1 else BROKEN
            yield Outcome(job, verdict, taken)


def stop(pid: int) -> None:
    """End a run with all its children."""
    os.killpg(pid, signal.SIGKILL)
    os.waitpid(pid, 0)


def warm_up() -> None:
    """Import what every run needs and no mutant changes."""
    import scipy.integrate
    import scipy.linalg
    import scipy.optimize
    import scipy.special
    import scipy.stats  # noqa: F401

    assert "scratchgen" not in sys.modules, "the package is imported by each run for itself"


def start(job: Job) -> int:
    """The process that runs a job."""
    pid = os.fork()
    if pid:
        return pid
    os.setpgid(0, 0)
    code = 3
    try:
        code = in_child(job)
    finally:
        os._exit(code)


def in_child(job: Job) -> int:
    """Run the tests; pytest's exit status."""
    import pytest

    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)
    os.chdir(equations.ROOT)
    os.environ["CI"] = "true"  # property tests draw the same examples in every run
    if job.mutant is not None:
        sys.meta_path.insert(0, MutatedFile(job.mutant))
        if "/loops/" in job.mutant.path:  # compiled code is found by its file, which has not changed
            os.environ["NUMBA_CACHE_DIR"] = tempfile.mkdtemp(prefix="scratchgen-mutant-")
    options = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-c", "pyproject.toml", "--rootdir", "."]
    return int(pytest.main([*options, *job.tests]))
