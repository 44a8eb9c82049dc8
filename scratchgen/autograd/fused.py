"""Fused forms: functions whose plain composition would overflow, lose digits or waste passes over memory.

Each is one primitive with its own derivative; the tests hold every one against its plain twin.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..backend import Array, blockwise, checks, rowwise
from .elementwise import exp, sigmoid
from .primitive import primitive
from .shapes import along_axis, broadcast_to, expand
from .tensor import raw


@primitive(lambda g, y, x: g * (raw(x) > 0))
def relu(x: Array) -> Array:
    """Rectifier: max(x, 0); its derivative at 0 is taken as 0."""
    # NumPy's maximum is four times faster against a row of zeros than against the number 0.
    return np.maximum(x, np.zeros_like(x, shape=x.shape[-1:]))


def _slope(x: Any, negative_slope: float = 0.01) -> tuple[tuple[Any], dict[str, Any]]:
    return (checks.floating("x", x),), {"negative_slope": checks.number("negative_slope", negative_slope)}


@primitive(lambda g, y, x, negative_slope: g * _leaky_slope(raw(x), negative_slope), canonical=_slope)
def leaky_relu(x: Array, *, negative_slope: float) -> Array:
    """x where x > 0, else ``negative_slope * x``; its derivative at 0 is `negative_slope`."""
    if 0 < negative_slope <= 1:  # the larger of the two
        return np.maximum(x, x * negative_slope)
    return x * _leaky_slope(x, negative_slope)


def _leaky_slope(x: Array, negative_slope: float) -> Array:
    """1 where x > 0, else `negative_slope`."""
    slope = np.multiply(x > 0, 1 - negative_slope, dtype=x.dtype)  # five times faster than np.where
    slope += negative_slope
    return slope


@primitive(lambda g, y, x: g * sigmoid(x))
def softplus(x: Array) -> Array:
    """Smooth rectifier, computed by a form that never overflows.

    ::

        log(1 + e^x) = max(x, 0) + log(1 + e^-|x|),     its derivative is s(x)             (softplus)
    """
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))


@primitive(lambda g, y, x, axis: y * (g - (g * y).sum(axis=axis, keepdims=True)), canonical=along_axis)
def softmax(x: Array, *, axis: int) -> Array:
    """e^x divided by its sum along an axis (the last by default): positive numbers that sum to one.

    ::

        y = softmax(x):     share of x_j = y_j (g_j - sum_i g_i y_i)                    (softmax-vjp)
    """
    y = np.exp(x - np.max(x, axis=axis, keepdims=True))
    y /= np.sum(y, axis=axis, keepdims=True)
    return y


@primitive(lambda g, y, x, axis: g - exp(y) * g.sum(axis=axis, keepdims=True), canonical=along_axis)
def log_softmax(x: Array, *, axis: int) -> Array:
    """log of `softmax`, computed as x - logsumexp(x) so that no probability underflows."""
    y = x - np.max(x, axis=axis, keepdims=True)
    y -= np.log(np.sum(np.exp(y), axis=axis, keepdims=True))
    return y


@primitive(
    lambda g, y, logits, target: binary_cross_entropy_slope(g, logits, target),
    lambda g, y, logits, target: -g * logits,
    broadcasts=True,
)
def binary_cross_entropy(logits: Array, target: Array) -> Array:
    """Elementwise -log Bernoulli(target | sigmoid(logits)), in nats.

    ::

        -t log s(l) - (1 - t) log(1 - s(l)) = |l|/2 + l (1/2 - t) + log(1 + e^-|l|)  (binary-cross-entropy)

    The right-hand side needs no clipped probability: it is finite, with an exact derivative s(l) - t, for
    every finite logit. Targets between 0 and 1 are allowed (a cross-entropy then, not a likelihood).
    """
    return blockwise(_cross_entropy_block, *_one_shape(logits, target))


def _cross_entropy_block(logits: Array, target: Array, out: Array) -> None:
    np.abs(logits, out=out)
    e = np.negative(out, out=np.empty_like(out))
    np.exp(e, out=e)
    e += 1  # log(1 + e) is vectorised, log1p(e) is not; they differ by 6e-8 at most in float32
    np.log(e, out=e)
    out *= 0.5
    out += e
    np.subtract(0.5, target, out=e)
    e *= logits
    out += e


def _summed(logits: Any, target: Any, leading: int = 1) -> tuple[tuple[Any, Any], dict[str, Any]]:
    if not 1 <= leading <= logits.ndim:
        raise ValueError(
            f"leading: got {leading}, expected 1 .. {logits.ndim} for logits of shape {logits.shape}"
        )
    target = target if target.shape == logits.shape else broadcast_to(target, logits.shape)
    return (logits, target), {"leading": leading}


@primitive(
    lambda g, y, logits, target, leading: binary_cross_entropy_slope(_beside(g, logits), logits, target),
    lambda g, y, logits, target, leading: -_beside(g, logits) * logits,
    canonical=_summed,
)
def binary_cross_entropy_sum(logits: Array, target: Array, *, leading: int) -> Array:
    """`binary_cross_entropy` added up over all axes but the first `leading` ones: nats per example.

    Parameters
    ----------
    logits : shape (*examples, *dimensions)
    target : of a shape that broadcasts to that of the logits
    leading : int
        How many axes count examples, at least 1 (the default).

    Returns
    -------
    shape (*examples,)
    """
    shape = (*logits.shape[:leading], math.prod(logits.shape[leading:]))
    return rowwise(_cross_entropy_rows, logits.reshape(shape), target.reshape(shape))


def _beside(g: Any, x: Any) -> Any:
    """One number for each example, with axes of length one for the example's dimensions."""
    return expand(g, tuple(range(g.ndim, x.ndim)))


