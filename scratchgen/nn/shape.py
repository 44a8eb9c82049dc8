"""Flatten and Unflatten, between images and vectors; `pad`, which makes arrays longer."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..autograd import shapes
from ..backend import checks
from .module import Module


class Flatten(Module):
    """The axes from `start_dim` to `end_dim` joined: by default ``(batch, ...) -> (batch, features)``.

    Examples
    --------
    >>> import numpy as np
    >>> Flatten()(np.zeros((32, 3, 8, 8))).shape
    (32, 192)
    """

    def __init__(self, start_dim: int = 1, end_dim: int = -1) -> None:
        self.start_dim = start_dim
        self.end_dim = end_dim

    def forward(self, x: Any) -> Any:
        return shapes.flatten(x, self.start_dim, self.end_dim)

    def extra_repr(self) -> str:
        return "" if (self.start_dim, self.end_dim) == (1, -1) else f"{self.start_dim}, {self.end_dim}"


class Unflatten(Module):
    """One axis made several: axis `dim` to the axes `unflattened_size`.

    Examples
    --------
    >>> import numpy as np
    >>> Unflatten(1, (3, 8, 8))(np.zeros((32, 192))).shape
    (32, 3, 8, 8)
    """

    def __init__(self, dim: int, unflattened_size: tuple[int, ...]) -> None:
        self.dim = dim
        checks.instance("unflattened_size", unflattened_size, (tuple, list))
        self.unflattened_size = tuple(checks.whole("unflattened_size", size) for size in unflattened_size)

    def forward(self, x: Any) -> Any:
        dim = shapes.axes_of(checks.array("x", x).ndim, self.dim)[0]
        size = math.prod(self.unflattened_size)
        if x.shape[dim] != size:
            raise ValueError(
                f"x: got shape {tuple(x.shape)}, expected length {size} on axis {dim} "
                f"to make {self.unflattened_size}"
            )
        if len(self.unflattened_size) == 1:
            return x
        return x.reshape((*x.shape[:dim], *self.unflattened_size, *x.shape[dim + 1 :]))

    def extra_repr(self) -> str:
        return f"{self.dim}, {self.unflattened_size}"


def pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Any:
    """`x` with more entries of a constant at the ends of its last axes.

    Parameters
    ----------
    pad : sequence of int
        Before and after, for the last axis, then for the one before it: (left, right, top, bottom) of images.
    mode : {"constant"}
    value : float

    Examples
    --------
    >>> import numpy as np
    >>> pad(np.array([[1.0]]), (1, 2))
    array([[0., 1., 0., 0.]])
    """
    checks.one_of("mode", mode, ("constant",))
    if len(pad) % 2 or len(pad) > 2 * x.ndim or any(width < 0 for width in pad):
        raise ValueError(f"pad: got {tuple(pad)}, expected a pair of numbers >= 0 for each of the last axes")
    widths = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    return shapes.pad(x, [(0, 0)] * (x.ndim - len(widths)) + widths, value)
