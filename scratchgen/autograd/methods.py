"""Operators and methods of Tensor: ``a + b`` is ``add(a, b)``, ``x.sum()`` is ``sum(x)``."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from . import backward, elementwise, fused, indexing, linear_algebra, reductions, shapes
from .tensor import Tensor, raw


def _swapped(operation: Callable[..., Any]) -> Callable[[Tensor, Any], Any]:
    return lambda self, other: operation(other, self)


def _comparison(name: str) -> Callable[[Tensor, Any], Any]:
    return lambda self, other: getattr(self.data, name)(raw(other))


def _where(self: Tensor, condition: Any, other: Any) -> Any:
    """Numbers of this Tensor where the condition holds, those of `other` elsewhere."""
    return elementwise.where(condition, self, other)


def _rows(self: Tensor) -> Iterator[Tensor]:
    return (indexing.getitem(self, i) for i in range(len(self)))


for _name, _operation in {
    "add": elementwise.add,
    "sub": elementwise.sub,
    "mul": elementwise.mul,
    "truediv": elementwise.div,
    "pow": elementwise.pow,
    "matmul": linear_algebra.matmul,
}.items():
    setattr(Tensor, f"__{_name}__", _operation)
    setattr(Tensor, f"__r{_name}__", _swapped(_operation))

for _name in ("__lt__", "__le__", "__gt__", "__ge__", "__eq__", "__ne__"):
    setattr(Tensor, _name, _comparison(_name))

for _module, _names in {
    elementwise: (
        "exp expm1 log log1p sqrt square abs tanh sigmoid erf sin cos pow maximum minimum clip astype"
    ),
    reductions: "sum mean var std norm max min argmax prod logsumexp cumsum",
    shapes: "reshape flatten squeeze unsqueeze permute transpose flip broadcast_to split",
    fused: "relu softmax log_softmax",
    linear_algebra: "matmul",
    indexing: "gather",
}.items():
    for _name in _names.split():
        setattr(Tensor, _name, getattr(_module, _name))

Tensor.backward = backward.backward  # type: ignore[assignment, method-assign]
Tensor.where = _where  # type: ignore[attr-defined]
Tensor.__neg__ = elementwise.neg  # type: ignore[method-assign]
Tensor.__abs__ = elementwise.abs
Tensor.__getitem__ = indexing.getitem  # type: ignore[method-assign]
Tensor.__iter__ = _rows  # type: ignore[attr-defined]
Tensor.view = shapes.reshape
Tensor.T = property(shapes.transpose)  # type: ignore[assignment, method-assign]
