"""One flat buffer for all parameters, worked through in pieces that fit a processor's cache.

An optimiser's step is elementwise: it does not care which parameter a number belongs to. So the parameters
are laid one after another in one buffer (each parameter's array becomes a view of it), the optimiser's state
in buffers alike, and a step runs through all of them piece by piece: a dozen NumPy calls over a piece,
instead of a dozen calls for each parameter, large or small.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..backend import Array

PIECE = 1 << 18  # numbers: what stays in a cache, roughly, while a formula passes over it several times
SMALL = 1 << 14  # numbers of a parameter below which its gradient is copied beside its neighbours'


class FlatParameters:
    """The parameters in one buffer.

    Parameters
    ----------
    parameters : sequence of Parameter
        Their ``.data`` become views of `buffer`.

    Attributes
    ----------
    buffer : array, shape (total,)
    """

    def __init__(self, parameters: Sequence[Tensor]) -> None:
        self.parameters = list(parameters)
        stops = np.cumsum([p.size for p in self.parameters]).tolist()
        self.spans = list(zip([0, *stops[:-1]], stops, strict=True))
        first = self.parameters[0].data
        self.buffer = np.empty_like(first, shape=(stops[-1],))
        # On a GPU every call has a fixed cost, so there one piece is best.
        on_host, total = isinstance(first, np.ndarray), max(stops[-1], 1)
        self.piece: int = PIECE if on_host else total
        self.small: int = SMALL if on_host else total
        self._views: list[Array | None] = [None] * len(self.parameters)
        self.attach()

    def __reduce__(self) -> tuple[Any, ...]:
        """Copies and pickles hold the parameters alone: of an array and its view two arrays would be made."""
        return type(self), (self.parameters,)

    def zeros(self) -> Array:
        """A further buffer of the same layout, for an optimiser's state."""
        return np.zeros_like(self.buffer)

    def attach(self) -> None:
        """Make each parameter's array a view of the buffer, also where somebody has replaced it since."""
        for i, (parameter, (start, stop)) in enumerate(zip(self.parameters, self.spans, strict=True)):
            if parameter.data is not self._views[i]:
                self._check(i)
                view = self.buffer[start:stop].reshape(parameter.shape)
                view[...] = parameter.data
                parameter.data = self._views[i] = view

    def _check(self, i: int) -> None:
        """Raise if the array of parameter i was replaced by one that the buffer cannot hold."""
        data, (start, stop) = self.parameters[i].data, self.spans[i]
        same_kind = data.dtype == self.buffer.dtype and type(data) is type(self.buffer)
        if not same_kind or data.size != stop - start:
            raise ValueError(
                f"params[{i}]: got {data.size} numbers of {data.dtype} in a {type(data).__name__}, "
                f"expected {stop - start} of {self.buffer.dtype} in a {type(self.buffer).__name__}; "
                "make the optimiser after moving or converting the model"
            )

    def check_gradients(self) -> None:
        """Raise unless each gradient has its parameter's shape and dtype.

        Raises
        ------
        ValueError
            Naming the parameter's number, what was given and what is expected.
        """
        for i, parameter in enumerate(self.parameters):
            data, gradient = parameter.data, parameter.grad
            if gradient is not None and (gradient.shape, gradient.dtype) != (data.shape, data.dtype):
                raise ValueError(
                    f"params[{i}]: got a gradient of shape {gradient.shape} and {gradient.dtype}, "
                    f"expected {data.shape} and {data.dtype} like the parameter"
                )

    def pieces(self) -> Iterator[tuple[slice, Array]]:
        """``(where, gradient)``: spans of the buffer with their gradients.

        A large parameter comes in several pieces, neighbouring small ones in one; a parameter without a
        gradient is left out.
        """
        waiting: list[Array] = []
        begin = end = 0
        for parameter, (start, stop) in zip(self.parameters, self.spans, strict=True):
            gradient = None if parameter.grad is None else parameter.grad.reshape(-1)
            small = gradient is not None and stop - start < min(self.small, self.piece)
            if waiting and not (small and stop - begin <= self.piece):
                yield slice(begin, end), np.concatenate(waiting)
                waiting = []
            if gradient is None:
                continue
            if small:
                begin = begin if waiting else start
                waiting.append(gradient)
                end = stop
            else:
                for i in range(start, stop, self.piece):
                    yield slice(i, min(i + self.piece, stop)), gradient[i - start : i - start + self.piece]
        if waiting:
            yield slice(begin, end), np.concatenate(waiting)
