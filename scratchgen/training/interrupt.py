"""Ctrl-C between two steps, not in the middle of one."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Within this context the first Ctrl-C waits for the end of a step; the second acts at once.

    An optimiser stopped half-way has changed some parameters and not others: a state that no checkpoint
    should keep. In a thread other than the main one, which gets no signals, nothing changes.

    Yields
    ------
    callable
        Whether Ctrl-C was pressed.

    Raises
    ------
    KeyboardInterrupt
        At the end, if Ctrl-C was pressed and no other error ends the context.
    """
    if threading.current_thread() is not threading.main_thread():
        yield lambda: False
        return
    pressed = False

    def note(number: int, frame: FrameType | None) -> None:
        nonlocal pressed
        pressed = True
        signal.signal(signal.SIGINT, before)

    before = signal.signal(signal.SIGINT, note) or signal.SIG_DFL  # None: what another language set
    try:
        yield lambda: pressed
    finally:
        signal.signal(signal.SIGINT, before)
    if pressed:  # after the last look
        raise KeyboardInterrupt
