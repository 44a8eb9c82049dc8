"""Reductions: many numbers to one, along chosen axes.

Each vjp spreads the cotangent of a result back over the numbers it came from, weighted by how much each of
them mattered. Axes are named as in NumPy (``axis=``, ``keepdims=``) or PyTorch (``dim=``, ``keepdim=``).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import Array, checks
from .elementwise import exp, sqrt, square, where
from .primitive import primitive
from .shapes import along_axis, axes_of, broadcast_to, concatenate, expand, flip
from .tensor import raw

Axis = int | Sequence[int] | None


def reduction(
    x: Any, axis: Axis = None, keepdims: bool = False, *, dim: Axis = None, keepdim: bool = False
) -> tuple[tuple[Any], dict[str, Any]]:
    """A reduction's call in canonical form: its axes in a tuple, each one of 0 .. ndim - 1."""
    axes = axes_of(checks.array("x", x).ndim, axis if dim is None else dim)
    return (x,), {"axis": axes, "keepdims": keepdims or keepdim}


def _spread(g: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    """A reduction's cotangent with its axes of length one back, to broadcast against the argument."""
    return g if keepdims else expand(g, axis)


def _count(x: Any, axis: tuple[int, ...]) -> int:
    return math.prod(map(x.shape.__getitem__, axis))


@primitive(
    lambda g, y, x, axis, keepdims: broadcast_to(_spread(g, axis, keepdims), x.shape), canonical=reduction
)
def sum(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Sum over the given axes (over all by default)."""
    return x.sum(axis=axis, keepdims=keepdims)


def _of_some(x: Any, *call: Any, **keywords: Any) -> tuple[tuple[Any], dict[str, Any]]:
    """A call of a reduction that needs at least one number."""
    args, static = reduction(x, *call, **keywords)
    if x.size == 0 and _count(x, static["axis"]) == 0:
        raise ValueError(
            f"axis: got {static['axis']} of an array of shape {x.shape}, expected axes that hold a number"
        )
    return args, static


@primitive(
    lambda g, y, x, axis, keepdims: broadcast_to(  # (mean-vjp)
        _spread(g, axis, keepdims) * (1 / _count(x, axis)), x.shape
    ),
    canonical=_of_some,
)
def mean(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Mean over the given axes (over all by default)."""
    return x.sum(axis=axis, keepdims=keepdims) * (1 / _count(x, axis))


def _corrected(
    x: Any, axis: Axis = None, keepdims: bool = False, correction: int = 0, **pytorch: Any
) -> tuple[tuple[Any], dict[str, Any]]:
    args, static = _of_some(x, axis, keepdims, **pytorch)
    if correction >= _count(x, static["axis"]):
        raise ValueError(f"correction: got {correction}, expected less than there are numbers to average")
    return args, {**static, "correction": correction}


def _variance_share(g: Any, y: Any, x: Any, axis: tuple[int, ...], keepdims: bool, correction: int) -> Any:
    centred = x - x.mean(axis=axis, keepdims=True)
    return _spread(g, axis, keepdims) * (centred * (2 / (_count(x, axis) - correction)))  # (variance-vjp)


@primitive(_variance_share, canonical=_corrected)
def var(x: Array, *, axis: tuple[int, ...], keepdims: bool, correction: int) -> Array:
    """Variance over the given axes (over all by default): the mean squared distance from the mean.

    ::

        d var / d x_i = 2 (x_i - mean) / (n - correction)                                     (variance-vjp)

    Parameters
    ----------
    correction : int
        0 divides by the count n (the maximum-likelihood estimate, and the default of NumPy, so that the line
        means the same for arrays and Tensors); 1 by n - 1 (the unbiased one, and the default of PyTorch).
    """
    centred = x - x.sum(axis=axis, keepdims=True) * (1 / _count(x, axis))
    return (centred * centred).sum(axis=axis, keepdims=keepdims) * (1 / (_count(x, axis) - correction))


def std(x: Any, axis: Axis = None, keepdims: bool = False, correction: int = 0, **pytorch: Any) -> Any:
    """Standard deviation, the root of `var`; its derivative where all numbers are equal is taken as 0."""
    return sqrt(var(x, axis, keepdims, correction, **pytorch))


def norm(x: Any, p: float = 2, axis: Axis = None, keepdims: bool = False, **pytorch: Any) -> Any:
    """Euclidean norm, the root of the sum of squares (p = 2); its derivative at 0 is taken as 0."""
    checks.one_of("p", float(p), (2.0,))
    return sqrt(sum(square(x), axis, keepdims, **pytorch))


def argmax(
    x: Any, axis: int | None = None, keepdims: bool = False, *, dim: int | None = None, keepdim: bool = False
) -> Array:
    """Where the largest number stands along an axis (or in the flattened array), the first of ties; raw."""
    axis = axis if dim is None else dim
    place = None if axis is None else axes_of(x.ndim, axis)[0]
    return np.argmax(raw(x), axis=place, keepdims=keepdims or keepdim)


def _share_of_ties(g: Any, y: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    tied = (raw(x) == _spread(raw(y), axis, keepdims)).astype(x.dtype)
    return _spread(g, axis, keepdims) * (tied / np.sum(tied, axis=axis, keepdims=True))  # (max-vjp)


@primitive(_share_of_ties, canonical=_of_some)
def max(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Maximum; where several numbers tie they share the derivative equally (so that it sums to ``g``)."""
    return x.max(axis=axis, keepdims=keepdims)


@primitive(_share_of_ties, canonical=_of_some)
def min(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Minimum; ties share the derivative equally."""
    return x.min(axis=axis, keepdims=keepdims)


def _softmax_share(g: Any, y: Any, x: Any, axis: tuple[int, ...], keepdims: bool) -> Any:
    # For x = y = -inf the difference would be NaN; a finite stand-in for y makes the share exp(-inf) = 0.
    y = _spread(y, axis, keepdims)
    empty = raw(y) == -np.inf
    return _spread(g, axis, keepdims) * exp(x - where(empty, 0, y))  # (log-sum-exp-vjp)


@primitive(_softmax_share, canonical=reduction)
def logsumexp(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """log of the sum of e^x, without overflow.

    ::

        log sum_i e^x_i = m + log sum_i e^(x_i - m),     m = max_i x_i                      (log-sum-exp)

    Where all x are -inf it is -inf, and its derivative 0.
    """
    if _count(x, axis) == 0:
        return np.sum(x, axis=axis, keepdims=keepdims) - np.inf
    largest = np.max(x, axis=axis, keepdims=True)
    largest = np.where(np.isfinite(largest), largest, 0)
    with np.errstate(divide="ignore"):  # log 0 = -inf, where all x are -inf
        total = np.log(np.sum(np.exp(x - largest), axis=axis, keepdims=True)) + largest  # (log-sum-exp)
    return total if keepdims else total.reshape([n for a, n in enumerate(x.shape) if a not in axis])


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
    before = concatenate(one, _running_product(rows[..., :-1]), axis=-1)
    after = flip(concatenate(one, _running_product(flip(rows[..., 1:], -1)), axis=-1), -1)
    others_of_each = (before * after).reshape(moved.shape)  # (product-of-others)
    return others_of_each.transpose(tuple(int(a) for a in np.argsort(order)))


def _running_product(rows: Any) -> Any:
    """The product of each number with all before it along the last axis; each pass doubles its reach."""
    reach, n = 1, rows.shape[-1]
    while reach < n:
        head, tail, shifted = (rows[s] for s in (np.s_[..., :reach], np.s_[..., reach:], np.s_[..., :-reach]))
        rows = concatenate(head, tail * shifted, axis=-1)
        reach *= 2
    return rows


@primitive(
    lambda g, y, x, axis, keepdims: _spread(g, axis, keepdims) * _product_of_others(x, axis),
    canonical=reduction,
)
def prod(x: Array, *, axis: tuple[int, ...], keepdims: bool) -> Array:
    """Product over the given axes; its derivatives are right also where factors are zero."""
    return np.prod(x, axis=axis, keepdims=keepdims)


@primitive(
    lambda g, y, x, axis: flip(cumsum(flip(g, axis), axis), axis),  # (running-sum-vjp)
    canonical=along_axis,
)
def cumsum(x: Array, *, axis: int) -> Array:
    """Running sum along one axis: ``y_i = x_1 + ... + x_i``.

    ::

        share of x_j = g_j + g_(j+1) + ... + g_n                                           (running-sum-vjp)
    """
    return np.cumsum(x, axis=axis)
