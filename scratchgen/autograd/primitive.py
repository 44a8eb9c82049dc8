"""Primitive: a differentiable operation, made of a forward function and one line of calculus per argument.

A primitive takes raw arrays and Tensors alike. Given only raw arrays it returns a raw array and records
nothing; given a Tensor it returns a Tensor that remembers how it was made.
"""

from __future__ import annotations

import functools
import inspect
import itertools
from collections.abc import Callable
from typing import Any

import numpy as np

from ..backend import Array, asarray
from .tensor import Primitive, Tensor, raw, recording

VJP = Callable[..., Any]
Canonical = Callable[..., tuple[tuple[Any, ...], dict[str, Any]]]

# Counted down, so that the youngest result comes first: a result is always younger than its arguments.
_births = itertools.count(-1, -1)
_new = object.__new__  # a Tensor without __init__, whose checks are for a user's data

registry: dict[str, Primitive] = {}
"""Every primitive by name; the tests walk it, so that none is without a check of its derivatives."""


def primitive(
    *vjps: VJP | Jointly | Each | None,
    canonical: Canonical | None = None,
    broadcasts: bool = False,
    casts: bool = False,
) -> Callable[[Callable[..., Array]], Primitive]:
    """Make a forward function on raw arrays differentiable: one line of calculus per argument.

    Each `vjp` (vector-Jacobian product) pulls the cotangent ``g`` of the result ``y`` back to one argument:
    ``g^T dy/da``. It may use only ``g``, ``y``, the arguments and the static keywords, and is written in
    operators and primitives that take raw arrays and Tensors alike; so the same line gives the first
    derivative (on raw arrays, at no overhead) and every higher one (on Tensors).

    Arguments are kept, not copied: an array that is written to before its derivative is taken falsifies it.

    Parameters
    ----------
    *vjps : callable or None
        ``vjp(g, y, *args, **static)``, one for each positional argument; None where there is no derivative.
        Or, for all of them, one ``jointly(vjp)`` or ``each(vjp)``.
    canonical : callable, optional
        Turns a call as users write it, such as ``sum(x, -1)`` or ``sum(x, dim=-1)``, into the one form that
        the forward function and the vjps know: ``(args, static)``, here ``(x,), {"axis": (1,), ...}``. What
        is in that form already, it leaves as it is.
    broadcasts : bool
        Whether arguments broadcast against each other, so that a vjp's result has to be summed down to its
        argument's shape (`backward.py` does it).
    casts : bool
        Whether the result's dtype may differ from the arguments'.

    Examples
    --------
    >>> from scratchgen.autograd import tensor
    >>> cube = primitive(lambda g, y, x: g * 3 * x * x)(lambda x: x**3)
    >>> x = tensor([2.0], requires_grad=True)
    >>> cube(x).backward()
    >>> x.grad
    array([12.], dtype=float32)
    """

    def wrap(forward: Callable[..., Array]) -> Primitive:
        @functools.wraps(forward)
        def operation(*args: Any, **static: Any) -> Any:
            if canonical is not None:
                args, static = canonical(*args, **static)
            arrays: list[Any] = []
            dtype: Any = None
            variables = record = unlike = lists = False
            for a in args:
                if isinstance(a, Tensor):
                    variables = True
                    if a.requires_grad:
                        record = True
                    a = a.data
                arrays.append(a)
                kind = getattr(a, "dtype", None)
                if kind is None:
                    lists = lists or type(a) is list
                elif dtype is None:
                    dtype = kind
                elif kind is not dtype:
                    unlike = True
            if lists:
                return operation(*_without_lists(args), **static)
            if not variables:
                return forward(*args, **static)
            if unlike:
                args, dtype = _of_one_type(forward.__name__, args)
                arrays = [raw(a) for a in args]
            data = forward(*arrays, **static)
            if data.dtype is not dtype and not casts:
                data = _in_type(forward.__name__, data, dtype)
            result = _new(Tensor)
            result.data = np.asarray(data) if isinstance(data, np.generic) else data
            if record and recording.enabled:
                result.requires_grad = True
                result.origin = (operation, args, static)
                result.birth = next(_births)
            return result

        operation.broadcasts = broadcasts  # type: ignore[attr-defined]
        several = vjps and isinstance(vjps[0], Jointly | Each)
        operation.vjps = (  # type: ignore[attr-defined]
            vjps[0] if several else tuple(vjp or _missing(forward.__name__, i) for i, vjp in enumerate(vjps))
        )
        if canonical is not None:
            operation.__signature__ = inspect.signature(canonical).replace(return_annotation="Array")  # type: ignore[attr-defined]
        if forward.__module__.startswith("scratchgen."):
            registry[forward.__name__] = operation
        return operation

    return wrap


