"""LayerNorm: each example brought to mean 0 and variance 1 over its own features."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..backend import RandomStream, checks
from .group_norm import group_norm
from .module import Module, parameter_like


def layer_norm(
    x: Any, normalized_shape: int | tuple[int, ...], weight: Any = None, bias: Any = None, eps: float = 1e-5
) -> Any:
    """What `LayerNorm` computes of x (..., *normalized_shape), with weight and bias of that shape, if any.

    It is the group normalisation of one group: features are channels, and there are no pixels beside them.
    """
    lengths = _lengths(normalized_shape)
    checks.shape("x", checks.floating("x", x), (..., *lengths))
    weight, bias = (
        None if a is None else checks.shape(name, a, lengths).reshape(-1)
        for name, a in (("weight", weight), ("bias", bias))
    )
    features = x.reshape(-1, math.prod(lengths))
    return group_norm(features, 1, weight, bias, eps).reshape(x.shape)  # (layer-norm)


def _lengths(normalized_shape: int | Sequence[int]) -> tuple[int, ...]:
    """The lengths of at least one axis."""
    sizes = normalized_shape if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
    if not sizes:
        raise ValueError(f"normalized_shape: got {normalized_shape!r}, expected at least one length")
    return tuple(checks.whole("normalized_shape", size) for size in sizes)


class LayerNorm(Module):
    """Layer normalisation: ``(..., *normalized_shape) -> (..., *normalized_shape)`` (Ba et al. 2016, eq. 4).

    ::

        y = (x - mean) / sqrt(var + eps) * weight + bias                                     (layer-norm)

    Mean and (biased) variance are each example's own, over the last axes, in training as in evaluation.

    Parameters
    ----------
    normalized_shape : int or tuple of int
        The lengths of the last axes.
    eps : float
        Inside the root.

    Attributes
    ----------
    weight, bias : Parameter, shape normalized_shape

    Examples
    --------
    >>> import numpy as np
    >>> LayerNorm(2)(np.array([[1.0, 3.0], [10.0, 30.0]], np.float32))
    Tensor([[-1.,  1.],
            [-1.,  1.]], shape=(2, 2), from reshape)
    """

    def __init__(self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5) -> None:
        self.normalized_shape = _lengths(normalized_shape)
        self.eps = checks.number("eps", eps, "[0, inf)")
        self.weight = parameter_like(self.normalized_shape, 1.0)
        self.bias = parameter_like(self.normalized_shape, 0.0)

    def reset_parameters(self, rng: RandomStream) -> None:
        self.weight.data[...] = 1
        self.bias.data[...] = 0

    def forward(self, x: Any) -> Any:
        return layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"
