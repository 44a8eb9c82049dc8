"""Group and batch normalisation, each as one primitive; the first with the SiLU that often follows it.

The shares of a normalisation's three arguments have nearly all of their work in common, so one function gives
them together. It takes arrays and Tensors alike, so it differentiates to any order.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Array
from ..backend.compiled import compiled
from .collective import sum_over_ranks
from .elementwise import sqrt
from .fused import silu as silu_of, silu_share
from .primitive import jointly, primitive
from .shapes import cat
from .tensor import raw


@compiled
def group_norm_shares(
    g: Any, y: Any, x: Any, weight: Any, bias: Any, *, groups: int, eps: float, silu: bool
) -> tuple[Any, Any, Any]:
    """The vector-Jacobian products of `group_norm` with cotangent g, by x, weight and bias.

    With u = (x - mean) / std, y = u weight + bias, q = g silu'(y) (or g), and M the mean over the pixels and
    channels of a group: ::

        x: (q weight - M(q weight) - u M(u q weight)) / std
        weight: sum of q u,     bias: sum of q,     over images and pixels            (group-norm-shares)
    """
    if x.size == 0:
        return x * g, (x * g).sum(axis=(0, *range(2, x.ndim))) * weight, bias * 0
    u, std = _grouped(x, groups, eps)
    scale, shift = (_beside(a, groups) for a in (weight, bias))
    q = g.reshape(u.shape)
    if silu:
        q = silu_share(q, u * scale + shift)
    r = q * scale
    share = (r - _mean(r) - u * _mean(u * r)) / std  # (group-norm-shares)
    for_weight, for_bias = ((q * a).sum(axis=(0, 3)).reshape(weight.shape) for a in (u, 1))
    return share.reshape(tuple(x.shape)), for_weight, for_bias


@primitive(jointly(group_norm_shares))
@compiled
def group_norm(x: Array, weight: Array, bias: Array, *, groups: int, eps: float, silu: bool = False) -> Array:
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
    if x.size == 0:
        return x.copy()
    u, _ = _grouped(x, groups, eps)
    y = (u * _beside(weight, groups) + _beside(bias, groups)).reshape(x.shape)  # (group-norm)
    return silu_of(y) if silu else y


def _grouped(x: Any, groups: int, eps: float) -> tuple[Any, Any]:
    """``(x - mean) / std`` as (batch, groups, channels of a group, pixels), and std."""
    x = x.reshape((x.shape[0], groups, x.shape[1] // groups, -1))
    centred = x - _mean(x)
    std = sqrt(_mean(centred * centred) + eps)
    return centred / std, std


def _mean(x: Any) -> Any:
    return x.mean(axis=(2, 3), keepdims=True)


def _beside(x: Any, groups: int) -> Any:
    """(channels,) -> (1, groups, channels of a group, 1)."""
    return x.reshape((1, groups, -1, 1))


@compiled
def batch_norm_shares(g: Any, y: Any, x: Any, weight: Any, bias: Any, *, eps: float) -> tuple[Any, Any, Any]:
    """The vector-Jacobian products of `batch_norm` with cotangent g, by x, weight and bias.

    With u = (x - mean) / std, where mean and std are those of x, and M the mean over all pixels of all
    images: ::

        x: (g - M(g) - u M(u g)) weight / std
        weight: sum of g u,     bias: sum of g,     over images and pixels            (batch-norm-shares)
    """
    axes = (0, *range(2, x.ndim))
    if x.size == 0:
        return x * g, (x * g).sum(axis=axes) * weight, bias * 0
    centred = x - x.mean(axis=axes, keepdims=True)
    std = sqrt((centred * centred).mean(axis=axes, keepdims=True) + eps)
    u = centred / std
    of_g, of_ug = (a.mean(axis=axes, keepdims=True) for a in (g, u * g))
    share = g - of_g - u * of_ug  # (batch-norm-shares)
    return share * _column(weight, x) / std, (g * u).sum(axis=axes), g.sum(axis=axes)  # (batch-norm-shares)


@primitive(jointly(batch_norm_shares))
@compiled
def batch_norm(x: Array, weight: Array, bias: Array, *, eps: float) -> Array:
    """``(x - mean) / sqrt(var + eps) * weight + bias`` with mean and (biased) variance of each channel.

    Parameters
    ----------
    x : shape (batch, channels, ...)
    weight, bias : shape (channels,)
    eps : float
    """
    if x.size == 0:
        return x.copy()
    mean, var = (_column(a, x) for a in batch_statistics(x))
    return (x - mean) / np.sqrt(var + eps) * _column(weight, x) + _column(bias, x)  # (batch-norm)


@compiled
def batch_statistics(x: Array) -> tuple[Array, Array]:
    """Mean and (biased) variance of each channel of x (batch, channels, ...): two arrays (channels,)."""
    axes = (0, *range(2, x.ndim))
    return x.mean(axis=axes), x.var(axis=axes)


def batch_norm_of_ranks(x: Any, weight: Any, bias: Any, *, eps: float) -> tuple[Any, Any, Any, Any]:
    """`batch_norm` of a batch of which each rank r has a part, x_r; in primitives, so to any order.

    With n_r the numbers of a channel on rank r, and sums over ranks, images and pixels: ::

        n = sum n_r,     mean = sum x_r / n,     var = sum (x_r - mean)^2 / n      (ranks-batch-statistics)

    Returns
    -------
    tuple
        The normalised part, and mean, variance and n of the whole batch: (channels,), (channels,), (1,).
    """
    axes, channels = (0, *range(2, x.ndim)), x.shape[1]
    here = np.full_like(raw(weight), x.size // channels, shape=(1,))
    sums = sum_over_ranks(cat([x.sum(axis=axes), here]))  # (ranks-batch-statistics)
    count = raw(sums)[channels:]
    mean = sums[:channels] / count  # (ranks-batch-statistics)
    centred = x - _column(mean, x)
    var = sum_over_ranks((centred * centred).sum(axis=axes)) / count  # (ranks-batch-statistics)
    y = centred / sqrt(_column(var, x) + eps) * _column(weight, x) + _column(bias, x)
    return y, raw(mean), raw(var), count


def _column(x: Any, like: Any) -> Any:
    """(channels,) -> (1, channels, 1, ...), to stand beside (batch, channels, ...)."""
    return x.reshape((1, -1) + (1,) * (like.ndim - 2))
