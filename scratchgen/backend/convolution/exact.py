"""The switch between minimal filtering, which is fast, and exact sums."""

from __future__ import annotations

import threading
from types import TracebackType


class _Mode(threading.local):
    exact = False


_mode = _Mode()


class use_exact_convolution:
    """Add up convolutions term by term, without minimal filtering, from now on or inside a ``with`` block.

    Minimal filtering (`minimal.py`) computes several rows of an output together, so that rounding errors are
    relative to the largest number in any of them: about 2e-6 of it. Images that hold NaN, infinity, or rows
    whose largest numbers differ by more than a factor of a thousand are computed exactly anyway; with this,
    all are. The derivatives are exact where they are computed under it too.

    The choice belongs to the thread. float64 and a GPU always compute exact sums.

    Parameters
    ----------
    exact : bool

    Examples
    --------
    >>> with use_exact_convolution():
    ...     exact_convolution()
    True
    >>> exact_convolution()
    False
    """

    def __init__(self, exact: bool = True) -> None:
        self.before = _mode.exact
        _mode.exact = bool(exact)

    def __enter__(self) -> None:
        pass

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _mode.exact = self.before


def exact_convolution() -> bool:
    """Whether this thread asked for exact sums."""
    return _mode.exact
