"""Modules in a row: `Sequential` calls one after another, `ModuleList` only keeps them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, Self, overload

from ..backend import checks
from .module import Module


class ModuleList(Module):
    """Modules by their position, for a model that calls them as it likes.

    Parameters
    ----------
    modules : iterable of Module
        Named by their position, ``"0"``, ``"1"``, ..., as in PyTorch.

    Examples
    --------
    >>> from scratchgen.nn import Linear
    >>> layers = ModuleList(Linear(2, 2) for _ in range(3))
    >>> len(layers), [name for name, _ in layers[1:].named_parameters()]
    (3, ['0.weight', '0.bias', '1.weight', '1.bias'])
    """

    def __init__(self, modules: Iterable[Module] = ()) -> None:
        for module in modules:
            self.append(module)

    def append(self, module: Module) -> Self:
        """Add a module at the end."""
        i = len(self)
        setattr(self, str(i), checks.instance(f"modules[{i}]", module, Module))
        return self

    def __iter__(self) -> Iterator[Module]:
        return iter([value for value in vars(self).values() if isinstance(value, Module)])

    def __len__(self) -> int:
        return len(list(iter(self)))

    @overload
    def __getitem__(self, i: slice) -> Self: ...
    @overload
    def __getitem__(self, i: int) -> Module: ...
    def __getitem__(self, i: int | slice) -> Module:
        """The module at position `i`; of a slice, a container of the same modules."""
        modules = list(self)
        return self._of(modules[i]) if isinstance(i, slice) else modules[i]

    def _of(self, modules: list[Module]) -> Self:
        return type(self)(modules)


class Sequential(ModuleList):
    """The composition of modules: the output of each is the input of the next.

    Parameters
    ----------
    *modules : Module
        Named by their position.

    Examples
    --------
    >>> from scratchgen.nn import Linear, Tanh
    >>> Sequential(Linear(2, 3), Tanh())
    Sequential(
      (0): Linear(2, 3)
      (1): Tanh()
    )
    """

    def __init__(self, *modules: Module) -> None:
        super().__init__(modules)

    def forward(self, x: Any) -> Any:
        for module in vars(self).values():
            if isinstance(module, Module):
                x = module(x)
        return x

    def _of(self, modules: list[Module]) -> Self:
        return type(self)(*modules)
