"""A number for each channel, added to all its pixels: a convolution's bias, or the features of a time.

`add` would do, with axes of length one; these primitives say what is meant. The adjoint
of the addition is a sum over pixels, whose adjoint is a repetition:

    <x + b, g> = <x, g> + <b, sum of g over pixels>.
"""

from __future__ import annotations

from typing import Any

from ..backend import Array
from ..backend.compiled import compiled
from .primitive import primitive
from .shapes import broadcast_to, expand


@primitive(lambda g, y, x, b: g, lambda g, y, x, b: sum_pixels(g, by_image=b.ndim == 2))
@compiled
def add_channels(x: Array, b: Array) -> Array:
    """``x + b`` for images x (batch, channels, ...) and b (channels,) or (batch, channels)."""
    return x + _at_pixels(b, x)


def _at_pixels(b: Array, x: Array) -> Array:
    return b.reshape(b.shape + (1,) * (x.ndim - 2))


def _repeated(g: Any, shape: tuple[int, ...], by_image: bool) -> Any:
    return broadcast_to(expand(g, (*(() if by_image else (0,)), *range(2, len(shape)))), shape)


@primitive(lambda u, y, x, by_image: _repeated(u, tuple(x.shape), by_image))
@compiled
def sum_pixels(x: Array, *, by_image: bool) -> Array:
    """Images (batch, channels, ...) summed to (batch, channels), or over the batch too, to (channels,)."""
    return x.sum(axis=tuple(range(2, x.ndim)) if by_image else (0, *range(2, x.ndim)))
