"""GroupNorm: each group of an image's channels brought to mean 0 and variance 1."""

from __future__ import annotations

from typing import Any

from ..backend import RandomStream
from . import functional as F
from .module import Module, Parameter, check_size, parameter_like


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
    >>> import numpy as np
    >>> GroupNorm(1, 2)(np.array([[1.0, 3.0], [10.0, 30.0]], np.float32))
    Tensor([[-1.,  1.],
            [-1.,  1.]], shape=(2, 2), from group_norm_)
    """

    silu = False

    def __init__(self, num_groups: int, num_channels: int, eps: float = 1e-5, affine: bool = True) -> None:
        self.num_groups = check_size("num_groups", num_groups)
        self.num_channels = check_size("num_channels", num_channels)
        if num_channels % num_groups:
            raise ValueError(f"num_groups: got {num_groups}, expected a divisor of {num_channels} channels")
        self.eps = eps
        self.weight: Parameter | None = parameter_like((num_channels,), 1.0) if affine else None
        self.bias: Parameter | None = parameter_like((num_channels,), 0.0) if affine else None

    def reset_parameters(self, rng: RandomStream) -> None:
        if self.weight is not None and self.bias is not None:
            self.weight.data[...] = 1
            self.bias.data[...] = 0

    def forward(self, x: Any) -> Any:
        if x.ndim < 2 or x.shape[1] != self.num_channels:
            raise ValueError(f"x: got shape {tuple(x.shape)}, expected (batch, {self.num_channels}, ...)")
        return F.group_norm(x, self.num_groups, self.weight, self.bias, self.eps, self.silu)

    def extra_repr(self) -> str:
        return f"{self.num_groups}, {self.num_channels}, eps={self.eps}"


class GroupNormSiLU(GroupNorm):
    """`GroupNorm`, then SiLU, in one pass over memory; the parameters are those of `GroupNorm`.

    Examples
    --------
    >>> import numpy as np
    >>> GroupNormSiLU(1, 2)(np.array([[1.0, 3.0], [10.0, 30.0]], np.float32))
    Tensor([[-0.2689,  0.7311],
            [-0.2689,  0.7311]], shape=(2, 2), from group_norm_)
    """

    silu = True
