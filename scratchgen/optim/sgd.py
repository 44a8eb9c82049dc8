"""SGD: a step against the gradient, with momentum."""

from __future__ import annotations

from collections.abc import Iterable

from ..autograd import Tensor
from ..backend import Array, checks
from ..backend.compiled import compiled
from .optimizer import Optimizer


@compiled
def sgd(x: Array, g: Array, v: Array, *, lr: float, momentum: float, nesterov: bool) -> None:
    """One step of SGD with momentum: `x` and `v` are changed in place."""
    v[...] = momentum * v + g  # (sgd-momentum)
    x -= lr * (g + momentum * v if nesterov else v)  # (sgd-momentum) (sgd-nesterov)


class SGD(Optimizer):
    """Stochastic gradient descent, PyTorch's form.

    ::

        x <- x - lr g                                           without momentum       (gradient-descent)
        v <- momentum v + g,   x <- x - lr v       with v = g at the first step            (sgd-momentum)
        v <- momentum v + g,   x <- x - lr (g + momentum v)      by Nesterov               (sgd-nesterov)

    Parameters
    ----------
    params : iterable of Parameter
    lr : float
    momentum : float
        In [0, 1).
    weight_decay : float
        Adds ``weight_decay x`` to the gradient.
    nesterov : bool
        Needs a positive momentum (Sutskever et al. 2013).

    Examples
    --------
    >>> import numpy as np
    >>> x = Tensor(np.array([1.0]), requires_grad=True)
    >>> optimiser = SGD([x], lr=0.1)
    >>> (x * x).sum().backward()
    >>> optimiser.step()
    >>> x.data
    array([0.8])
    """

    def __init__(
        self,
        params: Iterable[Tensor],
        lr: float = 1e-3,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
        nesterov: bool = False,
    ) -> None:
        self.momentum = checks.number("momentum", momentum, "[0, 1)")
        self.weight_decay = checks.number("weight_decay", weight_decay, "[0, inf)")
        self.nesterov = nesterov
        if nesterov and momentum == 0:
            raise ValueError("nesterov: needs a positive momentum, got momentum 0")
        super().__init__(params, lr, ("momentum_buffer",) if momentum else ())

    def _update(self, x: Array, g: Array, **state: Array) -> None:
        if self.weight_decay:
            g = g + self.weight_decay * x  # (coupled-decay)
        if self.momentum:
            v = state["momentum_buffer"]
            sgd(x, g, v, lr=self.lr, momentum=self.momentum, nesterov=self.nesterov)
        else:
            x -= self.lr * g  # (gradient-descent)
