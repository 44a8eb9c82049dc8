"""Linear: the affine map ``y = x W^T + b``."""

from __future__ import annotations

from typing import Any

from ..autograd import linear
from ..backend import RandomStream, checks
from .init import fan_in_, stream_or_next
from .module import Module, Parameter, parameter_like


class Linear(Module):
    """Affine map of the last axis: ``(..., in_features) -> (..., out_features)``.

    ::

        y = x W^T + b                                                                      (linear-layer)

    Parameters
    ----------
    in_features, out_features : int
    bias : bool
        Whether to add b.
    rng : RandomStream, optional
        Of the initial weights.

    Attributes
    ----------
    weight : Parameter, shape (out_features, in_features)
    bias : Parameter, shape (out_features,), or None

    Examples
    --------
    >>> import numpy as np
    >>> Linear(784, 256)(np.zeros((32, 784), np.float32)).shape
    (32, 256)
    """

    def __init__(
        self, in_features: int, out_features: int, bias: bool = True, rng: RandomStream | None = None
    ) -> None:
        self.in_features = checks.whole("in_features", in_features)
        self.out_features = checks.whole("out_features", out_features)
        self.weight = parameter_like((out_features, in_features))
        self.bias: Parameter | None = parameter_like((out_features,)) if bias else None
        self.reset_parameters(stream_or_next(rng))

    def reset_parameters(self, rng: RandomStream) -> None:
        fan_in_([self.weight, self.bias], self.in_features, rng)

    def forward(self, x: Any) -> Any:
        return linear(x, self.weight, self.bias)

    def extra_repr(self) -> str:
        return f"{self.in_features}, {self.out_features}" + ("" if self.bias is not None else ", bias=False")
