"""Activations: functions of each number by itself, and as modules to stand between layers of a Sequential."""

from __future__ import annotations

from typing import Any

from ..autograd import gelu, leaky_relu, relu, sigmoid, silu, softplus, tanh
from ..backend import checks
from .module import Module


class ReLU(Module):
    """max(x, 0).

    Examples
    --------
    >>> import numpy as np
    >>> ReLU()(np.array([-1.0, 0.0, 2.0]))
    array([0., 0., 2.])
    """

    def forward(self, x: Any) -> Any:
        return relu(x)


class LeakyReLU(Module):
    """x where x > 0, else ``negative_slope * x``.

    Examples
    --------
    >>> import numpy as np
    >>> LeakyReLU(0.1)(np.array([-1.0, 0.0, 2.0]))
    array([-0.1,  0. ,  2. ])
    """

    def __init__(self, negative_slope: float = 0.01) -> None:
        self.negative_slope = checks.number("negative_slope", negative_slope)

    def forward(self, x: Any) -> Any:
        return leaky_relu(x, self.negative_slope)

    def extra_repr(self) -> str:
        return f"{self.negative_slope}"


class SiLU(Module):
    """x sigmoid(x).

    Examples
    --------
    >>> import numpy as np
    >>> SiLU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.2689,  0.    ,  1.7616])
    """

    def forward(self, x: Any) -> Any:
        return silu(x)


class GELU(Module):
    """x Phi(x), with the exact normal distribution function Phi.

    Examples
    --------
    >>> import numpy as np
    >>> GELU()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.1587,  0.    ,  1.9545])
    """

    def forward(self, x: Any) -> Any:
        return gelu(x)


class Sigmoid(Module):
    """1 / (1 + e^-x).

    Examples
    --------
    >>> import numpy as np
    >>> Sigmoid()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.2689, 0.5   , 0.8808])
    """

    def forward(self, x: Any) -> Any:
        return sigmoid(x)


class Tanh(Module):
    """Hyperbolic tangent.

    Examples
    --------
    >>> import numpy as np
    >>> Tanh()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([-0.7616,  0.    ,  0.964 ])
    """

    def forward(self, x: Any) -> Any:
        return tanh(x)


class Softplus(Module):
    """log(1 + e^x).

    Examples
    --------
    >>> import numpy as np
    >>> Softplus()(np.array([-1.0, 0.0, 2.0])).round(4)
    array([0.3133, 0.6931, 2.1269])
    """

    def forward(self, x: Any) -> Any:
        return softplus(x)


class Identity(Module):
    """x itself.

    Examples
    --------
    >>> import numpy as np
    >>> Identity()(np.array([-1.0, 0.0, 2.0]))
    array([-1.,  0.,  2.])
    """

    def forward(self, x: Any) -> Any:
        return x


def check_activation(activation: Any) -> None:
    """Raise unless calling `activation` could make a Module: a network needs a new one at each place.

    Raises
    ------
    TypeError
        Saying what was given instead, such as a name or a Module already made.
    """
    if isinstance(activation, Module) or not callable(activation):
        raise TypeError(f"activation: got {activation!r}, expected a class of Modules, for example nn.ReLU")
