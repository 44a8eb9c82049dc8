"""The table a model prints: layer, output shape, parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from ..autograd import Tensor, no_grad
from ..backend import asarray
from .context import evaluating, observing

if TYPE_CHECKING:
    from .module import Module


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

    def note(part: Module, y: Any) -> None:
        if hasattr(y, "shape"):
            shapes[id(part)] = f"({', '.join(['batch', *map(str, y.shape[1:])])})"

    if inputs:
        with no_grad(), evaluating(module), observing(note):
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
            if isinstance(value, Tensor) and value.requires_grad:
                yield f"{path}.{name}  Parameter".lstrip("."), "-", f"{value.size:,}"
