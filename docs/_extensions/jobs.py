"""The work beside Sphinx's own: tests, drawings, code of the chapters; as many processes as cores.

``app.jobs`` takes what is to be computed when the build begins, most urgent first, while Sphinx goes on;
whoever needs a result waits for it. A line is printed for each that ends, so that the build is never silent.
Each process has one BLAS thread: together they fill the machine.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from multiprocessing import get_context
from typing import Any

from sphinx.application import Sphinx


class Jobs:
    """A pool of processes that tells how far it is."""

    def __init__(self) -> None:
        self.begun, self.given, self.done = time.monotonic(), 0, 0
        self.pages = 0
        self.pool: ProcessPoolExecutor | None = None

    def give(self, name: str, work: Callable[..., Any], *arguments: Any) -> Future[Any]:
        """Compute ``work(*arguments)``, of a module's function, in one of the processes."""
        if self.pool is None:
            os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # in the processes, which inherit it
            self.pool = ProcessPoolExecutor(os.cpu_count() or 1, get_context("spawn"))
        self.given += 1
        future = self.pool.submit(work, *arguments)
        future.add_done_callback(lambda ended: ended.cancelled() or self.tell(name))
        return future

    def tell(self, name: str) -> None:
        """Say that a job is done."""
        self.done += 1
        self.say(f"{self.done} of {self.given}: {name}")

    def say(self, what: str) -> None:
        """Print a line with the time since the beginning."""
        minutes, seconds = divmod(int(time.monotonic() - self.begun), 60)
        print(f"[{minutes}:{seconds:02}] {what}", flush=True)

    def stop(self) -> None:
        """End what nobody waited for."""
        if self.pool is not None:
            self.pool.shutdown(wait=False, cancel_futures=True)


def begin(app: Sphinx) -> None:
    """Before all other extensions, which give it work."""
    app.jobs = Jobs()  # type: ignore[attr-defined]


def tell_pages(app: Sphinx, *page: Any) -> None:
    """Say now and then how many pages there are already."""
    app.jobs.pages += 1  # type: ignore[attr-defined]
    if app.jobs.pages % 100 == 0:  # type: ignore[attr-defined]
        app.jobs.say(f"{app.jobs.pages} pages written")  # type: ignore[attr-defined]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("builder-inited", begin, priority=100)
    app.connect("env-before-read-docs", lambda app, env, names: app.jobs.say(f"reading {len(names)} pages"))
    app.connect("html-page-context", tell_pages)
    app.connect("build-finished", lambda app, error: app.jobs.stop(), priority=999)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
