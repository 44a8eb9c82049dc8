"""Arrays of one layout, seen as lines of numbers."""

from __future__ import annotations

from operator import methodcaller

import numpy as np

as_line = methodcaller("reshape", -1)


def lines(*arrays: np.ndarray) -> list[np.ndarray] | None:
    """The arrays as views of one axis, their numbers in one order; None where there is none."""
    first = arrays[0]
    for a in arrays:
        if not a.flags.c_contiguous or a.size != first.size:
            break
    else:
        return list(map(as_line, arrays))
    if any(a.strides != first.strides or a.shape != first.shape for a in arrays):
        return None
    order = sorted(range(first.ndim), key=lambda axis: -first.strides[axis])
    turned = [a.transpose(order) for a in arrays]
    return list(map(as_line, turned)) if turned[0].flags.c_contiguous else None


def alike(x: np.ndarray, *others: np.ndarray) -> list[np.ndarray]:
    """`x` and others of its shape, copied where that is needed for `lines` to hold them."""
    arrays = [x, *others]
    if lines(*arrays) is None:
        x = x if lines(x) is not None else x.copy(order="K")
        arrays = [x]
        for other in others:
            copy = np.empty_like(x)
            copy[...] = other
            arrays.append(copy)
    return arrays
