"""Shapes: the same numbers, arranged, repeated or joined in another way.

These operations are linear and only move numbers about; so each vjp is the move back (the adjoint), and where
a number was repeated the shares of its copies are added.
"""

from __future__ import annotations

import functools
import math
import operator
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import Array, checks
from ..backend.compiled import compiled
from .primitive import each, primitive


def _unpacked(given: tuple[Any, ...]) -> tuple[int, ...]:
    """Numbers given one by one, or in one sequence."""
    return tuple(given[0]) if len(given) == 1 and not isinstance(given[0], int | np.integer) else given


def _to_shape(x: Any, *lengths: Any, shape: Any = None) -> tuple[tuple[Any], dict[str, Any]]:
    return (checks.array("x", x),), {"shape": _unpacked(lengths) if shape is None else shape}


@primitive(lambda g, y, x, shape: g.reshape(x.shape), canonical=_to_shape)
def reshape(x: Array, *, shape: tuple[int, ...]) -> Array:
    """The same numbers in row-major order under another shape; one length may be -1."""
    return x.reshape(shape)


def axes_of(ndim: int, axis: Any) -> tuple[int, ...]:
    """`axis` (one, several, or None for all) as a tuple of distinct axes in 0 .. ndim - 1.

    Raises
    ------
    ValueError
        If an axis does not exist or is named twice.
    TypeError
        If an axis is no whole number.
    """
    if axis is not None and type(axis) is not int:
        try:
            several = isinstance(axis, tuple | list | range)
            axis = tuple(map(operator.index, axis)) if several else operator.index(axis)
        except TypeError:
            raise TypeError(f"axis: got {axis!r}, expected whole numbers") from None
    return _distinct_axes(ndim, axis)


@functools.lru_cache(maxsize=1024)
def _distinct_axes(ndim: int, axis: int | tuple[int, ...] | None) -> tuple[int, ...]:
    axes = tuple(range(ndim)) if axis is None else axis if isinstance(axis, tuple) else (axis,)
    if not all(-ndim <= a < ndim for a in axes):
        raise ValueError(f"axis: got {axis}, expected {-ndim} .. {ndim - 1} for an array of {ndim} axes")
    positive = tuple(a % ndim for a in axes)
    if len(set(positive)) < len(positive):
        raise ValueError(f"axis: got {axis}, expected different axes of an array of {ndim}")
    return positive


def along_axis(x: Any, axis: int = -1, *, dim: int | None = None) -> tuple[tuple[Any], dict[str, Any]]:
    """The call of an operation along one axis (the last by default) in canonical form: 0 .. ndim - 1."""
    return (x,), {"axis": axes_of(checks.array("x", x).ndim, axis if dim is None else dim)[0]}


def flatten(x: Any, start_dim: int = 0, end_dim: int = -1) -> Any:
    """The axes from `start_dim` to `end_dim` (inclusive, as in PyTorch) joined into one."""
    start, end = axes_of(checks.array("x", x).ndim, start_dim)[0], axes_of(x.ndim, end_dim)[0]
    if start > end:
        raise ValueError(f"end_dim: got {end_dim}, expected one not before start_dim {start_dim}")
    if start == end:
        return x
    joined = math.prod(x.shape[start : end + 1])
    return x.reshape((*x.shape[:start], joined, *x.shape[end + 1 :]))


def squeeze(x: Any, dim: int | tuple[int, ...] | None = None) -> Any:
    """`x` without its axes of length one: all of them, or those named (which stay if they are longer)."""
    gone = [a for a in axes_of(checks.array("x", x).ndim, dim) if x.shape[a] == 1]
    return x.reshape(tuple(n for a, n in enumerate(x.shape) if a not in gone))


def unsqueeze(x: Any, dim: int) -> Any:
    """`x` with a new axis of length one at place `dim` of the result."""
    return expand(x, axes_of(checks.array("x", x).ndim + 1, dim))


def _in_order(x: Any, *order: Any, axes: Any = None) -> tuple[tuple[Any], dict[str, Any]]:
    order = axes_of(checks.array("x", x).ndim, _unpacked(order) if axes is None else axes)
    if len(order) != x.ndim:
        raise ValueError(f"axes: got {order}, expected each of the {x.ndim} axes once")
    return (x,), {"axes": order}


@primitive(lambda g, y, x, axes: g.transpose(inverse_order(axes)), canonical=_in_order)
def permute(x: Array, *, axes: tuple[int, ...]) -> Array:
    """The axes in another order."""
    return x.transpose(axes)


def transpose(x: Any, *axes: Any) -> Any:
    """The axes reversed (no argument), two exchanged (two arguments), or all in a given order (a tuple)."""
    ndim = checks.array("x", x).ndim
    if not axes:
        return permute(x, range(ndim)[::-1])
    if len(axes) == 2 and ndim >= 2:
        order = list(range(ndim))
        a, b = (axes_of(ndim, axis)[0] for axis in axes)
        order[a], order[b] = order[b], order[a]
        return permute(x, order)
    return permute(x, *axes)


def inverse_order(axes: tuple[int, ...]) -> tuple[int, ...]:
    """The order of axes that undoes `axes`."""
    return tuple(sorted(range(len(axes)), key=axes.__getitem__))


