"""What autoregressive models of zeros and ones have in common: the chain rule, and sampling by it.

Every joint probability is a product of conditional ones, in any order of the variables,

    log p(x) = sum_d log p(x_d | x_1 .. x_(d-1)),                                              (chain-rule)

and x_d is 0 or 1, so each factor needs one number, its logit. A model computes all D logits of a given x at
once; to draw a new x it has to go one by one,

    x_d = 1 if u_d < s(logit_d(x_1 .. x_(d-1))), else 0,    u_d ~ U[0, 1).             (ancestral-sampling)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...autograd import binary_cross_entropy_sum, no_grad, raw, sigmoid
from ...backend import Array, RandomStream, check_rng, checks
from ...nn import Module


class BinaryVectors(Module):
    """A distribution of vectors of `dim` zeros and ones, given by the logit of each after those before it.

    Parameters
    ----------
    dim : int
    """

    def __init__(self, dim: int) -> None:
        self.dim = checks.whole("dim", dim)

    def forward(self, x: Any) -> Any:
        """The logit of every x_d given those before it: (batch, dim) -> (batch, dim)."""
        raise NotImplementedError(f"{type(self).__name__} has no forward")

    def conditionals(self, x: Array) -> Iterator[Array]:
        """The same logits one after the other, each (batch,), raw.

        The d-th is computed when it is asked for, from ``x[:, :d]``; the rest of `x` may still be unknown. An
        intermediate result is computed once, when it can be, and kept.
        """
        raise NotImplementedError(f"{type(self).__name__} has no conditionals")

    def log_prob(self, x: Any, labels: None = None) -> Any:
        """log p(x), exactly: (batch,), in nats.

        Parameters
        ----------
        x : array, shape (batch, dim)
            Zeros and ones, floating point.
        labels : None
            These models have no classes.

        Raises
        ------
        TypeError, ValueError
            If `x` is no batch of zeros and ones of the right length, or labels are given.
        """
        x = zeros_and_ones("x", x, self.dim)
        checks.labels(labels, len(x), None)
        return -binary_cross_entropy_sum(self.forward(x), x)  # (chain-rule)

    def loss(self, x: Any, rng: RandomStream | None = None, labels: None = None) -> Any:
        """Minus `log_prob` averaged over the batch, in nats per example; nothing about it is random."""
        return -self.log_prob(x, labels).mean()

    def sample(self, n: int, rng: RandomStream, labels: None = None) -> Array:
        """`n` vectors from p(x). Raw, shape (n, dim)."""
        checks.whole("n", n, least=0)
        checks.labels(labels, n, None)
        with no_grad():
            u = check_rng(rng).uniform((n, self.dim), next(self.parameters()).dtype)
            x = np.zeros_like(u)
            for d, logit in enumerate(self.conditionals(x)):
                x[:, d] = u[:, d] < sigmoid(logit)  # (ancestral-sampling)
        return x


def zeros_and_ones(name: str, x: Any, dim: int) -> Any:
    """`x`, if it is a batch of vectors of `dim` zeros and ones (of arrays on a GPU the values are unknown).

    Raises
    ------
    TypeError, ValueError
        Naming what was given and what is accepted.
    """
    values = raw(checks.batch(name, x, (dim,)))
    if isinstance(values, np.ndarray):
        others = (values != 0) & (values != 1)
        if others.any():
            example, d = (int(i) for i in np.argwhere(others)[0])
            raise ValueError(
                f"{name}: got {values[example, d]:g} at ({example}, {d}), expected zeros and ones; "
                "grey values become such by sg.data.binarise"
            )
    return x
