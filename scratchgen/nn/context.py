"""What belongs to a call and not to a module: evaluation, the stream of random layers, who looks on.

A model may be called by several threads at once: one trains, another draws samples in evaluation, a third
prints a summary. So each of these holds within a ``with`` block, for the thread that entered it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any

from ..backend import RandomStream, check_rng
from ..backend.context import held

if TYPE_CHECKING:
    from .module import Module


class _Context(threading.local):
    """One thread's: by identity the modules in evaluation, the layers' stream, and who sees every output."""

    evaluated: frozenset[int] = frozenset()
    rng: RandomStream | None = None
    observer: Callable[[Module, Any], None] | None = None


context = _Context()


def evaluating(module: Module) -> AbstractContextManager[None]:
    """Within this context a module and all below it are in evaluation, for this thread only.

    Examples
    --------
    >>> from scratchgen.nn import Dropout
    >>> layer = Dropout(0.5)
    >>> with evaluating(layer):
    ...     layer.training
    False
    >>> layer.training
    True
    """
    parts = {id(part) for _, part in module.named_modules()}
    return held(context, "evaluated", context.evaluated | parts)


def layers_draw_from(rng: RandomStream) -> AbstractContextManager[None]:
    """Within this context the stochastic layers that this thread calls draw from `rng`, one after another.

    A layer sits deep inside a model, whose ``forward`` passes no stream on. Left alone it draws from a stream
    of its own; training names one for each step, so that its numbers depend on nothing before it, and a run
    that is resumed has the masks of one that was not interrupted.

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
    return held(context, "rng", check_rng(rng))


def layer_stream(own: RandomStream) -> RandomStream:
    """What a layer draws from now: the stream that `layers_draw_from` names in this thread, or its `own`."""
    return own if context.rng is None else context.rng


def observing(observer: Callable[[Module, Any], None]) -> AbstractContextManager[None]:
    """Within this context `observer` is called with every module that this thread calls, and its output."""
    return held(context, "observer", observer)
