"""Shapes: the same numbers, arranged, repeated or joined in another way.

These operations are linear and only move numbers about; so each vjp is the move back (the adjoint), and where
a number was repeated the shares of its copies are added.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import Array, joined
from .primitive import primitive
from .tensor import raw


def reshape(x: Any, *shape: Any) -> Any:
    """The same numbers in row-major order under another shape; one length may be -1."""
    return reshape_(
        x, shape=tuple(shape[0]) if len(shape) == 1 and not isinstance(shape[0], int | np.integer) else shape
    )


@primitive(lambda g, y, x, shape: reshape_(g, shape=x.shape))
def reshape_(x: Array, *, shape: tuple[int, ...]) -> Array:
    """`reshape` to a given shape."""
    return x.reshape(shape)


def from_front(axis: int, ndim: int, name: str) -> int:
    """`axis` as one of 0 .. ndim - 1; negative ones count from the back.

    Raises
    ------
    ValueError
        If there is no such axis.
    """
    if not -ndim <= axis < ndim:
        raise ValueError(f"{name}: axis {axis} does not fit an array of {ndim} axes")
    return int(axis) % ndim


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes from `start_dim` to `end_dim` (inclusive, as in PyTorch) joined into one."""
    start, end = (from_front(axis, x.ndim, "flatten") for axis in (start_dim, end_dim))
    joined = int(np.prod(x.shape[start : end + 1]))
    return reshape_(x, shape=(*x.shape[:start], joined, *x.shape[end + 1 :]))


def permute(x: Any, *axes: Any) -> Any:
    """The axes in another order."""
    order = tuple(axes[0]) if len(axes) == 1 and not isinstance(axes[0], int | np.integer) else axes
    places = tuple(from_front(a, x.ndim, "permute") for a in order)
    if sorted(places) != list(range(x.ndim)):
        raise ValueError(f"axes: got {order}, expected each of the {x.ndim} axes once")
    return transpose_(x, axes=places)


def transpose(x: Any, *axes: Any) -> Any:
    """The axes reversed (no argument), two exchanged (two arguments), or all in a given order (a tuple)."""
    if len(axes) == 2 and x.ndim >= 2:
        order = list(range(x.ndim))
        a, b = (from_front(axis, x.ndim, "transpose") for axis in axes)
        order[a], order[b] = order[b], order[a]
        return transpose_(x, axes=tuple(order))
    return permute(x, *axes) if axes else transpose_(x, axes=tuple(reversed(range(x.ndim))))


@primitive(lambda g, y, x, axes: transpose_(g, axes=inverse_order(axes)))
def transpose_(x: Array, *, axes: tuple[int, ...]) -> Array:
    """`permute` to a given order."""
    return x.transpose(axes)


