"""NADE: the neural autoregressive distribution estimator (Larochelle & Murray 2011).

One hidden layer of m units for each of D conditional probabilities would have O(D^2 m) weights. NADE lets all
of them share theirs: the d-th sees the numbers before x_d through the first d - 1 columns of one matrix,

    h_d = s(c + sum_(j<d) W_j x_j),                                                           (nade-hidden)
    p(x_d = 1 | x_1 .. x_(d-1)) = s(b_d + V_d . h_d).                                    (nade-conditional)

From one hidden layer to the next only one term is new, so all D of them cost O(D m), as one layer of an
ordinary network does:

    a_1 = c,    a_(d+1) = a_d + W_d x_d,    h_d = s(a_d).                                 (nade-recurrence)

Backwards, with g_d the slope of the d-th logit, a weight W_d meets all that comes after it:

    share of a_d = g_d V_d h_d (1 - h_d),    share of W_d = x_d sum_(j>d) share of a_j      (nade-gradient)
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ...autograd import broadcast_to, primitive, raw, sigmoid, stack
from ...autograd.primitive import jointly
from ...backend import Array, RandomStream, check_rng, checks
from ...backend.compiled import compiled
from ...nn.init import fan_in_
from ...nn.module import parameter_like
from .vectors import BinaryVectors


def hidden_layers(x: Any, W: Any, c: Any) -> Iterator[Any]:
    """h_1 .. h_D, each (batch, hidden); the d-th reads ``x[:, :d - 1]`` and nothing else."""
    a = broadcast_to(c, (x.shape[0], c.shape[0]))
    for d in range(x.shape[1]):
        yield sigmoid(a)  # (nade-hidden)
        a = a + x[:, d : d + 1] * W[d]  # (nade-recurrence)


@compiled
def nade_shares(g: Any, y: Any, x: Any, W: Any, c: Any, V: Any, b: Any) -> tuple[Any, ...]:
    """The shares of all arguments of `nade_logits`, on raw arrays and Tensors alike."""
    hidden = list(hidden_layers(x, W, c))
    later = np.zeros_like(raw(hidden[0]))  # the shares of a_j for all j > d
    x_shares, W_shares, V_shares = [], [], []
    for d in reversed(range(len(hidden))):
        h = hidden.pop()
        x_shares.append(later @ W[d])
        W_shares.append(x[:, d] @ later)  # (nade-gradient)
        V_shares.append(g[:, d] @ h)
        later = later + g[:, d : d + 1] * V[d] * h * (1 - h)  # (nade-gradient)
    x_share = stack(x_shares[::-1], axis=1)
    return x_share, stack(W_shares[::-1]), later.sum(axis=0), stack(V_shares[::-1]), g.sum(axis=0)


@primitive(jointly(nade_shares))
@compiled
def nade_logits(x: Array, W: Array, c: Array, V: Array, b: Array) -> Array:
    """The logit of every x_d given those before it.

    Parameters
    ----------
    x : shape (batch, dim)
    W, V : shape (dim, hidden)
    c : shape (hidden,)
    b : shape (dim,)

    Returns
    -------
    shape (batch, dim)
    """
    hidden = hidden_layers(x, W, c)
    return np.stack([b[d] + h @ V[d] for d, h in enumerate(hidden)], axis=1)  # (nade-conditional)


class NADE(BinaryVectors):
    """One hidden layer for each conditional probability, all with the same weights.

    Parameters
    ----------
    dim : int
        Of the vectors of zeros and ones, (batch, dim).
    hidden_dim : int
    rng : RandomStream, optional
        Of the initial weights.

    Attributes
    ----------
    W, V : Parameter, shape (dim, hidden_dim)
        Into the hidden layers, and out of them; the d-th row belongs to x_d.
    c : Parameter, shape (hidden_dim,)
    b : Parameter, shape (dim,)

    Examples
    --------
    >>> model = NADE(784, 500)
    >>> model.parameter_count()
    785284
    >>> model.sample(3, RandomStream(0)).shape
    (3, 784)
    """

    def __init__(self, dim: int, hidden_dim: int, rng: RandomStream | None = None) -> None:
        super().__init__(dim)
        self.hidden_dim = checks.whole("hidden_dim", hidden_dim)
        self.W = parameter_like((dim, hidden_dim))
        self.c = parameter_like((hidden_dim,))
        self.V = parameter_like((dim, hidden_dim))
        self.b = parameter_like((dim,))
        self.reset_parameters(RandomStream(0, "nade") if rng is None else check_rng(rng))

    def reset_parameters(self, rng: RandomStream) -> None:
        fan_in_([self.W, self.c], self.dim, rng.child("in"))
        fan_in_([self.V, self.b], self.hidden_dim, rng.child("out"))

    def forward(self, x: Any) -> Any:
        return nade_logits(x, self.W, self.c, self.V, self.b)

    def conditionals(self, x: Array) -> Iterator[Array]:
        W, c, V, b = (raw(parameter) for parameter in (self.W, self.c, self.V, self.b))
        return (b[d] + h @ V[d] for d, h in enumerate(hidden_layers(x, W, c)))

    def extra_repr(self) -> str:
        return f"{self.dim}, {self.hidden_dim}"
