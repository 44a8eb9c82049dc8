"""Adam and AdamW: each number gets a step of its own size, from running means of g and g^2."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from ..autograd import Tensor
from ..backend import Array, checks
from ..backend.compiled import compiled
from .optimizer import Optimizer


@compiled
def adam(
    x: Array, g: Array, m: Array, v: Array, *, lr: float, beta1: float, beta2: float, eps: float, step: int
) -> None:
    """One step of Adam: `x`, `m` and `v` are changed in place."""
    m[...] = beta1 * m + (1 - beta1) * g  # (adam-moments)
    v[...] = beta2 * v + (1 - beta2) * g * g  # (adam-moments)
    m_hat, v_hat = m / (1 - beta1**step), v / (1 - beta2**step)  # (adam-bias-correction)
    x -= lr * m_hat / (np.sqrt(v_hat) + eps)  # (adam-step)


@compiled
def adamw(x: Array, g: Array, m: Array, v: Array, *, lr: float, weight_decay: float, **others: Any) -> None:
    """One step of AdamW: the weights shrink, then Adam's step."""
    x -= lr * weight_decay * x  # (adamw-decay)
    adam(x, g, m, v, lr=lr, **others)


class Adam(Optimizer):
    """Adam (Kingma & Ba 2014, algorithm 1).

    ::

        m <- beta1 m + (1 - beta1) g,       v <- beta2 v + (1 - beta2) g^2                 (adam-moments)
        m_hat = m / (1 - beta1^t),          v_hat = v / (1 - beta2^t)              (adam-bias-correction)
        x <- x - lr m_hat / (sqrt(v_hat) + eps)                                               (adam-step)
        g <- g + weight_decay x,            before all this                               (coupled-decay)

    where t = 1, 2, ... counts the optimiser's steps (for all parameters alike; PyTorch counts for each those
    that it had a gradient in).

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
    betas : (float, float)
        Each in [0, 1).
    eps : float
        Outside the root.
    weight_decay : float
        Adds ``weight_decay x`` to the gradient (for the decoupled form see `AdamW`).

    Examples
    --------
    The first step is ``lr`` long, whatever the size of the gradient:

    >>> x = Tensor(np.zeros(2), requires_grad=True)
    >>> x.grad = np.array([4.0, -0.001])
    >>> Adam([x], lr=0.1).step()
    >>> x.data.round(4)
    array([-0.1,  0.1])
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        if not isinstance(betas, tuple | list) or len(betas) != 2:
            raise TypeError(f"betas: got {betas!r}, expected two numbers in [0, 1)")
        self.betas = (
            checks.number("betas[0]", betas[0], "[0, 1)"),
            checks.number("betas[1]", betas[1], "[0, 1)"),
        )
        self.eps = checks.number("eps", eps, "[0, inf)")
        self.weight_decay = checks.number("weight_decay", weight_decay, "[0, inf)")
        super().__init__(params, lr, ("m", "v"))

    def _update(self, x: Array, g: Array, **state: Array) -> None:
        if self.weight_decay:
            g = g + self.weight_decay * x  # (coupled-decay)
        adam(x, g, state["m"], state["v"], **self._numbers())

    def _numbers(self) -> dict[str, Any]:
        beta1, beta2 = self.betas
        return {"lr": self.lr, "beta1": beta1, "beta2": beta2, "eps": self.eps, "step": self.steps}


class AdamW(Adam):
    """Adam with decoupled weight decay.

    ::

        x <- x - lr weight_decay x,     then Adam's step                                     (adamw-decay)

    Loshchilov & Hutter 2017, algorithm 2. The parameters are Adam's; `weight_decay` is 0.01 by default.

    Examples
    --------
    Without a pull from the gradient, a weight shrinks by a fixed part of itself:

    >>> x = Tensor(np.array([2.0]), requires_grad=True)
    >>> x.grad = np.array([0.0])
    >>> AdamW([x], lr=0.1, weight_decay=0.5).step()
    >>> x.data
    array([1.9])
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 1e-2,
    ) -> None:
        super().__init__(params, lr, betas, eps, weight_decay)

    def _update(self, x: Array, g: Array, **state: Array) -> None:
        adamw(x, g, state["m"], state["v"], weight_decay=self.weight_decay, **self._numbers())