def inverse_order(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order of axes that undoes `axes`."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def expand(x: Any, axis: tuple[int, ...]) -> Any:
    """New axes of length one at the given places of the result."""
    lengths = iter(x.shape)
    ndim = x.ndim + len(axis)
    return reshape_(x, shape=tuple(1 if i in axis else next(lengths) for i in range(ndim)))


def broadcast_to(x: Any, shape: tuple[int, ...]) -> Any:
    """`x` repeated along its axes of length one, and along new leading axes, to `shape`."""
    shape = tuple(shape)
    if x.ndim > len(shape) or any(n not in (1, m) for n, m in zip(x.shape[::-1], shape[::-1], strict=False)):
        raise ValueError(f"shape: got {shape}, to which an array of shape {x.shape} does not broadcast")
    return broadcast_to_(x, shape=shape)


def _collect_copies(g: Any, y: Any, x: Any, shape: tuple[int, ...]) -> Any:
    leading = len(shape) - x.ndim
    axes = (
        *range(leading),
        *(i + leading for i, n in enumerate(x.shape) if n == 1 and shape[i + leading] != 1),
    )
    return reshape_(g.sum(axis=axes), shape=x.shape) if axes else g


@primitive(_collect_copies)
def broadcast_to_(x: Array, *, shape: tuple[int, ...]) -> Array:
    """`broadcast_to` a given shape."""
    return np.broadcast_to(x, shape)


@primitive(lambda i, g, y, *parts, axis: _part(g, parts, i, axis), variadic=True)
def concatenate(*parts: Array, axis: int) -> Array:
    """The parts one after another along `axis`."""
    return joined(parts, axis)


def _part(g: Any, parts: tuple[Any, ...], i: int, axis: int) -> Any:
    """What of `g` belongs to the i-th of the concatenated parts."""
    start = sum(part.shape[axis] for part in parts[:i])
    index = [slice(None)] * g.ndim
    index[axis] = slice(start, start + parts[i].shape[axis])
    return take_slice(g, tuple(index))


def cat(tensors: Sequence[Any], axis: int = 0, *, dim: int | None = None) -> Any:
    """The arrays one after another along an axis (PyTorch's ``cat``)."""
    return concatenate(*_several(tensors, "cat"), axis=axis if dim is None else dim)


def stack(tensors: Sequence[Any], axis: int = 0, *, dim: int | None = None) -> Any:
    """The arrays, all of one shape, side by side along a new axis."""
    tensors = _several(tensors, "stack")
    axis = from_front(axis if dim is None else dim, tensors[0].ndim + 1, "stack")
    return concatenate(*(expand(x, (axis,)) for x in tensors), axis=axis)


def _several(tensors: Sequence[Any], name: str) -> Sequence[Any]:
    tensors = list(tensors)
    if not tensors:
        raise ValueError(f"{name}: got no arrays, expected at least one")
    return tensors


def split(x: Any, sizes: int | Sequence[int], axis: int = 0, *, dim: int | None = None) -> list[Any]:
    """`x` cut along an axis into pieces of a given size (the last may be smaller), or of given sizes."""
    axis = from_front(axis if dim is None else dim, x.ndim, "split")
    length = x.shape[axis]
    if isinstance(sizes, int):
        if sizes <= 0:
            raise ValueError(f"sizes: got {sizes}, expected a positive size")
        sizes = [min(sizes, length - start) for start in range(0, length, sizes)]
    if sum(sizes) != length:
        raise ValueError(f"sizes: got {list(sizes)}, which do not add up to the axis's length {length}")
    pieces, start = [], 0
    for size in sizes:
        index = [slice(None)] * x.ndim
        index[axis] = slice(start, start + size)
        pieces.append(take_slice(x, tuple(index)))
        start += size
    return pieces


@primitive(lambda g, y, x, axis: flip_(g, axis=axis))
def flip_(x: Array, *, axis: int) -> Array:
    """`flip` along a given axis."""
    return np.flip(x, axis)


def flip(x: Any, axis: int) -> Any:
    """`x` in reverse order along an axis."""
    return flip_(x, axis=axis)


def pad(x: Any, widths: Sequence[tuple[int, int]], value: float = 0.0) -> Any:
    """`x` with ``(before, after)`` further entries of a constant `value` on each axis."""
    widths = tuple((int(before), int(after)) for before, after in widths)
    if len(widths) != x.ndim or any(w < 0 for pair in widths for w in pair):
        raise ValueError(f"widths: got {widths}, expected {x.ndim} pairs of numbers >= 0")
    return pad_(x, widths=widths, value=value)


@primitive(lambda g, y, x, widths, value: take_slice(g, _inside(widths, x.shape)))
def pad_(x: Array, *, widths: tuple[tuple[int, int], ...], value: float) -> Array:
    """`pad` by given widths."""
    return np.pad(x, widths, constant_values=value)


def _inside(widths: tuple[tuple[int, int], ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(before, before + n) for (before, _), n in zip(widths, shape, strict=True))


def take_slice(x: Any, index: Any) -> Any:
    """``x[index]`` for an index of slices, whole numbers, None and Ellipsis: no element is taken twice."""
    return take_slice_(x, index=index)


@primitive(lambda g, y, x, index: put_slice_(g, index=index, shape=raw(x).shape))
def take_slice_(x: Array, *, index: Any) -> Array:
    """`take_slice` at a given index."""
    return x[index]


@primitive(lambda g, y, x, index, shape: take_slice_(g, index=index))
def put_slice_(x: Array, *, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of a given shape with `x` written at `index`: the adjoint of `take_slice`."""
    y = zeros(shape, like=x)
    y[index] = x
    return y


def zeros(shape: tuple[int, ...], like: Array) -> Array:
    """Zeros on the device and of the dtype of `like`."""
    # CuPy's zeros_like takes shape=() for no shape given.
    return np.zeros_like(like, shape=shape) if shape else np.zeros_like(like, shape=(1,)).reshape(())