def _cross_entropy_rows(logits: Array, target: Array, out: Array) -> None:
    magnitude = np.abs(logits)
    e = np.negative(magnitude)
    np.exp(e, out=e)
    e += 1
    # Logarithms add up to that of the product. Factors lie between 1 and 2, and 2^32 is no overflow; so the
    # halves of a row are multiplied, at most five times, before the logarithm of what is left: a pass saved.
    for _ in range(5):
        half, odd = divmod(e.shape[-1], 2)
        if odd or half == 0:
            break
        e = e[..., :half] * e[..., half:]
    linear = 0.5 - target
    linear *= logits
    magnitude *= 0.5
    linear += magnitude
    np.add(linear.sum(axis=-1), np.log(e).sum(axis=-1), out=out)


@primitive(
    lambda u, y, g, logits, target: u * (sigmoid(logits) - target),
    lambda u, y, g, logits, target: u * g * sigmoid(logits) * sigmoid(-logits),
    lambda u, y, g, logits, target: -u * g,
    broadcasts=True,
)
def binary_cross_entropy_slope(g: Array, logits: Array, target: Array) -> Array:
    """The cross-entropy's vjp with respect to the logits, in one pass.

    ::

        share of l = g (s(l) - t)                                               (binary-cross-entropy-slope)
    """
    return blockwise(_slope_block, *_one_shape(logits, target, g))


def _slope_block(logits: Array, target: Array, g: Array, out: Array) -> None:
    np.negative(logits, out=out)
    with np.errstate(over="ignore"):  # e^-l = inf gives s = 0, the right limit
        np.exp(out, out=out)
    out += 1
    np.divide(1, out, out=out)
    out -= target
    out *= g


def _one_shape(*arrays: Array) -> Sequence[Array]:
    """The arrays broadcast against each other (`np.broadcast_arrays` takes five times as long)."""
    shapes = {a.shape for a in arrays}
    if len(shapes) == 1:
        return arrays
    shape = np.broadcast_shapes(*shapes)
    return [a if a.shape == shape else np.broadcast_to(a, shape) for a in arrays]
