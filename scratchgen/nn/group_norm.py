"""GroupNorm: each group of an image's channels brought to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import normalisation, raw
from ..backend import RandomStream, checks
from .module import Module, Parameter, parameter_like


def group_norm(
    x: Any, num_groups: int, weight: Any = None, bias: Any = None, eps: float = 1e-5, silu: bool = False
) -> Any:
    """What `GroupNorm`, or with `silu` `GroupNormSiLU`, computes of x (batch, channels, ...).

    Weight and bias are of shape (channels,), if there are any.
    """
    channels = checks.shape("x", checks.floating("x", x), ("batch", "channels", ...)).shape[1]
    groups = _divisor(num_groups, channels)
    return _normalised(x, channels, groups, weight, bias, checks.number("eps", eps, "[0, inf)"), silu)


def _normalised(x: Any, channels: int, groups: int, weight: Any, bias: Any, eps: float, silu: bool) -> Any:
    weight = np.ones_like(raw(x), shape=channels) if weight is None else weight
    bias = np.zeros_like(raw(x), shape=channels) if bias is None else bias
    checks.shape("weight", weight, (channels,))
    checks.shape("bias", bias, (channels,))
    return normalisation.group_norm(x, weight, bias, groups=groups, eps=eps, silu=silu)


def _divisor(num_groups: int, channels: int) -> int:
    if channels % checks.whole("num_groups", num_groups):
        raise ValueError(f"num_groups: got {num_groups}, expected a divisor of {channels} channels")
    return num_groups


class GroupNorm(Module):
    """Group normalisation: ``(batch, channels, ...) -> (batch, channels, ...)`` (Wu & He 2018, eq. 1).

    ::

        y = (x - mean) / sqrt(var + eps) * weight + bias                                     (group-norm)

    Mean and (biased) variance are those of one example and one group of channels, over all its pixels, in
    training as in evaluation: no example depends on another.

    Parameters
    ----------
    num_groups, num_channels : int
        Groups of ``num_channels / num_groups`` channels that follow one another.
    eps : float
        Inside the root.
    affine : bool
        Whether to have weight and bias.

    Attributes
    ----------
    weight, bias : Parameter, shape (num_channels,), or None

    Raises
    ------
    ValueError
        If `num_groups` does not divide `num_channels`, or `x` has another number of channels.

    Examples
    --------
    >>> GroupNorm(1, 2)(np.array([[1.0, 3.0], [10.0, 30.0]], np.float32))
    Tensor([[-1.,  1.],
            [-1.,  1.]], shape=(2, 2), from group_norm)
    """

    silu = False

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True) -> None:
        self.num_channels = checks.whole("num_channels", num_channels)
        self.num_groups = _divisor(num_groups, self.num_channels)
        self.eps = checks.number("eps", eps, "[0, inf)")
        self.weight: Parameter | None = parameter_like((num_channels,), 1.0) if affine else None
        self.bias: Parameter | None = parameter_like((num_channels,), 0.0) if affine else None

    def reset_parameters(self, rng: RandomStream) -> None:
        if self.weight is not None and self.bias is not None:
            self.weight.data[...] = 1
            self.bias.data[...] = 0

    def forward(self, x: Any) -> Any:
        checks.shape("x", checks.floating("x", x), ("batch", self.num_channels, ...))
        return _normalised(x, self.num_channels, self.num_groups, self.weight, self.bias, self.eps, self.silu)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"


class GroupNormSiLU(GroupNorm):
    """`GroupNorm`, then SiLU, in one pass over memory; the parameters are those of `GroupNorm`.

    Examples
    --------
    >>> GroupNormSiLU(1, 2)(np.array([[1.0, 3.0], [10.0, 30.0]], np.float32))
    Tensor([[-0.2689,  0.7311],
            [-0.2689,  0.7311]], shape=(2, 2), from group_norm)
    """

    silu = True
