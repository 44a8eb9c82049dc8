"""The memory behind a StrictArray, and the only way in and out of it."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

import numpy as np

from .traffic import uploaded

PYTHON_SCALARS = (bool, int, float, complex)


class Memory:
    """A host array that plays the part of device memory: nobody but the stand-in may look at it."""

    __slots__ = ("__weakref__", "_host")
    array_type: type[Memory]

    def __init_subclass__(cls) -> None:
        Memory.array_type = cls


_alive: WeakValueDictionary[int, Memory] = WeakValueDictionary()


def wrap(result: Any) -> Any:
    """What NumPy computed, as CuPy would return it: arrays, and 0-d arrays where NumPy gives scalars."""
    if isinstance(result, np.generic):
        result = np.asarray(result)
    if isinstance(result, np.ndarray):
        # One StrictArray for one host array, so that `x += y` stays x and `y.base is x` holds as in CuPy.
        known = _alive.get(id(result))
        if known is None or known._host is not result:
            known = object.__new__(Memory.array_type)
            known._host = result
            _alive[id(result)] = known
        return known
    if isinstance(result, tuple | list):
        wrapped = [wrap(element) for element in result]
        return type(result)(*wrapped) if hasattr(result, "_fields") else type(result)(wrapped)
    return result


def unwrap(x: Any) -> Any:
    """`x` with its memory for every StrictArray in it, also within lists, tuples and dictionaries."""
    if isinstance(x, Memory):
        return x._host
    if type(x) in (list, tuple):
        return type(x)(map(unwrap, x))
    if type(x) is dict:
        return {key: unwrap(value) for key, value in x.items()}
    return x


def refuse_host_arrays(x: Any) -> None:
    """Raise a TypeError, as CuPy does, if there is a NumPy array in `x` or in a list or tuple of it."""
    if isinstance(x, np.ndarray):
        raise TypeError(f"Unsupported type {np.ndarray} (a NumPy array met a device array: use sg.asarray)")
    if isinstance(x, dict):
        x = list(x.values())
    if isinstance(x, list | tuple):
        for element in x:
            refuse_host_arrays(element)


def is_scalar(x: Any) -> bool:
    """Whether CuPy takes `x` for a scalar: a Python or a NumPy number."""
    return type(x) in PYTHON_SCALARS or isinstance(x, np.number | np.bool_)


def upload(x: Any, dtype: Any = None) -> Any:
    """Copy a host array (or nested list, or number) to the stand-in's device; its arrays pass as they are."""
    if isinstance(x, Memory):
        return x if dtype is None else wrap(x._host.astype(dtype, copy=False))
    uploaded()
    return wrap(np.array(unwrap(x), dtype=dtype, copy=True, order="K"))