def expand(x: Any, axis: tuple[int, ...]) -> Any:
    """New axes of length one at the given places of the result."""
    lengths = iter(x.shape)
    ndim = x.ndim + len(axis)
    return x.reshape(tuple(1 if i in axis else next(lengths) for i in range(ndim)))


def _collect_copies(g: Any, y: Any, x: Any, shape: tuple[int, ...]) -> Any:
    leading = len(shape) - x.ndim
    axes = (
        *range(leading),
        *(i + leading for i, n in enumerate(x.shape) if n == 1 and shape[i + leading] != 1),
    )
    return g.sum(axis=axes).reshape(x.shape) if axes else g


def _larger(x: Any, shape: Sequence[int]) -> tuple[tuple[Any], dict[str, Any]]:
    shape = tuple(shape)
    if checks.array("x", x).ndim > len(shape) or any(
        n not in (1, m) for n, m in zip(x.shape[::-1], shape[::-1], strict=False)
    ):
        raise ValueError(f"shape: got {shape}, to which an array of shape {x.shape} does not broadcast")
    return (x,), {"shape": shape}


@primitive(_collect_copies, canonical=_larger)
def broadcast_to(x: Array, *, shape: tuple[int, ...]) -> Array:
    """`x` repeated along its axes of length one, and along new leading axes, to `shape`."""
    return np.broadcast_to(x, shape)


@primitive(each(lambda i, g, y, *parts, axis: _part(g, parts, i, axis)))
@compiled
def concatenate(*parts: Array, axis: int) -> Array:
    """The parts one after another along `axis`."""
    return np.concatenate(parts, axis=axis)


def _part(g: Any, parts: tuple[Any, ...], i: int, axis: int) -> Any:
    """What of `g` belongs to the i-th of the concatenated parts."""
    start = sum(part.shape[axis] for part in parts[:i])
    return cut(g, start, start + parts[i].shape[axis], axis=axis)


@compiled
def cut(x: Any, start: int, stop: int, *, axis: int) -> Any:
    """The entries `start` to `stop` along an axis, of an array or a Tensor."""
    index = [slice(None)] * x.ndim
    index[axis] = slice(start, stop)
    return x[tuple(index)]


def cat(tensors: Sequence[Any], axis: int = 0, *, dim: int | None = None) -> Any:
    """The arrays one after another along an axis (PyTorch's ``cat``)."""
    return concatenate(*_several(tensors, "cat"), axis=axis if dim is None else dim)


def stack(tensors: Sequence[Any], axis: int = 0, *, dim: int | None = None) -> Any:
    """The arrays, all of one shape, side by side along a new axis."""
    tensors = _several(tensors, "stack")
    axis = axes_of(tensors[0].ndim + 1, axis if dim is None else dim)[0]
    return concatenate(*(expand(x, (axis,)) for x in tensors), axis=axis)


def _several(tensors: Sequence[Any], name: str) -> Sequence[Any]:
    tensors = list(tensors)
    if not tensors:
        raise ValueError(f"{name}: got no arrays, expected at least one")
    return tensors


def split(x: Any, sizes: int | Sequence[int], axis: int = 0, *, dim: int | None = None) -> list[Any]:
    """`x` cut along an axis into pieces of a given size (the last may be smaller), or of given sizes."""
    axis = axes_of(checks.array("x", x).ndim, axis if dim is None else dim)[0]
    length = x.shape[axis]
    if isinstance(sizes, list | tuple | np.ndarray):
        sizes = [checks.whole("sizes", size, least=0) for size in sizes]
    else:
        size = checks.whole("sizes", sizes)
        sizes = [min(size, length - start) for start in range(0, length, size)]
    if sum(sizes) != length:
        raise ValueError(f"sizes: got {sizes}, expected numbers that add up to the axis's length {length}")
    pieces, start = [], 0
    for size in sizes:
        pieces.append(cut(x, start, start + size, axis=axis))
        start += size
    return pieces


@primitive(lambda g, y, x, axis: flip(g, axis), canonical=along_axis)
def flip(x: Array, *, axis: int) -> Array:
    """`x` in reverse order along an axis."""
    return np.flip(x, axis)


def _on_each_axis(
    x: Any, widths: Sequence[tuple[int, int]], value: float = 0.0
) -> tuple[tuple[Any], dict[str, Any]]:
    widths = tuple((int(before), int(after)) for before, after in widths)
    if len(widths) != checks.array("x", x).ndim or any(w < 0 for pair in widths for w in pair):
        raise ValueError(f"widths: got {widths}, expected {x.ndim} pairs of numbers >= 0")
    return (x,), {"widths": widths, "value": value}


@primitive(lambda g, y, x, widths, value: g[_inside(widths, x.shape)], canonical=_on_each_axis)
def pad(x: Array, *, widths: tuple[tuple[int, int], ...], value: float) -> Array:
    """`x` with ``(before, after)`` further entries of a constant `value` on each axis."""
    return np.pad(x, widths, constant_values=value)


def _inside(widths: tuple[tuple[int, int], ...], shape: tuple[int, ...]) -> tuple[slice, ...]:
    return tuple(slice(before, before + n) for (before, _), n in zip(widths, shape, strict=True))


def zeros(shape: tuple[int, ...], like: Array) -> Array:
    """Zeros on the device and of the dtype of `like`."""
    # CuPy's zeros_like takes shape=() for no shape given.
    return np.zeros_like(like, shape=shape) if shape else np.zeros_like(like, shape=(1,)).reshape(())
