"""What all optimisers share: their parameters, the learning rate, a step counter and their state."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..backend import Array, asarray, asnumpy, checks
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
        self.lr = checks.number("lr", lr, "[0, inf)")
        self.steps = 0
        self.flat = FlatParameters(parameters)
        self.state: dict[str, Array] = {name: self.flat.zeros() for name in state}

    def step(self) -> None:
        """Change every parameter that has a gradient by the optimiser's rule.

        Raises
        ------
        ValueError
            If a gradient has not its parameter's shape and dtype, or a parameter was converted since.
        """
        self.flat.check_gradients()
        self.flat.attach()
        self.steps += 1
        for where, gradient in self.flat.pieces():
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
        TypeError, ValueError
            If `state` is no mapping; or listing every entry that is missing, unexpected or does not fit.
        """
        check_state(type(self).__name__, state, {"steps", "lr"}, self.state)
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
    if hasattr(params, "parameters") or not isinstance(params, Iterable):
        raise TypeError(f"params: got a {type(params).__name__}, expected model.parameters()")
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


def check_state(owner: str, state: Any, numbers: set[str], buffers: Mapping[str, Array]) -> None:
    """Raise unless `state` holds the `numbers` (``steps`` and perhaps ``lr``) and fitting `buffers`.

    Raises
    ------
    TypeError, ValueError
        If it is no mapping; or listing all that is wrong with it.
    """
    checks.instance("state", state, Mapping, "what state_dict gives")
    expected = {*numbers, *buffers}
    problems = [f"missing: {name}" for name in sorted(expected - set(state))]
    problems += [f"unexpected: {name}" for name in sorted(set(state) - expected, key=str)]
    steps = state.get("steps", 0)
    if isinstance(steps, bool) or not isinstance(steps, int | np.integer) or steps < 0:
        problems.append(f"steps: got {steps!r}, expected a whole number of 0 or more")
    try:
        checks.number("lr", state.get("lr", 0.0), "[0, inf)")
    except (TypeError, ValueError) as error:
        problems.append(str(error))
    for name in (name for name in buffers if name in state):
        value, shape = asnumpy(state[name]), buffers[name].shape
        if value.shape != shape:
            problems.append(f"wrong shape: {name} is {value.shape}, expected {shape}")
        elif value.dtype.kind not in "fiu":
            problems.append(f"not numeric: {name} is of {value.dtype}, expected {buffers[name].dtype}")
    if problems:
        raise ValueError(f"state does not fit this {owner}:\n  " + "\n  ".join(problems))
