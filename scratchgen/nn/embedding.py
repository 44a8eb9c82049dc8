"""Embedding: a learnt vector for each of a number of symbols."""

from __future__ import annotations

from typing import Any

from ..autograd import raw
from ..backend import Array, RandomStream, checks
from .init import normal_, stream_or_next
from .module import Module, parameter_like


def embedding(indices: Array, weight: Any) -> Any:
    """What `Embedding` computes: the rows of `weight` named by `indices`, ``(*indices.shape, features)``."""
    count = checks.shape("weight", weight, ("count", "features")).shape[0]
    return weight[raw(checks.indices("indices", indices, count))]  # (embedding)


class Embedding(Module):
    """Whole numbers ``0 .. num_embeddings - 1`` of any shape to vectors: ``(...) -> (..., embedding_dim)``.

    Parameters
    ----------
    num_embeddings, embedding_dim : int
    rng : RandomStream, optional
        Of the initial weights.

    Attributes
    ----------
    weight : Parameter, shape (num_embeddings, embedding_dim)
        Initially N(0, 1).

    Raises
    ------
    TypeError, IndexError
        If indices are no whole numbers, or (on the host) name no row.

    Examples
    --------
    >>> import numpy as np
    >>> Embedding(10, 4)(np.array([[1, 2], [3, 1]])).shape
    (2, 2, 4)
    """

    def __init__(self, num_embeddings: int, embedding_dim: int, rng: RandomStream | None = None) -> None:
        self.num_embeddings = checks.whole("num_embeddings", num_embeddings)
        self.embedding_dim = checks.whole("embedding_dim", embedding_dim)
        self.weight = parameter_like((num_embeddings, embedding_dim))
        self.reset_parameters(stream_or_next(rng))

    def reset_parameters(self, rng: RandomStream) -> None:
        normal_(self.weight, 0.0, 1.0, rng)

    def forward(self, indices: Array) -> Any:
        return embedding(indices, self.weight)

    def extra_repr(self) -> str:
        return f"{self.num_embeddings}, {self.embedding_dim}"
