"""What NumPy's own operators and functions make of a Tensor.

``array * x`` reaches `mul` and ``array < x`` compares; all else, as ``np.exp(x)``, would lose the history
and is refused, with the name of what to use instead.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from . import elementwise, fused, gaussian, indexing, linear_algebra, reductions, shapes
from .tensor import Tensor, raw

_OPERATORS: dict[Any, Callable[..., Any]] = {
    np.add: elementwise.add,
    np.subtract: elementwise.sub,
    np.multiply: elementwise.mul,
    np.true_divide: elementwise.div,
    np.power: elementwise.pow,
    np.matmul: linear_algebra.matmul,
}
_COMPARISONS = frozenset({np.less, np.less_equal, np.greater, np.greater_equal, np.equal, np.not_equal})
_QUESTIONS = frozenset({np.ndim, np.shape, np.size})
_OURS = {"absolute": "abs", "negative": "neg", "concatenate": "cat"}  # where our name is another


class _ArrayUfunc:
    """``__array_ufunc__``: NumPy asks the class, and gets a function.

    CuPy asks the object, and gets None, which makes ``array * x`` call ``Tensor.__rmul__``.
    """

    def __get__(self, x: Tensor | None, owner: type) -> Any:
        return _array_ufunc if x is None else None


def _array_ufunc(self: Tensor, ufunc: Any, method: str, *inputs: Any, **keywords: Any) -> Any:
    if method == "__call__" and not keywords:
        if ufunc in _OPERATORS:
            return _OPERATORS[ufunc](*inputs)
        if ufunc in _COMPARISONS:
            return ufunc(*map(raw, inputs))
    raise _refusal(ufunc.__name__ if method == "__call__" else f"{ufunc.__name__}.{method}")


def _array_function(self: Tensor, function: Any, types: Any, args: Any, keywords: Any) -> Any:
    if function in _QUESTIONS:
        return function(*map(raw, args), **keywords)
    raise _refusal(function.__name__)


def _refusal(name: str) -> TypeError:
    ours = _OURS.get(name, name)
    modules = (elementwise, fused, gaussian, indexing, linear_algebra, reductions, shapes)
    known = any(hasattr(module, ours) for module in modules)
    cure = f"use sg.{ours}" if known else "use x.data, its array without history"
    return TypeError(f"np.{name}: got a Tensor, which NumPy's functions do not differentiate; {cure}")


Tensor.__array_ufunc__ = _ArrayUfunc()  # type: ignore[attr-defined]
Tensor.__array_function__ = _array_function  # type: ignore[attr-defined]
