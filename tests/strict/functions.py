"""The protocols by which ``np.f(x)`` reaches a StrictArray, obeyed as narrowly as CuPy obeys them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import indexing, table
from .memory import Memory, is_scalar, refuse_host_arrays, unwrap, upload, wrap
from .traffic import synchronise, uploaded

CUPY = table.load()

# Functions that take host arrays: they are there to carry them over.
FROM_HOST = {"array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray", "asarray_chkfinite"}

# Functions that ask for the attributes of these arguments before anything else, so that scalars fail.
DEVICE_ARRAYS_FIRST = {
    *("where", "clip", "take", "take_along_axis", "put_along_axis", "reshape", "astype", "dot"),
}
SEQUENCES_OF_DEVICE_ARRAYS = {"concatenate", "concat", "stack", "vstack", "hstack", "dstack", "column_stack"}

# Functions during which CuPy waits for the device: the shape of the result, or an error, depends on values.
WAITING = {
    *("argwhere", "asarray_chkfinite", "average", "bincount", "choose", "compress", "extract", "flatnonzero"),
    *("histogram", "histogram2d", "histogramdd", "interp", "intersect1d", "nonzero"),
    *("percentile", "place", "put", "quantile", "ravel_multi_index", "setdiff1d", "setxor1d", "trim_zeros"),
    *("union1d", "unique", "unique_all", "unique_counts", "unique_inverse", "unique_values", "unwrap"),
    *("array2string", "array_repr", "array_str", "save", "savetxt", "savez", "savez_compressed"),
    *("linalg.lstsq", "linalg.matrix_rank"),
}

COMPARISONS = {"greater", "greater_equal", "less", "less_equal", "equal", "not_equal"}

# Functions whose one number or truth value is a 0-d device array in CuPy, and a Python object in NumPy.
DEVICE_SCALARS = {"allclose", "array_equal", "array_equiv", "count_nonzero"}


def array_function(
    func: Callable[..., Any], types: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """NEP 18: ``np.f(x)`` for the functions that CuPy has, with the parameters that CuPy's have."""
    name = f"{func.__module__}.{func.__name__}".removeprefix("numpy.")
    signature = CUPY.signature("function", name)
    if signature is None or not all(issubclass(t, Memory | np.ndarray) for t in types):
        return NotImplemented
    _bind(name, signature, args, kwargs)
    if name in FROM_HOST and not isinstance(args[0], Memory):
        return upload(func(*unwrap(args), **unwrap(kwargs)))
    refuse_host_arrays(kwargs if name == "take" else (args, kwargs))
    _require_device_arrays(name, args)
    if name in WAITING or (name == "where" and len(args) == 1) or _repeats_by_array(name, args, kwargs):
        synchronise()
    if name.endswith("_like") and kwargs.get("shape") == () != args[0].shape:
        raise ValueError(f"cupy.{name} takes shape=() for no shape: use np.zeros((), x.dtype, like=x)")
    if name in _SPECIAL:
        return _SPECIAL[name](*args, **kwargs)
    with np.errstate(all="ignore"):  # a GPU says nothing about infinities and NaNs
        result = func(*unwrap(args), **unwrap(kwargs))
    return wrap(np.asarray(result) if name in DEVICE_SCALARS else result)


