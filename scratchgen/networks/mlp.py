"""MLP: affine maps with a nonlinearity between them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from ..backend import RandomStream, check_rng, checks
from ..nn import Linear, Module, ReLU, Sequential
from ..nn.activations import check_activation


class MLP(Sequential):
    """Multi-layer perceptron ``(batch, sizes[0]) -> (batch, sizes[-1])``.

    Parameters
    ----------
    sizes : sequence of int
        The widths of input, hidden layers and output.
    activation : callable
        Makes the module between two layers; none follows the last.
    rng : RandomStream, optional
        Of the initial weights.

    Examples
    --------
    >>> MLP([784, 256, 10])
    MLP(
      (0): Linear(784, 256)
      (1): ReLU()
      (2): Linear(256, 10)
    )
    """

    def __init__(
        self, sizes: Sequence[int], activation: Callable[[], Module] = ReLU, rng: RandomStream | None = None
    ) -> None:
        if not hasattr(sizes, "__len__"):
            raise TypeError(f"sizes: got {sizes!r}, expected a list of widths such as [784, 256, 10]")
        if len(sizes) < 2:
            raise ValueError(f"sizes: got {list(sizes)}, expected at least an input and an output width")
        for i, size in enumerate(sizes):
            checks.whole(f"sizes[{i}]", size)
        check_activation(activation)
        if rng is not None:
            check_rng(rng)
        layers: list[Module] = []
        for i, (width, following) in enumerate(pairwise(sizes)):
            layers += [activation()] if i else []
            layers += [Linear(width, following, rng=None if rng is None else rng.child(i))]
        super().__init__(*layers)
