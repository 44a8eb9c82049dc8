"""Runs of the tests of an equation against mutants, each in a process of its own.

Pytest collects the tests once; a mutant then is a fork that changes the functions in question (`patch`) and
runs its tests, so what it does to a process ends with it. What survives there is tried again by a Python that
has imported nothing yet (`fresh`), for some code runs at an import only.

A run that takes far more of the processor or of memory than the code as it is counts as killed. Neither
depends on what else the machine does.
"""

from __future__ import annotations

import gc
import json
import os
import resource
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import equations
import pytest

from .mutants import Mutant
from .patch import living, patch

KILLED = "killed"
SURVIVED = "survived"
TIMED_OUT = "killed, by time"
UNDECIDED = "not changed in all of its functions"
FRESH = 9  # the exit status that asks for a Python that has imported nothing
ASLEEP = 900.0  # seconds until a run counts as asleep for ever, on a clock
MEMORY = 3 << 30  # bytes beyond what the collected tests take


@dataclass(frozen=True)
class Job:
    """A mutant (None: the code as it is), the tests that should notice, and seconds of the processor."""

    mutant: Mutant | None
    tests: tuple[str, ...]
    seconds: float = 600.0


@dataclass(frozen=True)
class Outcome:
    """What became of a job, and the seconds of the processor that it took."""

    job: Job
    verdict: str
    seconds: float


class Tests:
    """The collected tests, a plugin of pytest: instead of running them it lets `work` use them."""

    def __init__(self, work: Callable[[Tests], None]) -> None:
        self.work = work
        self.items: dict[str, list[pytest.Item]] = defaultdict(list)
        self.failed = False
        self.seconds: dict[str, float] = {}  # of each item, as the plain code took them

    def pytest_configure(self, config: pytest.Config) -> None:
        config.option.tbstyle = "native"  # the reports are read by nobody, and this one costs least

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise pytest.UsageError("a file of tests cannot be collected")
        for item in session.items:
            self.items[item.nodeid.partition("[")[0]].append(item)
        self.work(self)
        return True

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        self.failed = self.failed or report.failed
        self.seconds[report.nodeid] = self.seconds.get(report.nodeid, 0.0) + report.duration

    def passes(self, tests: Sequence[str]) -> bool:
        """Whether these tests pass, up to the first that does not; the quick ones come first."""
        items = [item for test in tests for item in self.items[test]]
        items.sort(key=lambda item: self.seconds.get(item.nodeid, 0.0))
        assert items, "there are no tests to run"
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            if self.failed:
                return False
        return True

    def run(self, jobs: Sequence[Job], processes: int, recheck: bool = True) -> Iterator[Outcome]:
        """The outcomes of all jobs, in the order in which they end.

        `recheck` tries in a Python of its own also what survived with all of its functions changed: tests may
        keep what the package computed while they were collected.
        """
        prepare()
        waiting = list(reversed(jobs))
        again: list[Job] = []
        running: dict[int, tuple[Job, float, bool]] = {}
        try:
            while waiting or again or running:
                while (waiting or again) and len(running) < processes:
                    fresh = bool(again)
                    job = again.pop() if fresh else waiting.pop()
                    pid = start(job) if fresh else self.fork(job)
                    running[pid] = job, time.monotonic(), fresh
                for pid, (job, began, fresh) in list(running.items()):
                    outcome = ended(pid, job, began)
                    if outcome is None:
                        continue
                    del running[pid]
                    if job.mutant is None:
                        self.seconds |= taken(pid)
                    alive = outcome.verdict == SURVIVED and recheck and job.mutant is not None
                    if not fresh and (alive or outcome.verdict == UNDECIDED):
                        again.append(job)
                    else:
                        yield outcome
                time.sleep(0.002)
        finally:
            for pid in running:
                os.kill(pid, signal.SIGKILL)
                os.waitpid(pid, 0)

    def fork(self, job: Job) -> int:
        """The process that runs a job in what has been imported."""
        pid = os.fork()
        if pid:
            return pid
        code = 1
        try:
            limit(job)
            silence()
            if job.mutant is not None and not patch(job.mutant):
                code = FRESH
            else:
                code = 0 if self.passes(job.tests) else 1
            if job.mutant is None:
                notes(os.getpid()).write_text(json.dumps(self.seconds), encoding="utf-8")
        except BaseException:  # also what leaves pytest: SystemExit, KeyboardInterrupt
            code = 1
        finally:
            os._exit(code)


def prepare() -> None:
    """What a fork then need not do for itself."""
    import numba  # noqa: F401

    living()
    gc.collect()
    gc.freeze()  # a collection in a fork then copies nothing


def notes(pid: int) -> Path:
    """Where a run of the plain code writes the seconds of each test."""
    return Path(tempfile.gettempdir(), f"scratchgen-seconds-{pid}.json")


def taken(pid: int) -> dict[str, float]:
    """The seconds that a run noted."""
    file = notes(pid)
    seconds: dict[str, float] = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    file.unlink(missing_ok=True)
    return seconds


def collected(tests: Sequence[str], work: Callable[[Tests], None]) -> int:
    """Collect the files of these tests and let `work` use them; pytest's exit status."""
    os.chdir(equations.ROOT)
    os.environ["CI"] = "true"  # property tests draw the same examples in every run
    files = list(dict.fromkeys(test.partition("::")[0] for test in tests))
    quiet = ["-p", "no:terminal", "-p", "no:cacheprovider", "--capture=no", "--assert=plain"]
    return int(pytest.main([*quiet, "-c", "pyproject.toml", "--rootdir", ".", *files], plugins=[Tests(work)]))


def ended(pid: int, job: Job, began: float) -> Outcome | None:
    """The outcome of a process, None while it runs."""
    done, status, used = os.wait4(pid, os.WNOHANG)
    if not done:
        if time.monotonic() - began < ASLEEP + 20 * job.seconds:
            return None
        os.kill(pid, signal.SIGKILL)
        _, status, used = os.wait4(pid, 0)
    code = os.waitstatus_to_exitcode(status)
    seconds = used.ru_utime + used.ru_stime
    if code in (-signal.SIGXCPU, -signal.SIGKILL):
        return Outcome(job, TIMED_OUT, seconds)
    return Outcome(job, {0: SURVIVED, FRESH: UNDECIDED}.get(code, KILLED), seconds)


def limit(job: Job) -> None:
    """Let the process use so much of the processor and of memory, and no more."""
    seconds = int(job.seconds + 1)
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds + 2))
    if sys.platform == "linux":
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[0])
        most = pages * resource.getpagesize() + MEMORY
        resource.setrlimit(resource.RLIMIT_AS, (most, most))


def silence() -> None:
    """Send what the tests print nowhere."""
    null = os.open(os.devnull, os.O_RDWR)
    for stream in (0, 1, 2):
        os.dup2(null, stream)


def start(job: Job) -> int:
    """The process that runs a job in a Python of its own."""
    with tempfile.NamedTemporaryFile("w", suffix=".json", delete=False, encoding="utf-8") as file:
        json.dump(asdict(job), file)
    pid = os.fork()
    if pid:
        return pid
    try:
        os.execv(sys.executable, [sys.executable, str(Path(__file__).with_name("fresh.py")), file.name])
    finally:
        os._exit(1)


def from_file(name: str) -> Job:
    """The job that `start` wrote down."""
    path = Path(name)
    fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    path.unlink()
    return Job(Mutant(**fields["mutant"]), tuple(fields["tests"]), fields["seconds"])
