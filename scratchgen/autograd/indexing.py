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


def _on_device(x: Any, index: Any) -> tuple[tuple[Any], dict[str, Any]]:
    """An index as a tuple, whose lists have become arrays on the device of `x`."""
    parts = tuple(raw(part) for part in (index if isinstance(index, tuple) else (index,)))
    if any(map(_is_array, parts)):
        device = device_of(raw(x))
        arrays = (
            np.asarray(part, None if part else np.intp) if isinstance(part, list) else part for part in parts
        )
        parts = tuple(device.asarray(part) if isinstance(part, np.ndarray) else part for part in arrays)
    return (x,), {"index": parts}


def _is_array(part: Any) -> bool:
    return isinstance(part, list) or getattr(part, "ndim", 0) > 0


@primitive(lambda g, y, x, index: scatter(g, index=index, shape=x.shape), canonical=_on_device)
def getitem(x: Array, *, index: Any) -> Array:
    """``x[index]``: slices, whole numbers, None, Ellipsis; arrays or lists of whole numbers or truth values.

    Raises
    ------
    IndexError
        If an index lies outside its axis (checked where that needs no transfer from a GPU).
    """
    return x[index]


@primitive(lambda g, y, x, index, shape: getitem(g, index=index))
def scatter(x: Array, *, index: Any, shape: tuple[int, ...]) -> Array:
    """Zeros of a given shape with `x` added at `index`: the adjoint of `getitem`."""
    y = zeros(shape, like=x)
    if any(map(_is_array, index)):
        scatter_add(y, index, x)
    else:  # no element is named twice
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
