"""Module: a function with parameters, built of smaller ones.

A module owns what is assigned to its attributes: `Parameter` (learnt), `Buffer` (kept, not learnt) and other
modules. Names are paths through those attributes, ``encoder.0.weight``, as in PyTorch, so a state_dict of the
same architecture moves between the two.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Self

import numpy as np

from ..autograd import Tensor
from ..backend import Array, RandomStream, asarray, asnumpy, check_rng, get_device
from ..backend.device import makers
from .context import context
from .summary import summary


class Parameter(Tensor):
    """A Tensor that a module learns: it requires a gradient.

    Examples
    --------
    >>> Parameter([1.0, 2.0])
    Tensor([1., 2.], shape=(2,), requires_grad)
    """

    def __init__(self, data: Any) -> None:
        super().__init__(asarray(data), requires_grad=True)


class Buffer(Tensor):
    """A Tensor that belongs to a module's state but is not learnt, such as running statistics.

    Examples
    --------
    >>> Buffer([0.0, 0.0]).requires_grad
    False
    """

    def __init__(self, data: Any) -> None:
        super().__init__(asarray(data))


class Module:
    """Base class of layers and models: define `forward`, then call the module.

    Examples
    --------
    >>> from scratchgen.nn import Linear, ReLU, Sequential
    >>> net = Sequential(Linear(4, 3), ReLU(), Linear(3, 2))
    >>> [name for name, _ in net.named_parameters()]
    ['0.weight', '0.bias', '2.weight', '2.bias']
    """

    _training = True

    @property
    def training(self) -> bool:
        """Whether a call now is one of training: not after `eval`, nor for a thread within `evaluating`."""
        return self._training and id(self) not in context.evaluated

    @training.setter
    def training(self, mode: bool) -> None:
        self._training = mode

    def __setattr__(self, name: str, value: Any) -> None:
        _refuse_hidden(name, value, vars(self).values())
        kept = self.__dict__.get(name)
        # An array would be used by forward, but lost to the optimiser and the state_dict without a word.
        # (A Tensor may stand in for a parameter, to differentiate with respect to it.)
        if isinstance(kept, OWNED) and not isinstance(value, Tensor | Module) and value is not None:
            raise TypeError(
                f"{name}: got {type(value).__name__}, expected another {type(kept).__name__}; "
                f"to change the numbers of a parameter assign to .{name}.data[...]"
            )
        super().__setattr__(name, value)

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """The function this module computes."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        y = self.forward(*args, **kwargs)
        if context.observer is not None:
            context.observer(self, y)
        return y

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """The modules that are attributes of this one, with their names."""
        for name, value in vars(self).items():
            if isinstance(value, Module):
                yield name, value
            else:
                _refuse_hidden(name, value, vars(self).values())

    def children(self) -> Iterator[Module]:
        """The modules that are attributes of this one."""
        return (module for _, module in self.named_children())

    def named_modules(self, prefix: str = "") -> Iterator[tuple[str, Module]]:
        """The module itself, whose path is empty, and all below it, each with its path."""
        yield prefix, self
        for name, child in self.named_children():
            yield from child.named_modules(f"{prefix}.{name}" if prefix else name)

    def _named_tensors(self, kind: type[Tensor] | tuple[type[Tensor], ...]) -> Iterator[tuple[str, Tensor]]:
        seen: set[int] = set()
        for path, module in self.named_modules():
            for name, value in vars(module).items():
                if isinstance(value, kind) and id(value) not in seen:
                    seen.add(id(value))
                    yield f"{path}.{name}" if path else name, value

    def named_parameters(self) -> Iterator[tuple[str, Parameter]]:
        """Every parameter with its path; one that is shared comes once."""
        return self._named_tensors(Parameter)  # type: ignore[return-value]

    def parameters(self) -> Iterator[Parameter]:
        """Every parameter once."""
        return (parameter for _, parameter in self.named_parameters())

    def parameter_count(self) -> int:
        """How many numbers the module learns."""
        return sum(parameter.size for parameter in self.parameters())

    def state_dict(self) -> dict[str, np.ndarray]:
        """A copy of all parameters and buffers, on the host, by name."""
        return {name: asnumpy(value.data).copy() for name, value in self._named_tensors((Parameter, Buffer))}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Copy parameters and buffers from arrays by name; nothing is changed unless all of them fit.

        Parameters
        ----------
        state : mapping
            Arrays of any device by name, or Tensors, also PyTorch's.

        Raises
        ------
        ValueError
            Listing every missing, unexpected or misshapen entry at once.
        """
        own = dict(self._named_tensors((Parameter, Buffer)))
        arrays = {name: _on_host(value) for name, value in state.items()}
        problems = [f"missing: {name} {value.shape}" for name, value in own.items() if name not in arrays]
        problems += [f"unexpected: {name} {array.shape}" for name, array in arrays.items() if name not in own]
        problems += [
            f"wrong shape: {name} is {array.shape}, expected {own[name].shape}"
            for name, array in arrays.items()
            if name in own and array.shape != own[name].shape
        ]
        problems += [
            f"wrong type: {name} is {array.dtype}, expected numbers"
            for name, array in arrays.items()
            if name in own and array.dtype.kind not in "fiub"
        ]
        if problems:
            raise ValueError(f"state does not fit this {type(self).__name__}:\n  " + "\n  ".join(problems))
        for name, array in arrays.items():
            own[name].data[...] = asarray(array, own[name].dtype)

    def train(self, mode: bool = True) -> Self:
        """Set this module and all below it to training (or, with False, to evaluation)."""
        for _, module in self.named_modules():
            module.training = mode
        return self

    def eval(self) -> Self:
        """Set this module and all below it to evaluation."""
        return self.train(False)

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter in self.parameters():
            parameter.grad = None

    def to(self, place: Any) -> Self:
        """Move all parameters and buffers to a device by name, or convert them to float32 or float64.

        Make the optimiser afterwards: it holds on to the arrays it was given. Gradients are forgotten.

        Raises
        ------
        ValueError
            If `place` is neither.
        RuntimeError
            If the device does not work here.
        """
        converted = _conversion(place)
        for _, value in self._named_tensors((Parameter, Buffer)):
            value.data = converted(value.data)
            value.grad = None
        return self

    def initialise(self, rng: RandomStream | None) -> Self:
        """Draw all parameters afresh, each module from ``rng.child(path)``; where there is no `rng`, none."""
        if rng is not None:
            check_rng(rng)
            for path, module in self.named_modules():
                module.reset_parameters(rng.child(path))
        return self

    def reset_parameters(self, rng: RandomStream) -> None:
        """Draw the parameters that this module itself owns; a layer with parameters overrides it."""

    def extra_repr(self) -> str:
        """What a layer says of itself between the brackets of its repr."""
        return ""

    def __repr__(self) -> str:
        lines = [f"  ({name}): " + repr(child).replace("\n", "\n  ") for name, child in self.named_children()]
        body = "\n" + "\n".join(lines) + "\n" if lines else self.extra_repr()
        return f"{type(self).__name__}({body})"

    def __str__(self) -> str:
        return summary(self)


def _conversion(place: Any) -> Callable[[Array], Array]:
    """What `Module.to` makes of each array."""
    if isinstance(place, str) and place in makers:
        device = get_device(place)
        return lambda x: device.asarray(asnumpy(x))
    dtype = getattr(place, "__name__", str(place))
    if dtype in ("float32", "float64"):
        return lambda x: x.astype(dtype) if x.dtype.kind == "f" else x
    raise ValueError(f"place: got {place!r}, expected one of {', '.join(makers)}, float32 or float64")


def _on_host(value: Any) -> np.ndarray:
    """An array, a Tensor or a PyTorch tensor (of any device, with a gradient or not) as a NumPy array."""
    for method in ("detach", "cpu", "numpy"):
        value = getattr(value, method)() if hasattr(value, method) else value
    return asnumpy(value)


OWNED = (Parameter, Buffer, Module)
"""What a module owns when it is an attribute."""


def _refuse_hidden(name: str, value: Any, owned: Iterable[Any]) -> None:
    """Raise if a list, tuple or dict holds what the module does not own otherwise: nobody would train it."""
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list | tuple):
        own = {id(other) for other in owned}
        for element in value:
            if isinstance(element, OWNED) and id(element) not in own:
                raise TypeError(
                    f"{name}: got a {type(value).__name__} with a {type(element).__name__}, expected "
                    "nn.ModuleList of modules, or a parameter as an attribute of its own: what a plain "
                    f"{type(value).__name__} holds would not be trained, saved or moved"
                )
            _refuse_hidden(name, element, owned)


def parameter_like(shape: tuple[int, ...], value: float = 0.0) -> Parameter:
    """A parameter of a given shape filled with one number."""
    return Parameter(np.full(shape, value, np.float32))
