"""MADE: a masked autoencoder as a distribution estimator (Germain et al. 2015).

An ordinary network with D inputs and D outputs computes all conditional probabilities in one pass, if output
d cannot see input d or a later one. Masks take out every weight on such a path: each hidden unit k has a
degree m_k, sees only units of degree m_k at most, and is seen only by outputs d > m_k. So no path leads from
input j to output d unless j < d (`networks/masked.py`).

To sample is to run the network D times, naively. But a unit of degree m is final as soon as m numbers are
drawn, and so has to be computed only once: the whole of a sample costs as much as one pass.

    h_i = relu(sum_(j: m_j <= m_i) W_ij h_j + b_i)    as soon as x_1 .. x_(m_i) are drawn     (made-sampling)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any

import numpy as np

from ...autograd import raw
from ...backend import Array, RandomStream, check_rng, checks
from ...networks.masked import MaskedLinear, spread_degrees
from ...nn import Module, ReLU, Sequential
from .vectors import BinaryVectors


class MADE(BinaryVectors):
    """A masked network from a vector of zeros and ones to the logit of each, given those before it.

    Parameters
    ----------
    dim : int
        Of the vectors, (batch, dim).
    hidden_dims : sequence of int
        The widths of the hidden layers, at least one; each should be no less than `dim`, since of a narrower
        one not every output sees all that it may.
    rng : RandomStream, optional
        Of the initial weights.

    Examples
    --------
    >>> model = MADE(784, [500, 500])
    >>> model.sample(3, RandomStream(0)).shape
    (3, 784)
    """

    def __init__(self, dim: int, hidden_dims: Sequence[int], rng: RandomStream | None = None) -> None:
        super().__init__(dim)
        if not isinstance(hidden_dims, list | tuple) or not hidden_dims:
            raise ValueError(f"hidden_dims: got {hidden_dims!r}, expected a list of widths such as [500]")
        self.hidden_dims = [checks.whole(f"hidden_dims[{i}]", width) for i, width in enumerate(hidden_dims)]
        rng = RandomStream(0, "made") if rng is None else check_rng(rng)
        places = np.arange(1, dim + 1)
        degrees = [places, *(spread_degrees(width, dim) for width in self.hidden_dims)]
        layers: list[Module] = []
        for i, (below, above) in enumerate(pairwise(degrees)):
            layers += [MaskedLinear(below, above, rng=rng.child(i)), ReLU()]
        last = MaskedLinear(degrees[-1], places, strict=True, rng=rng.child("last"))
        self.network = Sequential(*layers, last)

    def forward(self, x: Any) -> Any:
        return self.network(x)

    def conditionals(self, x: Array) -> Iterator[Array]:
        *hidden, last = (layer for layer in self.network if isinstance(layer, MaskedLinear))
        values = [x, *(np.zeros_like(x, shape=(len(x), layer.out_features)) for layer in hidden)]
        for known in range(self.dim):
            for below, above, layer in zip(values, values[1:], hidden, strict=False):
                first, end = np.searchsorted(layer.out_degrees, [known, known + 1])  # units of that degree
                seen = np.searchsorted(layer.in_degrees, known + 1)  # units of that degree and lower ones
                W, b = raw(layer.weight)[first:end, :seen], raw(layer.bias)[first:end]
                above[:, first:end] = np.maximum(below[:, :seen] @ W.T + b, 0)  # (made-sampling)
            seen = np.searchsorted(last.in_degrees, known + 1)
            yield values[-1][:, :seen] @ raw(last.weight)[known, :seen] + raw(last.bias)[known]
