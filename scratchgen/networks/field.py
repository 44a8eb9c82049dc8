"""FieldNetwork: functions of points, one for each noise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from ..autograd import broadcast_to, cat
from ..backend import RandomStream, checks
from ..nn import Module, Tanh
from .mlp import MLP


class FieldNetwork(Module):
    """One noise chooses functions, which points are put into: ``(z, points) -> (batch, points, fields)``.

    Each value depends on its own noise and its own point alone, by an activation as smooth as the derivatives
    that a law of physics takes.

    Parameters
    ----------
    latent_dim : int
        Of the noise z, (batch, latent_dim).
    dim : int
        Of a point; points are (batch, points, dim).
    fields : int
        How many functions of the point there are.
    hidden : sequence of int
        The widths of the hidden layers.
    constants : int
        How many numbers besides are the same at all points, such as the coefficients of a law: the last of
        the fields.
    activation : callable
        Makes the module between two layers.
    rng : RandomStream, optional
        Of the initial weights.

    Examples
    --------
    >>> import numpy as np
    >>> z, points = np.zeros((5, 3), np.float32), np.zeros((5, 7, 1), np.float32)
    >>> FieldNetwork(3, 1, 2, [16], constants=1)(z, points).shape
    (5, 7, 3)
    """

    def __init__(
        self,
        latent_dim: int,
        dim: int,
        fields: int,
        hidden: Sequence[int],
        constants: int = 0,
        activation: Callable[[], Module] = Tanh,
        rng: RandomStream | None = None,
    ) -> None:
        rng = RandomStream(0, "field") if rng is None else rng
        self.latent_dim = checks.whole("latent_dim", latent_dim)
        self.dim = checks.whole("dim", dim)
        self.functions = MLP([latent_dim + dim, *hidden, fields], activation, rng=rng.child("functions"))
        checks.whole("constants", constants, 0)
        self.constants = (
            MLP([latent_dim, *hidden, constants], activation, rng=rng.child("constants"))
            if constants
            else None
        )

    def forward(self, z: Any, points: Any) -> Any:
        n, count = points.shape[:2]
        everywhere = broadcast_to(z.reshape((n, 1, self.latent_dim)), (n, count, self.latent_dim))
        fields = self.functions(cat([everywhere, points], axis=2))  # (batch, points, fields)
        if self.constants is None:
            return fields
        fixed = self.constants(z).reshape((n, 1, -1))
        return cat([fields, broadcast_to(fixed, (n, count, fixed.shape[2]))], axis=2)
