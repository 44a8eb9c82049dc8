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

# A result is always younger than its arguments, so the order of birth is a topological order of every graph.
_births = itertools.count(1)
new = object.__new__

registry: dict[str, Primitive] = {}
"""Every primitive by name; the tests walk it, so that none is without a check of its derivatives."""


def primitive(
    *vjps: VJP | Jointly | None,
    canonical: Canonical | None = None,
    broadcasts: bool = False,
    variadic: bool = False,
    casts: bool = False,
) -> Callable[[Callable[..., Array]], Primitive]:
    """Make a forward function on raw arrays differentiable: one line of calculus per argument.

    Each `vjp` (vector-Jacobian product) pulls the cotangent ``g`` of the result ``y`` back to one argument:
    ``g^T dy/da``. It may use only ``g``, ``y``, the arguments and the static keywords, and is written in
    operators and primitives that take raw arrays and Tensors alike; so the same line gives the first
    derivative (on raw arrays, at no overhead) and every higher one (on Tensors).

    Parameters
    ----------
    *vjps : callable or None
        ``vjp(g, y, *args, **static)``, one for each positional argument that may be a Tensor; None where the
        operation has no derivative with respect to that argument. Or ``jointly(vjp)``, for all of them.
    canonical : callable, optional
        Turns a call as users write it, such as ``sum(x, -1)`` or ``sum(x, dim=-1)``, into the one form that
        the forward function and the vjps know: ``(args, static)``, here ``(x,), {"axis": (1,), ...}``. What
        is in that form already, it leaves as it is.
    broadcasts : bool
        Whether arguments broadcast against each other, so that a vjp's result has to be summed down to its
        argument's shape (`backward.py` does it).
    variadic : bool
        Whether the operation takes any number of arguments; its one vjp is then
        ``vjp(position, g, y, *args, **static)``.
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
            arrays = []
            dtype: Any = None  # of all Tensors, or "mixed"
            record = lists = False
            for a in args:
                if isinstance(a, Tensor):
                    data = a.data
                    arrays.append(data)
                    if dtype is None:
                        dtype = data.dtype
                    elif data.dtype is not dtype:
                        dtype = "mixed"
                    if a.requires_grad:
                        record = True
                else:
                    arrays.append(a)
                    if type(a) is list:
                        lists = True
            if dtype is None:
                return forward(*args, **static)
            if lists:  # as arrays on the device; a GPU's arrays do not mix with lists
                kept = dtype if getattr(dtype, "kind", "") == "f" else None
                args = tuple(asarray(a, kept) if type(a) is list else a for a in args)
                return operation(*args, **static)
            data = forward(*arrays, **static)
            if data.dtype is not dtype and not casts:
                args, data = _one_dtype(operation, args, static, data)
            result = new(Tensor)  # without __init__, whose checks are for a user's data
            result.data = np.asarray(data) if isinstance(data, np.generic) else data
            if record and recording.enabled:
                result.requires_grad = True
                result.origin = (operation, args, static)
                result.birth = next(_births)
            return result

        operation.forward = forward  # type: ignore[attr-defined]
        operation.broadcasts = broadcasts  # type: ignore[attr-defined]
        operation.vjps = _by_position(vjps, variadic)  # type: ignore[attr-defined]
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


def _by_position(vjps: tuple[Any, ...], variadic: bool) -> Any:
    if variadic:
        return _Positions(vjps[0])
    return vjps[0] if vjps and isinstance(vjps[0], Jointly) else vjps


class _Positions:
    """The vjps of a variadic primitive: at position i, its one vjp with i filled in."""

    def __init__(self, vjp: VJP | None) -> None:
        self.vjp = vjp

    def __getitem__(self, position: int) -> VJP:
        assert self.vjp is not None
        return functools.partial(self.vjp, position)


def _one_dtype(
    operation: Primitive, args: tuple[Any, ...], static: dict[str, Any], data: Array
) -> tuple[tuple[Any, ...], Array]:
    """The arguments and the result in the arguments' one floating-point type; an error if they have two.

    NumPy lets one ``np.float64`` constant, or an array of whole numbers, turn a float32 array into float64.
    Here these take the type they meet, whole numbers by themselves become float32, and arrays of two
    floating-point types do not mix.
    """
    arrays = [raw(a) for a in args if hasattr(a, "dtype") and not isinstance(a, np.generic)]
    floating = {a.dtype for a in arrays if a.dtype.kind == "f"}
    if len(floating) > 1:
        described = " and ".join(f"{a.dtype} of shape {a.shape}" for a in arrays)
        raise TypeError(
            f"{operation.__name__}: the arguments mix floating-point types ({described}); "
            "convert one of them, for example with sg.asarray(x, 'float32') or x.astype('float64')"
        )
    if not floating:
        return args, data.astype(np.float32) if data.dtype == np.float64 else data
    for dtype in floating:
        args = tuple(_as_weak(a, dtype) for a in args)
        data = operation.forward(*map(raw, args), **static)
    return args, data


def _as_weak(a: Any, dtype: np.dtype[Any]) -> Any:
    """A NumPy scalar as a Python number; whole numbers in the dtype; the rest as it is."""
    if isinstance(a, np.generic):
        return a.item()
    return raw(a).astype(dtype) if hasattr(a, "dtype") and a.dtype.kind in "iu" else a
