"""LayerNorm: each example brought to mean 0 and variance 1 over its own features."""

from __future__ import annotations

from typing import Any

from ..backend import RandomStream
from . import functional as F
from .module import Module, check_size, parameter_like


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
            [-1.,  1.]], shape=(2, 2), from add)
    """

    def __init__(self, normalized_shape: int | tuple[int, ...], eps: float = 1e-5) -> None:
        sizes = normalized_shape if isinstance(normalized_shape, tuple | list) else (normalized_shape,)
        self.normalized_shape = tuple(check_size("normalized_shape", size) for size in sizes)
        self.eps = eps
        self.weight = parameter_like(self.normalized_shape, 1.0)
        self.bias = parameter_like(self.normalized_shape, 0.0)

    def reset_parameters(self, rng: RandomStream) -> None:
        self.weight.data[...] = 1
        self.bias.data[...] = 0

    def forward(self, x: Any) -> Any:
        return F.layer_norm(x, self.normalized_shape, self.weight, self.bias, self.eps)

    def extra_repr(self) -> str:
        return f"{self.normalized_shape}, eps={self.eps}"
