"""Attention: each position of a sequence takes from all others what it asks for."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd import linear, matmul, raw, softmax, split, where
from ..backend import Array, RandomStream, checks
from .dropout import Dropout
from .init import stream_or_next, uniform_
from .linear import Linear
from .module import Module, parameter_like


def scaled_dot_product_attention(
    query: Any,
    key: Any,
    value: Any,
    attn_mask: Array | None = None,
    is_causal: bool = False,
    scale: float | None = None,
) -> Any:
    """Attention (Vaswani et al. 2017, eq. 1).

    ::

        attention(q, k, v) = softmax(q k^T / sqrt(features)) v                                (attention)
        score_ij <- -inf for j > i,     if is_causal                                   (causal-attention)

    Parameters
    ----------
    query : shape (..., length, features)
    key : shape (..., key length, features)
    value : shape (..., key length, value features)
    attn_mask : array that broadcasts to (..., length, key length), optional
        Truth values, True where a key takes part (one at least for each query), or numbers to add to the
        scores.
    is_causal : bool
        Whether query i sees the keys up to i only.
    scale : float, optional
        Instead of 1 / sqrt(features).

    Returns
    -------
    shape (..., length, value features)

    Raises
    ------
    ValueError
        If shapes do not fit, or there are both a mask and `is_causal`.
    """
    if is_causal:
        if attn_mask is not None:
            raise ValueError("attn_mask: got one with is_causal=True, expected one of the two only")
        rows, columns = (np.arange(x.shape[-2], like=raw(x)) for x in (query, key))
        attn_mask = rows[:, None] >= columns  # (causal-attention)
    weights = attention_weights(query, key, attn_mask, scale)
    return matmul(weights, checks.shape("value", value, (..., key.shape[-2], "features")))  # (attention)


def attention_weights(
    query: Any, key: Any, attn_mask: Array | None = None, scale: float | None = None
) -> Any:
    """How much each query takes of each key, ``softmax(q k^T / sqrt(features))``: rows that sum to 1.

    The arguments are those of `scaled_dot_product_attention`.
    """
    features = checks.shape("query", checks.floating("query", query), (..., "length", "features")).shape[-1]
    checks.shape("key", key, (..., "length", features))
    scale = 1 / math.sqrt(features) if scale is None else checks.number("scale", scale)
    transposed = (*range(key.ndim - 2), key.ndim - 1, key.ndim - 2)
    # (..., length, key length)
    scores = matmul(query * scale, key.transpose(transposed))  # (attention)
    if attn_mask is not None:
        masks = raw(checks.array("attn_mask", attn_mask)).dtype == np.bool_
        scores = (
            where(raw(attn_mask), scores, -math.inf) if masks else scores + attn_mask
        )  # (causal-attention)
    return softmax(scores, axis=-1)  # (attention)


class MultiheadAttention(Module):
    """Attention of several heads (Vaswani et al. 2017, section 3.2.2).

    ::

        head_i = attention(q_i, k_i, v_i)
        output = out_proj(concat(head_1, head_2, ...))                             (multi-head-attention)

    with q_i, k_i, v_i slices of affine maps of query, key and value.

    Parameters
    ----------
    embed_dim : int
        The features of each position.
    num_heads : int
        Divides `embed_dim`.
    dropout : float
        In training, with this probability a weight of the attention is left out.
    bias : bool
        Whether the maps have biases.
    batch_first : bool
        Whether sequences are (batch, length, embed_dim) or, the default, (length, batch, embed_dim).
    rng : RandomStream, optional
        Of the initial weights.

    Attributes
    ----------
    in_proj_weight : Parameter, shape (3 embed_dim, embed_dim)
        Of query, key and value, one below the other.
    in_proj_bias : Parameter, shape (3 embed_dim,), or None
    out_proj : Linear

    Examples
    --------
    >>> x = np.zeros((2, 7, 16), np.float32)
    >>> y, weights = MultiheadAttention(16, 4, batch_first=True)(x, x, x)
    >>> y.shape, weights.shape
    ((2, 7, 16), (2, 7, 7))
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        bias: bool = True,
        batch_first: bool = False,
        rng: RandomStream | None = None,
    ) -> None:
        self.embed_dim = checks.whole("embed_dim", embed_dim)
        self.num_heads = checks.whole("num_heads", num_heads)
        if embed_dim % num_heads:
            raise ValueError(f"num_heads: got {num_heads}, expected a divisor of embed_dim {embed_dim}")
        rng = stream_or_next(rng)
        self.batch_first = batch_first
        self.in_proj_weight = parameter_like((3 * embed_dim, embed_dim))
        self.in_proj_bias = parameter_like((3 * embed_dim,)) if bias else None
        self.dropout = Dropout(dropout, rng=rng.child("dropout"))
        self.out_proj = Linear(embed_dim, embed_dim, bias=bias, rng=rng.child("out_proj"))
        self.reset_parameters(rng)

    def reset_parameters(self, rng: RandomStream) -> None:
        uniform_(self.in_proj_weight, math.sqrt(6 / (4 * self.embed_dim)), rng.child("in_proj"))
        if self.in_proj_bias is not None:
            self.in_proj_bias.data[...] = 0

    def forward(
        self, query: Any, key: Any, value: Any, attn_mask: Array | None = None, need_weights: bool = True
    ) -> tuple[Any, Any]:
        """The output, of the shape of `query`, and the weights (batch, length, key length), or None.

        Parameters
        ----------
        query, key, value : (length, batch, embed_dim), or (batch, length, embed_dim) if `batch_first`
        attn_mask : array that broadcasts to (length, key length) or (batch, heads, length, key length)
            Truth values, True where a key must *not* be seen (as in PyTorch's layer; its functional form has
            it the other way round), or numbers to add to the scores.
        need_weights : bool
            Whether to return the weights too, averaged over the heads.
        """
        order = ("batch", "length") if self.batch_first else ("length", "batch")
        for name, x in (("query", query), ("key", key), ("value", value)):
            checks.shape(name, x, (*order, self.embed_dim))
        q, k, v = map(self._heads, self._projected(query, key, value))
        if attn_mask is not None and attn_mask.dtype == np.bool_:
            attn_mask = ~raw(attn_mask)
        weights = attention_weights(q, k, attn_mask)
        y = self._joined(matmul(self.dropout(weights), v))
        return self.out_proj(y), weights.mean(axis=1) if need_weights else None  # (multi-head-attention)

    def _projected(self, query: Any, key: Any, value: Any) -> list[Any]:
        """Query, key and value through their affine maps: in one product, where they are the same."""
        if query is key is value:
            return split(linear(query, self.in_proj_weight, self.in_proj_bias), self.embed_dim, axis=2)
        weights = split(self.in_proj_weight, self.embed_dim)
        biases = [None] * 3 if self.in_proj_bias is None else split(self.in_proj_bias, self.embed_dim)
        return [linear(*args) for args in zip((query, key, value), weights, biases, strict=True)]

    def _heads(self, x: Any) -> Any:
        """A sequence's features in heads: -> (batch, heads, length, head_dim)."""
        x = x.reshape((*x.shape[:2], self.num_heads, self.embed_dim // self.num_heads))
        return x.transpose((0, 2, 1, 3) if self.batch_first else (1, 2, 0, 3))

    def _joined(self, x: Any) -> Any:
        """(batch, heads, length, head_dim) -> a sequence of the layout of the query."""
        x = x.transpose((0, 2, 1, 3) if self.batch_first else (2, 0, 1, 3))
        return x.reshape((*x.shape[:2], self.embed_dim))
