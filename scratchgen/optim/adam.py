"""Adam and AdamW: each number gets a step of its own size, from running means of g and g^2.

The running means are kept as sums, M = m / (1 - beta1) and V = v / (1 - beta2), whose updates
``M <- beta1 M + g`` and ``V <- beta2 V + g^2`` need two passes less over memory; the factors left out join
the bias corrections in the two constants of a step.
"""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np

from ..autograd import Tensor
from ..backend import Array
from .optimizer import Optimizer, check_range


class Adam(Optimizer):
    """Adam (Kingma & Ba 2014, algorithm 1).

    ::

        m <- beta1 m + (1 - beta1) g,       v <- beta2 v + (1 - beta2) g^2                 (adam-moments)
        m_hat = m / (1 - beta1^t),          v_hat = v / (1 - beta2^t)              (adam-bias-correction)
        x <- x - lr m_hat / (sqrt(v_hat) + eps)                                               (adam-step)

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
        self.betas = check_range("betas[0]", betas[0], 0, 1), check_range("betas[1]", betas[1], 0, 1)
        self.eps = check_range("eps", eps, 0, np.inf)
        self.weight_decay = check_range("weight_decay", weight_decay, 0, np.inf)
        super().__init__(params, lr, ("gradient_sum", "square_sum"))

    def _update(self, x: Array, g: Array, **state: Array) -> None:
        m, v = state["gradient_sum"], state["square_sum"]
        beta1, beta2 = self.betas
        # With root such that sqrt(v_hat) = sqrt(V) / root:
        # lr m_hat / (sqrt(v_hat) + eps) = size M / (sqrt(V) + eps root)
        root = math.sqrt((1 - beta2**self.steps) / (1 - beta2))
        size = self.lr * root * (1 - beta1) / (1 - beta1**self.steps)
        g = self._decayed(x, g)
        m *= beta1
        m += g
        v *= beta2
        a = g * g
        v += a
        np.sqrt(v, out=a)
        a += self.eps * root
        np.divide(m, a, out=a)
        a *= size
        x -= a

    def _decayed(self, x: Array, g: Array) -> Array:
        """The gradient with the pull of weight decay."""
        return g + self.weight_decay * x if self.weight_decay else g


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

    def _decayed(self, x: Array, g: Array) -> Array:
        x *= 1 - self.lr * self.weight_decay
        return g
