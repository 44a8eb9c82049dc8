"""Functional forms of attention; `scratchgen.nn.functional` offers them beside the others."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd import matmul, raw, softmax, where
from ..backend import Array


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
        attn_mask = rows[:, None] >= columns
    if value.shape[-2] != key.shape[-2]:
        raise ValueError(
            f"value: got shape {tuple(value.shape)}, expected (..., {key.shape[-2]}, features) like key"
        )
    return matmul(attention_weights(query, key, attn_mask, scale), value)


def attention_weights(
    query: Any, key: Any, attn_mask: Array | None = None, scale: float | None = None
) -> Any:
    """How much each query takes of each key, ``softmax(q k^T / sqrt(features))``: rows that sum to 1.

    The arguments are those of `scaled_dot_product_attention`.
    """
    if query.ndim < 2 or key.ndim < 2 or query.shape[-1] != key.shape[-1]:
        raise ValueError(
            f"query, key: got shapes {tuple(query.shape)} and {tuple(key.shape)}, "
            "expected (..., length, features) of equally many features"
        )
    scale = 1 / math.sqrt(query.shape[-1]) if scale is None else scale
    transposed = (*range(key.ndim - 2), key.ndim - 1, key.ndim - 2)
    scores = matmul(query * scale, key.transpose(transposed))  # (..., length, key length)
    if attn_mask is not None:
        masks = raw(attn_mask).dtype == np.bool_
        scores = where(raw(attn_mask), scores, -math.inf) if masks else scores + attn_mask
    return softmax(scores, axis=-1)
