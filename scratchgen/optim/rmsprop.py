"""RMSprop: the gradient divided by a running root mean square of itself."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np

from ..autograd import Tensor
from ..backend import Array, checks
from ..backend.compiled import compiled
from .optimizer import Optimizer


@compiled
def rmsprop(
    x: Array, g: Array, v: Array, u: Array, *, lr: float, alpha: float, eps: float, momentum: float
) -> None:
    """One step of RMSprop: `x`, `v` and `u` are changed in place."""
    v[...] = alpha * v + (1 - alpha) * g * g  # (rmsprop)
    u[...] = momentum * u + g / (np.sqrt(v) + eps)
    x -= lr * u  # (rmsprop)


class RMSprop(Optimizer):
    """RMSprop (Hinton's lecture 6e; PyTorch's form).

    ::

        v <- alpha v + (1 - alpha) g^2
        u <- momentum u + g / (sqrt(v) + eps)
        x <- x - lr u                                                                           (rmsprop)

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
    alpha : float
        In [0, 1).
    eps : float
        Outside the root.
    weight_decay : float
        Adds ``weight_decay x`` to the gradient.
    momentum : float
        In [0, 1).

    Examples
    --------
    The first step is lr / sqrt(1 - alpha) long, whatever the size of the gradient:

    >>> x = Tensor(np.zeros(2), requires_grad=True)
    >>> x.grad = np.array([4.0, -0.01])
    >>> RMSprop([x], lr=0.1, alpha=0.75).step()
    >>> x.data.round(4)
    array([-0.2,  0.2])
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-2,
        alpha: float = 0.99,
        eps: float = 1e-8,
        weight_decay: float = 0.0,
        momentum: float = 0.0,
    ) -> None:
        self.alpha = checks.number("alpha", alpha, "[0, 1)")
        self.eps = checks.number("eps", eps, "[0, inf)")
        self.weight_decay = checks.number("weight_decay", weight_decay, "[0, inf)")
        self.momentum = checks.number("momentum", momentum, "[0, 1)")
        super().__init__(params, lr, ("square_avg", "momentum_buffer") if momentum else ("square_avg",))

    def _update(self, x: Array, g: Array, **state: Array) -> None:
        if self.weight_decay:
            g = g + self.weight_decay * x
        u = state["momentum_buffer"] if self.momentum else np.zeros_like(x)
        how = {"lr": self.lr, "alpha": self.alpha, "eps": self.eps, "momentum": self.momentum}
        rmsprop(x, g, state["square_avg"], u, **how)
