"""Indexing by arrays of whole numbers: gather, and its adjoint, scatter.

``y = x[index]`` gathers; the same element may be taken many times, so on the way back the shares of all its
copies are added (``scatter``), never overwritten. The two are each other's derivatives: ::

    <gather(x), g> = sum_m x[index_m] g_m = <x, scatter(g)>,     scatter(g)_j = sum of g_m over index_m = j
                                                                                         (gather-scatter)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Array, device_of, scatter_add
from .primitive import primitive
from .shapes import axes_of, zeros
from .tensor import raw

_PLAIN = frozenset({slice, int, type(None), type(Ellipsis)})


def _parts(x: Any, index: Any) -> tuple[tuple[Any], dict[str, Any]]:
    """An index as a tuple, in which all that NumPy takes for an array is one, on the device of `x`."""
    parts = index if type(index) is tuple else (index,)
    if not _PLAIN.issuperset(map(type, parts)):
        keep = getattr(x, "requires_grad", False)  # a copy, since somebody may write to the index meanwhile
        parts = tuple(part if type(part) in _PLAIN else _as_array(x, raw(part), keep) for part in parts)
    return (x,), {"index": parts}


def _as_array(x: Any, part: Any, keep: bool) -> Any:
    if isinstance(part, np.integer):
        return int(part)
    home: Any = device_of(raw(x))
    if isinstance(part, home.array_type):
        return part.copy() if keep else part
    array = np.array(part)
    empty_list = array.size == 0 and array.dtype.kind == "f"
    return home.asarray(array.astype(np.intp) if empty_list else array)


@primitive(lambda g, y, x, index: scatter(g, index=index, shape=x.shape), canonical=_parts)
def getitem(x: Array, *, index: tuple[Any, ...]) -> Array:
    """``x[index]``, where `index` is whatever NumPy knows: slices, whole numbers, None, Ellipsis, arrays.

    An array is anything that NumPy takes for one: also lists, and tuples within the tuple of the index.

    Raises
    ------
    IndexError
        If an index lies outside its axis (checked where that needs no transfer from a GPU).
    """
    return x[index]  # (gather-scatter)


@primitive(lambda g, y, x, index, shape: getitem(g, index=index))  # (gather-scatter)
def scatter(x: Array, *, index: tuple[Any, ...], shape: tuple[int, ...]) -> Array:
    """Zeros of a given shape with `x` added at `index`: the adjoint of `getitem`."""
    y = zeros(shape, like=x)
    if any(hasattr(part, "dtype") for part in index):  # which may name an element twice
        scatter_add(y, index, x)
    else:
        y[index] = x
    return y


def take_along_axis(x: Any, indices: Array, axis: int) -> Any:
    """For each position the element of `x` that `indices` names along `axis` (PyTorch's ``gather``).

    Parameters
    ----------
    x : array or Tensor
    indices : array of whole numbers
        Of as many axes as `x`; the result has its shape.
    axis : int
    """
    indices = raw(indices)
    if indices.ndim != x.ndim:
        raise ValueError(f"indices: got {indices.ndim} axes, expected {x.ndim} like x")
    axis = axes_of(x.ndim, axis)[0]
    grid = [
        np.arange(n, like=indices).reshape([-1 if i == a else 1 for i in range(x.ndim)])
        for a, n in enumerate(indices.shape)
    ]
    grid[axis] = indices
    return getitem(x, tuple(grid))


def gather(x: Any, dim: int, index: Array) -> Any:
    """`take_along_axis` in PyTorch's order of arguments."""
    return take_along_axis(x, index, dim)
