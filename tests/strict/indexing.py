"""Indexing as CuPy does it: views for slices, silent wrapping of index arrays, synchronisation for masks."""

from __future__ import annotations

from typing import Any

import numpy as np

from .memory import Memory, is_scalar, unwrap, wrap
from .traffic import synchronise, uploaded

_INTEGERS = "i4 i8 u4 u8"
SCATTER_DTYPES = {
    "add": f"{_INTEGERS} f2 f4 f8",
    "subtract": "i4 u4",
    **dict.fromkeys(("maximum", "minimum"), f"{_INTEGERS} f4 f8"),
    **dict.fromkeys(("bitwise_and", "bitwise_or", "bitwise_xor"), _INTEGERS),
}
"""The data types whose atomic operations CuPy offers, as found by trying each."""


def get_item(host: np.ndarray, key: Any) -> Any:
    """``x[key]``: a view for integers and slices, a new array as soon as one index is an array."""
    index, advanced = _host_index(host.shape, key)
    if advanced:
        return wrap(np.array(host[index], copy=True))
    # The ellipsis makes NumPy return a 0-d view, as CuPy does, where it would return a scalar.
    return wrap(host[index if Ellipsis in index else (*index, Ellipsis)])


def set_item(host: np.ndarray, key: Any, value: Any) -> None:
    """``x[key] = value``: from a device array or a scalar; with an index array also from a host array."""
    index, advanced = _host_index(host.shape, key)
    if not isinstance(value, Memory) and not is_scalar(value):
        if not isinstance(value, np.ndarray | list | tuple):
            raise TypeError(f"Unsupported type {type(value)}")
        if not advanced and np.ndim(unwrap(value)) > 0:
            raise ValueError("non-scalar numpy.ndarray cannot be used for fill")
        uploaded()
    host[index] = unwrap(value)


def scatter(ufunc: np.ufunc, host: np.ndarray, key: Any, value: Any) -> None:
    """``ufunc.at(x, key, value)``: repeated indices count repeatedly."""
    index, advanced = _host_index(host.shape, key)
    if advanced and host.dtype.str[1:] not in SCATTER_DTYPES[ufunc.__name__].split():
        raise TypeError(f"cupy.{ufunc.__name__}.at does not support {host.dtype} as data type")
    ufunc.at(host, index, unwrap(value))


def wrapped(indices: Any, length: int) -> np.ndarray:
    """Integer indices into an axis of that length as CuPy takes them: modulo the length, never an error."""
    indices = np.asarray(unwrap(indices))
    return np.asarray(indices % length) if length else indices


def _host_index(shape: tuple[int, ...], key: Any) -> tuple[tuple[Any, ...], bool]:
    """`key` as an index for NumPy, and whether it holds an array."""
    entries = [_entry(entry) for entry in (key if isinstance(key, tuple) else (key,))]
    consumed = sum(_axes_used(entry) for entry in entries)
    index: list[Any] = []
    axis = 0
    for entry in entries:
        if isinstance(entry, np.ndarray) and entry.dtype.kind == "b":
            synchronise()  # the number of true elements fixes the shape of the result
        elif isinstance(entry, np.ndarray) and entry.dtype.kind in "iu" and axis < len(shape):
            index.append(wrapped(entry, shape[axis]))
            axis += 1
            continue
        index.append(entry)
        axis += len(shape) - consumed if entry is Ellipsis else _axes_used(entry)
    return tuple(index), any(isinstance(entry, np.ndarray) for entry in index)


def _entry(entry: Any) -> Any:
    """One index: arrays of either side, lists and truth values become host arrays, the rest stays."""
    if isinstance(entry, Memory):
        return entry._host
    if isinstance(entry, list | tuple | np.ndarray | bool | np.bool_):
        uploaded()
        array = np.asarray(unwrap(entry))
        return array.astype(np.int32) if isinstance(entry, list | tuple) and array.size == 0 else array
    return entry


def _axes_used(entry: Any) -> int:
    if entry is None or entry is Ellipsis:
        return 0
    return entry.ndim if isinstance(entry, np.ndarray) and entry.dtype.kind == "b" else 1