def array_ufunc(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """NEP 13: ``np.exp(x)``, operators, and those methods of ufuncs that CuPy has, as ``np.add.at``."""
    name = ufunc.__name__
    signature = CUPY.signature("ufunc", name)
    if signature is None:
        return NotImplemented
    if "out" in kwargs:
        if len(kwargs["out"]) != 1:
            raise ValueError("The 'out' parameter must have exactly one array value")
        kwargs["out"] = kwargs["out"][0]
    if method != "__call__":
        return _ufunc_method(ufunc, method, inputs, kwargs)
    if name in COMPARISONS:  # NumPy makes 0-d arrays of its scalars before it asks us
        inputs = tuple(x.item() if isinstance(x, np.ndarray) and x.ndim == 0 else x for x in inputs)
    for x in (*inputs, *([kwargs["out"]] if "out" in kwargs else [])):
        refuse_host_arrays(x)
        if not isinstance(x, Memory) and not is_scalar(x):
            return NotImplemented
    _bind(name, signature, inputs, kwargs)
    if name == "matmul" and not all(isinstance(x, Memory) for x in inputs):
        raise TypeError("cupy.matmul: both arguments must be arrays")
    with np.errstate(all="ignore"):
        return wrap(ufunc(*unwrap(inputs), **unwrap(kwargs)))


def method(name: str) -> Callable[..., Any]:
    """The method of that name which CuPy's arrays have: its parameters, and NumPy's computation."""
    signature = CUPY.signature("method", name)
    assert signature is not None, f"cupy.ndarray has no method {name!r}"

    def call(self: Memory, *args: Any, **kwargs: Any) -> Any:
        _bind(f"ndarray.{name}", signature, args, kwargs)
        refuse_host_arrays((args, kwargs))
        if "casting" in kwargs:
            raise TypeError("casting is not supported yet")
        if name in WAITING or _repeats_by_array(name, (self, *args), kwargs):
            synchronise()
        with np.errstate(all="ignore"):
            return wrap(getattr(self._host, name)(*unwrap(args), **unwrap(kwargs)))

    call.__name__ = name
    return call


def take(x: Any, indices: Any, axis: int | None = None, out: Any = None) -> Any:
    """``np.take``, which in CuPy takes host indices too, and those out of range modulo the length."""
    if not isinstance(indices, Memory) and not is_scalar(indices):
        uploaded()
    length = x.size if axis is None else x.shape[axis]
    return wrap(np.take(x._host, indexing.wrapped(indices, length), axis, unwrap(out)))


def _take_along_axis(x: Any, indices: Any, axis: int | None = -1) -> Any:
    length = x.size if axis is None else x.shape[axis]
    return wrap(np.take_along_axis(x._host, indexing.wrapped(indices, length), axis))


def _put_along_axis(x: Any, indices: Any, values: Any, axis: int | None) -> None:
    length = x.size if axis is None else x.shape[axis]
    np.put_along_axis(x._host, indexing.wrapped(indices, length), unwrap(values), axis)


_SPECIAL: dict[str, Callable[..., Any]] = {
    "take": take,
    "take_along_axis": _take_along_axis,
    "put_along_axis": _put_along_axis,
}


def _ufunc_method(ufunc: np.ufunc, method: str, inputs: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    name = ufunc.__name__
    if name not in CUPY.ufunc_methods.get(method, ()):
        raise NotImplementedError(f"`cupy_{name}.{method}` is not supported yet")
    if method == "at":
        target, index, value = inputs
        if not isinstance(target, Memory):
            raise TypeError(f"cupy.{name}.at: the array must be on the device, got {type(target)}")
        refuse_host_arrays(value)
        return indexing.scatter(ufunc, target._host, index, value)
    unsupported = set(kwargs) - {"axis", "dtype", "out", "keepdims"}
    if unsupported:
        raise TypeError(f"cupy.{name}.{method}: unexpected keywords {sorted(unsupported)}")
    refuse_host_arrays((inputs, kwargs))
    with np.errstate(all="ignore"):
        return wrap(getattr(ufunc, method)(*unwrap(inputs), **unwrap(kwargs)))


def _bind(name: str, signature: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    try:
        signature.bind(*args, **kwargs)
    except TypeError as error:
        raise TypeError(f"cupy.{name}() {error}; its parameters are {signature}") from None


def _require_device_arrays(name: str, args: tuple[Any, ...]) -> None:
    """Refuse scalars and lists where CuPy takes nothing but its own arrays."""
    arrays = args[0] if name in SEQUENCES_OF_DEVICE_ARRAYS else args[: name in DEVICE_ARRAYS_FIRST]
    for x in arrays:
        if not isinstance(x, Memory):
            raise TypeError(f"cupy.{name}: expected an array of the device, got {type(x)}")


def _repeats_by_array(name: str, args: tuple[Any, ...], kwargs: dict[str, Any]) -> bool:
    return name == "repeat" and isinstance(kwargs.get("repeats", args[1] if len(args) > 1 else None), Memory)
