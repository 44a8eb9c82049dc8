"""Where the layers that draw random numbers take them from.

A layer sits deep inside a model, whose ``forward`` passes no stream on. Left alone it draws from a stream of
its own; training names one for each step, so that its numbers depend on nothing before it, and a run that is
resumed has the masks of one that was not interrupted.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

from ..backend import RandomStream, check_rng


class _Thread(threading.local):
    rng: RandomStream | None = None


_thread = _Thread()


@contextmanager
def layers_draw_from(rng: RandomStream) -> Iterator[None]:
    """Within this context the stochastic layers that this thread calls draw from `rng`, one after another.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchgen.nn import Dropout
    >>> first, second = Dropout(0.5), Dropout(0.5)
    >>> with layers_draw_from(RandomStream(0)):
    ...     y = first(np.ones(100))
    >>> with layers_draw_from(RandomStream(0)):
    ...     bool((second(np.ones(100)) == y).all())
    True
    """
    before, _thread.rng = _thread.rng, check_rng(rng)
    try:
        yield
    finally:
        _thread.rng = before


def layer_stream(own: RandomStream) -> RandomStream:
    """What a layer draws from now: the stream that `layers_draw_from` names in this thread, or its `own`."""
    return own if _thread.rng is None else _thread.rng
