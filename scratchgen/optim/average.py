"""A moving average of the weights, which samples better than the last weights do."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..backend import Array, asarray, asnumpy, checks
from ..backend.compiled import compiled
from .optimizer import check_parameters, check_state


@compiled
def move(average: Array, x: Array, *, decay: float) -> None:
    """One step of a moving average, in place."""
    average[...] = decay * average + (1 - decay) * x  # (weight-average)


class ExponentialMovingAverage:
    """The running mean of the weights, moved after each step.

    ::

        average <- decay average + (1 - decay) parameter                                 (weight-average)

    Parameters
    ----------
    params : iterable of Parameter
    decay : float
        In [0, 1); the average spans about 1 / (1 - decay) steps. In the first steps the smaller
        ``(1 + t) / (10 + t)`` is used, so that the random start is forgotten (weight-average-start).

    Examples
    --------
    >>> from scratchgen.nn import Linear
    >>> layer = Linear(2, 2)
    >>> average = ExponentialMovingAverage(layer.parameters(), decay=0.999)
    >>> average.update()
    >>> with average.applied():
    ...     y = layer(np.ones((1, 2), np.float32))
    """

    def __init__(self, params: Iterable[Tensor], decay: float = 0.999) -> None:
        self.decay = checks.number("decay", decay, "[0, 1)")
        self.parameters = check_parameters(params)
        self.steps = 0
        self.averages: list[Array] = [p.data.copy() for p in self.parameters]

    def update(self) -> None:
        """Take the current weights into the average."""
        self.steps += 1
        decay = min(self.decay, (1 + self.steps) / (10 + self.steps))  # (weight-average-start)
        for average, parameter in zip(self.averages, self.parameters, strict=True):
            move(average, parameter.data, decay=decay)

    @contextmanager
    def applied(self) -> Iterator[None]:
        """Within this context the parameters hold the average; afterwards their own values again."""
        self._swap()
        try:
            yield
        finally:
            self._swap()

    def _swap(self) -> None:
        for i, parameter in enumerate(self.parameters):
            own = parameter.data.copy()
            parameter.data[...] = self.averages[i]
            self.averages[i] = own

    def state_dict(self) -> dict[str, np.ndarray | int]:
        """A copy of the averages, on the host."""
        return {"steps": self.steps, **{str(i): asnumpy(a).copy() for i, a in enumerate(self.averages)}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` gave; nothing is changed unless it fits.

        Raises
        ------
        TypeError, ValueError
            If `state` is no mapping; or listing every entry that is missing, unexpected or does not fit.
        """
        check_state("average", state, {"steps"}, {str(i): a for i, a in enumerate(self.averages)})
        self.steps = int(state["steps"])
        for i, average in enumerate(self.averages):
            average[...] = asarray(state[str(i)], average.dtype)
