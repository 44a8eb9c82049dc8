"""Group and batch normalisation, each as one primitive; the first with the SiLU that often follows it.

The shares of a normalisation's three arguments have nearly all of their work in common, so one function gives
them together: on raw arrays the cache-blocked one of the backend, on Tensors the formula below, which
differentiates to any order.
"""

from __future__ import annotations

from typing import Any

from ..backend import Array, batch_normalisation, normalisation
from .elementwise import sigmoid, sqrt
from .primitive import jointly, primitive
from .tensor import Tensor, raw


def group_norm(x: Any, weight: Any, bias: Any, groups: int, eps: float, silu: bool = False) -> Any:
    """``(x - mean) / sqrt(var + eps) * weight + bias``, and SiLU of that if asked for.

    Parameters
    ----------
    x : shape (batch, channels, ...)
    weight, bias : shape (channels,)
    groups : int
        Divides the channels; mean and (biased) variance are those of a group's channels, over all pixels.
    eps : float
    silu : bool
    """
    statistics = normalisation.group_statistics(raw(x), groups, eps)
    return group_norm_(x, weight, bias, groups=groups, eps=eps, silu=silu, statistics=statistics)


def _group_shares(
    g: Any,
    y: Any,
    x: Any,
    weight: Any,
    bias: Any,
    groups: int,
    eps: float,
    silu: bool,
    statistics: Any = None,
) -> tuple[Any, Any, Any]:
    if any(isinstance(a, Tensor) for a in (g, x, weight, bias)):
        return group_norm_shares(g, x, weight, bias, groups, eps, silu)
    known = statistics or normalisation.group_statistics(x, groups, eps)
    return normalisation.group_norm_shares(g, x, weight, bias, groups, known, silu)


@primitive(jointly(_group_shares))
def group_norm_(
    x: Array,
    weight: Array,
    bias: Array,
    *,
    groups: int,
    eps: float,
    silu: bool,
    statistics: tuple[Array, Array] | None = None,
) -> Array:
    """`group_norm`, whose `statistics`, those of this x, may be known already.

    They are a memory of the forward pass, not an argument: the derivative flows through them all the same.
    """
    known = statistics or normalisation.group_statistics(x, groups, eps)
    return normalisation.group_norm(x, weight, bias, groups, known, silu)


def group_norm_shares(
    g: Any, x: Any, weight: Any, bias: Any, groups: int, eps: float, silu: bool = False
) -> tuple[Any, Any, Any]:
    """The shares of `group_norm`, of arrays or Tensors; `backend/normalisation.py` has the formula."""
    shape = tuple(x.shape)
    if 0 in shape:
        return x * g, (x * g).sum(axis=(0, *range(2, x.ndim))) * weight, bias * 0
    batch, channels = shape[:2]
    grouped = (batch, groups, channels // groups, -1)
    x, g = x.reshape(grouped), g.reshape(grouped)
    scale, shift = (a.reshape((1, groups, channels // groups, 1)) for a in (weight, bias))
    centred = x - x.mean(axis=(2, 3), keepdims=True)
    std = sqrt((centred * centred).mean(axis=(2, 3), keepdims=True) + eps)
    u = centred / std
    if silu:
        y = u * scale + shift
        s = sigmoid(y)
        g = g * s * (1 + y * (1 - s))
    q = g * scale
    share = (q - q.mean(axis=(2, 3), keepdims=True) - u * (u * q).mean(axis=(2, 3), keepdims=True)) / std
    for_weight, for_bias = ((g * a).sum(axis=(0, 3)).reshape(channels) for a in (u, 1))
    return share.reshape(shape), for_weight, for_bias


def _batch_shares(
    g: Any, y: Any, x: Any, weight: Any, bias: Any, eps: float, statistics: Any = None
) -> tuple[Any, Any, Any]:
    if any(isinstance(a, Tensor) for a in (g, x, weight, bias)):
        return batch_norm_shares(g, x, weight, bias, eps)
    known = statistics or batch_normalisation.batch_statistics(x)
    return batch_normalisation.batch_norm_shares(g, x, weight, known, eps)


@primitive(jointly(_batch_shares))
def batch_norm(
    x: Array, weight: Array, bias: Array, *, eps: float, statistics: tuple[Array, Array] | None = None
) -> Array:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` with mean and (biased) variance of each channel.

    Parameters
    ----------
    x : shape (batch, channels, ...)
    weight, bias : shape (channels,)
    eps : float
    statistics : two raw arrays (channels,), optional
        The mean and variance of this x, where they are known already; the derivative flows through them all
        the same.
    """
    known = statistics or batch_normalisation.batch_statistics(x)
    return batch_normalisation.batch_norm(x, weight, bias, known, eps)


def batch_norm_shares(g: Any, x: Any, weight: Any, bias: Any, eps: float) -> tuple[Any, Any, Any]:
    """The shares of `batch_norm`, of arrays or Tensors; `backend/batch_normalisation.py` has the formula."""
    axes = (0, *range(2, x.ndim))
    if x.size == 0:
        return x * g, (x * g).sum(axis=axes) * weight, bias * 0
    centred = x - x.mean(axis=axes, keepdims=True)
    std = sqrt((centred * centred).mean(axis=axes, keepdims=True) + eps)
    u = centred / std
    scale = weight.reshape((1, -1) + (1,) * (x.ndim - 2)) / std
    share = (g - g.mean(axis=axes, keepdims=True) - u * (u * g).mean(axis=axes, keepdims=True)) * scale
    return share, (g * u).sum(axis=axes), g.sum(axis=axes)
