"""Reductions: many numbers to one, along chosen axes.

Each vjp spreads the cotangent of a result back over the numbers it came from, weighted by how much each of
them mattered. Axes are named as in NumPy (``axis=``, ``keepdims=``) or PyTorch (``dim=``, ``keepdim=``).
"""

from __future__ import annotations

import builtins
import functools
import math
from typing import Any

import numpy as np

from ..backend import Array
from .elementwise import exp, where
from .primitive import primitive
from .shapes import broadcast_to_, concatenate, expand, flip, take_slice
from .tensor import raw

Axis = int | tuple[int, ...] | None


@functools.lru_cache(maxsize=1024)
def reduced_axes(ndim: int, axis: Axis, name: str) -> tuple[int, ...]:
    """`axis` as a tuple of distinct axes in 0 .. ndim - 1.

    Raises
    ------
    ValueError
        If an axis does not exist or is named twice.
    """
    axes = tuple(range(ndim)) if axis is None else (axis,) if isinstance(axis, int | np.integer) else axis
    positive = tuple(int(a) + ndim if a < 0 else int(a) for a in axes)
    if builtins.any(not 0 <= a < ndim for a in positive) or len(set(positive)) < len(positive):
        raise ValueError(f"{name}: axis {axis} does not fit an array of {ndim} axes")
    return positive


def _reduction(x: Any, axis: Axis, keepdims: bool, pytorch: dict[str, Any], name: str) -> dict[str, Any]:
    """The static keywords of a reduction primitive, from the keywords of either library."""
    if pytorch:
        axis = pytorch.pop("dim", axis)
        keepdims = pytorch.pop("keepdim", keepdims)
    if pytorch:
        raise TypeError(
            f"{name}: got an unexpected keyword {next(iter(pytorch))!r}, expected axis and keepdims"
        )
    axis = tuple(axis) if isinstance(axis, list) else axis
    return {"axis": reduced_axes(x.ndim, axis, name), "keepdims": keepdims}


