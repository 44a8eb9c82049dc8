"""The table a model prints: layer, output shape, parameters."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from ..autograd import no_grad
from ..backend import asarray
from .module import Module, Parameter, evaluating

# Of two threads that observe at once, the second would put the first one's wrapper back for good.
_one_observer = threading.RLock()


def summary(module: Module, *inputs: Any) -> str:
    """A table of the layers of a module with their output shapes and numbers of parameters.

    Parameters
    ----------
    *inputs : array, optional
        An example batch to run (in evaluation, without a graph) to learn the output shapes. Left out, a
        module with an ``example_shape`` is run on zeros; another shows no shapes.

    Examples
    --------
    >>> from scratchgen.nn import Linear, Sequential, Tanh
    >>> print(summary(Sequential(Linear(4, 3), Tanh()), np.zeros((1, 4), np.float32)))
    layer            output shape  parameters
    -----------------------------------------
    0  Linear(4, 3)  (batch, 3)            15
    1  Tanh()        (batch, 3)             0
    -----------------------------------------
    Sequential: 15 parameters
    """
    shape = getattr(module, "example_shape", None)
    if not inputs and shape is not None:
        dtype = next((p.dtype for p in module.parameters()), np.dtype(np.float32))
        inputs = (asarray(np.zeros((1, *shape), dtype)),)
    shapes: dict[int, str] = {}
    if inputs:
        with no_grad(), evaluating(module), _observing(shapes):
            module(*inputs)
    rows = [("layer", "output shape", "parameters"), *_rows(module, shapes)]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [f"{a:<{widths[0]}}  {b:<{widths[1]}}  {c:>{widths[2]}}".rstrip() for a, b, c in rows]
    rule = "-" * (sum(widths) + 4)
    total = f"{type(module).__name__}: {module.parameter_count():,} parameters"
    return "\n".join([lines[0], rule, *lines[1:], rule, total])


def _rows(module: Module, shapes: dict[int, str]) -> Iterator[tuple[str, str, str]]:
    """One row for each layer, and for each parameter that belongs to no layer but to a larger module."""
    for path, part in module.named_modules():
        if not list(part.children()):
            yield f"{path}  {part!r}".lstrip(), shapes.get(id(part), "-"), f"{part.parameter_count():,}"
            continue
        for name, value in vars(part).items():
            if isinstance(value, Parameter):
                yield f"{path}.{name}  Parameter".lstrip("."), "-", f"{value.size:,}"


@contextmanager
def _observing(shapes: dict[int, str]) -> Iterator[None]:
    """Note the output shape of every module called, with the batch's length left open."""
    with _one_observer:
        call = Module.__call__

        def observed(self: Module, *args: Any, **kwargs: Any) -> Any:
            y = call(self, *args, **kwargs)
            if hasattr(y, "shape"):
                shapes[id(self)] = f"({', '.join(['batch', *map(str, y.shape[1:])])})"
            return y

        Module.__call__ = observed  # type: ignore[method-assign]
        try:
            yield
        finally:
            Module.__call__ = call  # type: ignore[method-assign]
