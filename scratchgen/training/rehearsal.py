"""Rehearsal: how long will a program train? Three steps of each of its trainings say so."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..backend.context import held

REHEARSED = 3  # steps; in the first, loops may be compiled


@dataclass
class Rehearsal:
    """What was noted of each training.

    Attributes
    ----------
    steps : list of int
        How many steps each would have taken.
    seconds : list of float
        How long these would take.
    """

    steps: list[int] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def note(self, steps: int, durations: list[float]) -> None:
        """One more training, of so many steps, and what its first few took, in seconds."""
        self.steps.append(steps)
        self.seconds.append(steps * min(durations[1:], default=0.0))


class _Current(threading.local):
    rehearsal: Rehearsal | None = None


_current = _Current()


def current_rehearsal() -> Rehearsal | None:
    """What this thread's trainings are noted in, if they are rehearsed."""
    return _current.rehearsal


@contextmanager
def rehearsing() -> Iterator[Rehearsal]:
    """Within this context each training takes three steps, quietly, and notes how long all would take.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchgen import models, optim, training
    >>> model = models.Autoencoder.dense(4, 8, 2)
    >>> optimiser = optim.Adam(model.parameters())
    >>> with rehearsing() as found:
    ...     rows = training.fit(model.loss, np.zeros((9, 4), np.float32), optimiser, steps=1000)
    >>> rows[-1]["step"], found.steps
    (3, [1000])
    """
    found = Rehearsal()
    with held(_current, "rehearsal", found):
        yield found