def _spread(g: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """A reduction's cotangent with its axes of length one back, so that it broadcasts against `x`."""
    return g if keepdims else expand(g, axis)


def _count(x: Any, axis: tuple[int, ...]) -> int:
    return math.prod(x.shape[a] for a in axis)


def sum(x: Any, axis: Axis = None, keepdims: bool = False, **pytorch: Any) -> Any:
    """Sum over the given axes (over all by default)."""
    return sum_(x, **_reduction(x, axis, keepdims, pytorch, "sum"))


@primitive(lambda g, y, x, axis, keepdims: broadcast_to_(_spread(g, x, axis, keepdims), shape=x.shape))
def sum_(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """`sum` over given axes."""
    return x.sum(axis=axis, keepdims=keepdims)


def mean(x: Any, axis: Axis = None, keepdims: bool = False, **pytorch: Any) -> Any:
    """Mean over the given axes (over all by default).

    Raises
    ------
    ValueError
        If there is nothing to average.
    """
    static = _reduction(x, axis, keepdims, pytorch, "mean")
    count = _count(x, static["axis"])
    if count == 0:
        raise ValueError(f"mean: nothing to average over axis {axis} of an array of shape {x.shape}")
    return sum_(x, **static) * (1 / count)


def var(x: Any, axis: Axis = None, keepdims: bool = False, correction: int = 0, **pytorch: Any) -> Any:
    """Variance: the mean squared distance from the mean.

    Parameters
    ----------
    correction : int
        0 divides by the count n (the maximum-likelihood estimate, and the default of NumPy, so that the line
        means the same for arrays and Tensors); 1 by n - 1 (the unbiased one, and the default of PyTorch).
    """
    static = _reduction(x, axis, keepdims, pytorch, "var")
    count = _count(x, static["axis"]) - correction
    if count <= 0:
        raise ValueError(f"var: too few numbers over axis {axis} of an array of shape {x.shape}")
    centred = x - mean(x, static["axis"], keepdims=True)
    return sum_(centred * centred, **static) * (1 / count)


def max(x: Any, axis: Axis = None, keepdims: bool = False, **pytorch: Any) -> Any:
    """Maximum; where several numbers tie they share the derivative equally (so that it sums to ``g``)."""
    return max_(x, **_reduction(x, axis, keepdims, pytorch, "max"))


def min(x: Any, axis: Axis = None, keepdims: bool = False, **pytorch: Any) -> Any:
    """Minimum; ties share the derivative equally."""
    return -max_(-x, **_reduction(x, axis, keepdims, pytorch, "min"))


def _share_of_ties(g: Any, y: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    tied = (raw(x) == _spread(raw(y), x, axis, keepdims)).astype(x.dtype)
    return _spread(g, x, axis, keepdims) * (tied / np.sum(tied, axis=axis, keepdims=True))


@primitive(_share_of_ties)
def max_(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """`max` over given axes."""
    if _count(x, axis) == 0:
        raise ValueError(f"max: no largest number over axis {axis} of an array of shape {x.shape}")
    return x.max(axis=axis, keepdims=keepdims)


def logsumexp(x: Any, axis: Axis = None, keepdims: bool = False, **pytorch: Any) -> Any:
    """log of the sum of e^x, without overflow.

    ::

        log sum_i e^x_i = m + log sum_i e^(x_i - m),     m = max_i x_i                      (log-sum-exp)

    Where all x are -inf it is -inf, and its derivative 0.
    """
    return logsumexp_(x, **_reduction(x, axis, keepdims, pytorch, "logsumexp"))


def _softmax_share(g: Any, y: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    # For x = y = -inf the difference would be NaN; a finite stand-in for y makes the share exp(-inf) = 0.
    y = _spread(y, x, axis, keepdims)
    empty = raw(y) == -np.inf
    return _spread(g, x, axis, keepdims) * exp(x - where(empty, 0, y))


@primitive(_softmax_share)
def logsumexp_(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """`logsumexp` over given axes."""
    if _count(x, axis) == 0:
        return np.sum(x, axis=axis, keepdims=keepdims) - np.inf
    largest = np.max(x, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):  # log 0 = -inf, where all x are -inf
        total = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest
    return total if keepdims else total.reshape([n for a, n in enumerate(x.shape) if a not in axis])


def prod(x: Any, axis: Axis = None, keepdims: bool = False, **pytorch: Any) -> Any:
    """Product over the given axes; its derivatives are right also where factors are zero."""
    return prod_(x, **_reduction(x, axis, keepdims, pytorch, "prod"))


def _product_of_others(x: Any, axis: tuple[int, ...]) -> Any:
    """For each number the product of all others along `axis`: no division, so zeros do no harm.

    ::

        d prod_j x_j / dx_i = (prod_{j < i} x_j) (prod_{j > i} x_j)                   (product-of-others)

    Each factor is a running product.
    """
    others = [a for a in range(x.ndim) if a not in axis]
    order = (*others, *axis)
    moved = x.transpose(order)
    rows = moved.reshape((*(x.shape[a] for a in others), _count(x, axis)))  # (..., numbers to multiply)
    one = np.ones_like(raw(rows)[..., :1])
    before = concatenate(one, _running_product(take_slice(rows, np.s_[..., :-1])), axis=-1)
    after = flip(concatenate(one, _running_product(flip(take_slice(rows, np.s_[..., 1:]), -1)), axis=-1), -1)
    return (before * after).reshape(moved.shape).transpose(tuple(int(a) for a in np.argsort(order)))


def _running_product(rows: Any) -> Any:
    """The product of each number with all before it along the last axis; each pass doubles its reach."""
    reach, n = 1, rows.shape[-1]
    while reach < n:
        head, tail, shifted = (
            take_slice(rows, s) for s in (np.s_[..., :reach], np.s_[..., reach:], np.s_[..., :-reach])
        )
        rows = concatenate(head, tail * shifted, axis=-1)
        reach *= 2
    return rows


@primitive(lambda g, y, x, axis, keepdims: _spread(g, x, axis, keepdims) * _product_of_others(x, axis))
def prod_(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """`prod` over given axes."""
    return np.prod(x, axis=axis, keepdims=keepdims)


def cumsum(x: Any, axis: int) -> Any:
    """Running sum along one axis: ``y_i = x_1 + ... + x_i``."""
    return cumsum_(x, axis=reduced_axes(np.ndim(raw(x)), axis, "cumsum")[0])


@primitive(lambda g, y, x, axis: flip(cumsum(flip(g, axis), axis), axis))
def cumsum_(x: Array, *, axis: int) -> Array:
    """`cumsum` along a given axis."""
    return np.cumsum(x, axis=axis)
