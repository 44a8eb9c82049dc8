"""What holds within a ``with`` block, for the thread that entered it."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


@contextmanager
def held(state: threading.local, name: str, value: Any) -> Iterator[None]:
    """Within this context an attribute of the thread's own `state` has that value."""
    before = getattr(state, name)
    setattr(state, name, value)
    try:
        yield
    finally:
        setattr(state, name, before)
