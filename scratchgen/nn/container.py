"""Sequential: modules one after another."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, overload

from .module import Module


class Sequential(Module):
    """The composition of modules: the output of each is the input of the next.

    Parameters
    ----------
    *modules : Module
        Named by their position, ``"0"``, ``"1"``, ..., as in PyTorch.

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
        for i, module in enumerate(modules):
            if not isinstance(module, Module):
                raise TypeError(f"modules[{i}]: got {type(module).__name__}, expected a Module")
            setattr(self, str(i), module)

    def forward(self, x: Any) -> Any:
        for module in self:
            x = module(x)
        return x

    def __iter__(self) -> Iterator[Module]:
        return self.children()

    def __len__(self) -> int:
        return len(list(self.children()))

    @overload
    def __getitem__(self, i: slice) -> Sequential: ...
    @overload
    def __getitem__(self, i: int) -> Module: ...
    def __getitem__(self, i: int | slice) -> Module:
        """The module at position `i`; of a slice, a Sequential of the same modules."""
        modules = list(self)
        return Sequential(*modules[i]) if isinstance(i, slice) else modules[i]