class Jointly:
    """The one vjp of a primitive's arguments whose shares have most of their work in common."""

    def __init__(self, vjp: VJP) -> None:
        self.vjp = vjp

    def __getitem__(self, position: int) -> VJP:
        return lambda *args, **static: self.vjp(*args, **static)[position]


def jointly(vjp: VJP) -> Jointly:
    """For `primitive`: ``vjp(g, y, *args, **static)`` gives a tuple, the shares of all arguments at once."""
    return Jointly(vjp)


class Each:
    """The one vjp of a primitive that takes any number of arguments."""

    def __init__(self, vjp: VJP) -> None:
        self.vjp = vjp

    def __getitem__(self, position: int) -> VJP:
        return functools.partial(self.vjp, position)


def each(vjp: VJP) -> Each:
    """For `primitive`: ``vjp(i, g, y, *args, **static)`` gives the share of the i-th of many arguments."""
    return Each(vjp)


def _missing(name: str, position: int) -> VJP:
    def vjp(*args: Any, **static: Any) -> Any:
        raise TypeError(f"{name} has no derivative with respect to its argument {position}")

    return vjp


def _without_lists(args: tuple[Any, ...]) -> tuple[Any, ...]:
    """Lists as arrays on the device, of the floating-point type of the first array they meet."""
    types = [a.dtype for a in args if hasattr(a, "dtype")]
    dtype = types[0] if types and types[0].kind == "f" else None
    return tuple(asarray(a, dtype) if type(a) is list else a for a in args)


def _of_one_type(name: str, args: tuple[Any, ...]) -> tuple[tuple[Any, ...], Any]:
    """The arguments in the one floating-point type of the arrays among them, and that type (None if none is).

    NumPy lets one ``np.float64`` constant, or an array of whole numbers, turn a float32 array into float64.
    Here NumPy's numbers, whole numbers and truth values take the type they meet, and arrays of two
    floating-point types do not mix.
    """
    arrays = [raw(a) for a in args if hasattr(a, "dtype") and not isinstance(a, np.generic)]
    types = {a.dtype.newbyteorder("=") for a in arrays if a.dtype.kind == "f"}
    if len(types) > 1:
        described = " and ".join(f"{a.dtype} of shape {a.shape}" for a in arrays)
        raise TypeError(
            f"{name}: the arguments mix floating-point types ({described}); "
            "convert one of them, for example with sg.asarray(x, 'float32') or x.astype('float64')"
        )
    dtype = next(iter(types), None)

    def taking_it(a: Any) -> Any:
        if isinstance(a, np.generic):
            return a.item()
        return raw(a).astype(dtype) if dtype is not None and hasattr(a, "dtype") and a.dtype != dtype else a

    return tuple(map(taking_it, args)), dtype


def _in_type(name: str, data: Array, dtype: Any) -> Array:
    """A result in the floating-point type of its arguments; of whole numbers alone, float32 for float64."""
    if data.dtype.kind == "c":
        raise TypeError(f"{name}: the result is complex, expected real numbers")
    if dtype is not None and dtype.kind == "f":
        return data.astype(dtype)
    return data.astype(np.float32) if data.dtype == np.float64 else data
