"""What all optimisers share: their parameters, the learning rate, a step counter and their state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..backend import Array, asarray, asnumpy, parallel_for
from .flat import FlatParameters


class Optimizer:
    """Base class: an optimiser defines `_update`, the rule for one piece of the flat buffer.

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
        The learning rate; assign to ``.lr`` to change it during training.
    state : sequence of str
        Names of the optimiser's buffers, such as ``momentum_buffer``.
    """

    def __init__(self, params: Iterable[Tensor], lr: float, state: tuple[str, ...] = ()) -> None:
        parameters = check_parameters(params)
        if len({p.dtype for p in parameters}) > 1:
            raise ValueError(f"params: got dtypes {sorted({str(p.dtype) for p in parameters})}, expected one")
        self.lr = check_range("lr", lr, 0, np.inf)
        self.steps = 0
        self.flat = FlatParameters(parameters)
        self.state: dict[str, Array] = {name: self.flat.zeros() for name in state}

    def step(self) -> None:
        """Change every parameter that has a gradient by the optimiser's rule."""
        self.flat.attach()
        self.steps += 1
        parallel_for(self._update_piece, self.flat.pieces())

    def _update_piece(self, piece: tuple[slice, Array]) -> None:
        where, gradient = piece
        state = {name: buffer[where] for name, buffer in self.state.items()}
        self._update(self.flat.buffer[where], gradient, **state)

    def _update(self, x: Array, g: Array, **state: Array) -> None:
        """Change one piece `x` of the parameters in place, by its gradient `g`, which is left as it is."""
        raise NotImplementedError

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.flat.parameters:
            parameter.grad = None

    def state_dict(self) -> dict[str, Any]:
        """A copy of the state: ``steps``, ``lr`` and the optimiser's flat buffers, on the host."""
        buffers = {name: asnumpy(buffer).copy() for name, buffer in self.state.items()}
        return {"steps": self.steps, "lr": self.lr, **buffers}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Restore what `state_dict` gave; nothing is changed unless all of it fits.

        Raises
        ------
        ValueError
            Listing every missing, unexpected or misshapen entry.
        """
        expected = {"steps", "lr", *self.state}
        problems = [f"missing: {name}" for name in sorted(expected - set(state))]
        problems += [f"unexpected: {name}" for name in sorted(set(state) - expected)]
        problems += [
            f"wrong shape: {name} is {np.shape(state[name])}, expected {buffer.shape}"
            for name, buffer in self.state.items()
            if name in state and np.shape(state[name]) != buffer.shape
        ]
        if problems:
            raise ValueError(f"state does not fit this {type(self).__name__}:\n  " + "\n  ".join(problems))
        self.steps, self.lr = int(state["steps"]), float(state["lr"])
        for name, buffer in self.state.items():
            buffer[...] = asarray(state[name], buffer.dtype)


def check_parameters(params: Iterable[Tensor]) -> list[Tensor]:
    """`params` as a list, if there is at least one, each a leaf that requires a gradient, and none twice.

    Raises
    ------
    TypeError, ValueError
        Saying which is none.
    """
    parameters = list(params)
    if not parameters:
        raise ValueError("params: got no parameters, expected at least one")
    for i, parameter in enumerate(parameters):
        given = type(parameter).__name__
        if not isinstance(parameter, Tensor):
            raise TypeError(f"params[{i}]: got {given}, expected a Parameter")
        if not parameter.requires_grad:
            raise TypeError(f"params[{i}]: got a {given} without requires_grad, expected a Parameter")
        if parameter.origin is not None:
            raise TypeError(f"params[{i}]: got a {given} computed from others, expected a list of Parameters")
    if len({id(p) for p in parameters}) < len(parameters):
        raise ValueError("params: a parameter occurs twice")
    return parameters


def check_range(name: str, value: float, low: float, high: float) -> float:
    """`value` if ``low <= value < high``.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is accepted.
    """
    if isinstance(value, bool) or not isinstance(value, int | float | np.integer | np.floating):
        raise TypeError(f"{name}: got {value!r}, expected a number in [{low}, {high})")
    if not low <= value < high:
        raise ValueError(f"{name}: got {value}, expected a number in [{low}, {high})")
    return float(value)
