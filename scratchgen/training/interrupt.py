"""Stopping between two steps, not amid one: by Ctrl-C, by a cluster's SIGTERM, or by the clock."""

from __future__ import annotations

import math
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from types import FrameType

from ..backend import checks
from ..backend.context import held

SIGNALS = signal.SIGINT, signal.SIGTERM
"""Ctrl-C, and what clusters send some time before they end a job, and mpiexec to its ranks."""


class _Deadline(threading.local):
    """One thread's: the time at which training stops."""

    at = math.inf


_deadline = _Deadline()


def stop_after(minutes: float) -> AbstractContextManager[None]:
    """Within this context training stops, as by Ctrl-C, once so many minutes have passed since it began.

    A checkpoint is saved then, and training goes on from there another time. Within another such context the
    earlier end counts.

    Examples
    --------
    >>> with stop_after(minutes=55), interruptible() as interrupted:
    ...     interrupted()
    False
    """
    end = time.monotonic() + 60 * checks.number("minutes", minutes, "(0, inf)")
    return held(_deadline, "at", min(_deadline.at, end))


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Within this context the first Ctrl-C or SIGTERM waits for the end of a step; the second acts at once.

    An optimiser stopped half-way has changed some parameters and not others: a state that no checkpoint
    should keep. In a thread other than the main one, which gets no signals, only the clock counts.

    Yields
    ------
    callable
        Whether to stop: a signal came, or the time of `stop_after` is up.

    Raises
    ------
    KeyboardInterrupt
        At the end, if a signal came and no other error ends the context.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: time.monotonic() > _deadline.at
        return
    pressed = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        restore()

    def restore() -> None:
        for number, handler in before.items():
            signal.signal(number, handler)

    # None is what another language set.
    before = {number: signal.signal(number, note) or signal.SIG_DFL for number in SIGNALS}
    try:
        yield lambda: pressed or time.monotonic() > _deadline.at
    finally:
        restore()
    if pressed:  # after the last look
        raise KeyboardInterrupt
