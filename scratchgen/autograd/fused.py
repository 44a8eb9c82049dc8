"""Fused forms: functions whose plain composition would overflow, lose digits or waste passes over memory.

Each is one primitive with its own derivative; the tests hold every one against its plain twin.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import Array, checks
from ..backend.compiled import compiled
from .elementwise import erf, exp, sigmoid
from .primitive import primitive
from .shapes import along_axis, broadcast_to, expand
from .tensor import raw


@primitive(lambda g, y, x: relu_share(g, raw(x)))
@compiled
def relu(x: Array) -> Array:
    """Rectifier: max(x, 0), equation relu; its derivative at 0 is taken as 0."""
    return np.maximum(x, 0)  # (relu)


@compiled
def relu_share(g: Any, x: Array) -> Any:
    """``g relu'(x)``."""
    return g * (x > 0)  # (relu)


def _slope(x: Any, negative_slope: float = 0.01) -> tuple[tuple[Any], dict[str, Any]]:
    return (checks.floating("x", x),), {"negative_slope": checks.number("negative_slope", negative_slope)}


@primitive(
    lambda g, y, x, negative_slope: leaky_relu_share(g, raw(x), float(negative_slope)), canonical=_slope
)
@compiled
def leaky_relu(x: Array, *, negative_slope: float) -> Array:
    """x where x > 0, else ``negative_slope * x``; its derivative at 0 is `negative_slope`."""
    return np.where(x > 0, x, negative_slope * x)  # (leaky-relu)


@compiled
def leaky_relu_share(g: Any, x: Array, negative_slope: float) -> Any:
    """``g leaky_relu'(x)``."""
    return g * np.where(x > 0, np.ones_like(x), negative_slope)  # (leaky-relu)


def _floating(x: Any) -> tuple[tuple[Any], dict[str, Any]]:
    return (checks.floating("x", x),), {}


@primitive(lambda g, y, x: silu_share(g, x), canonical=_floating)
@compiled
def silu(x: Array) -> Array:
    """Sigmoid-weighted linear unit (Elfwing et al. 2017).

    ::

        silu(x) = x s(x),     silu'(x) = s(x) (1 + x (1 - s(x))),     s the sigmoid                (silu)
    """
    return x * sigmoid(x)  # (silu)


@compiled
def silu_share(g: Any, x: Any) -> Any:
    """``g silu'(x)``, of arrays or Tensors."""
    s = sigmoid(x)
    return g * s * (1 + x * (1 - s))  # (silu)


@primitive(lambda g, y, x: gelu_share(g, x), canonical=_floating)
@compiled
def gelu(x: Array) -> Array:
    """Gaussian error linear unit (Hendrycks & Gimpel 2016, section 2), with the exact Phi.

    ::

        gelu(x) = x Phi(x) = x (1 + erf(x / sqrt 2)) / 2,     gelu'(x) = Phi(x) + x N(x; 0, 1)      (gelu)
    """
    return x * _below(x)  # (gelu)


@compiled
def gelu_share(g: Any, x: Any) -> Any:
    """``g gelu'(x)``, of arrays or Tensors."""
    return g * (_below(x) + x * exp(-0.5 * x * x) * (1 / math.sqrt(2 * math.pi)))  # (gelu)


def _below(x: Any) -> Any:
    """Phi(x), the probability that a standard normal number is below x."""
    return (1 + erf(x * math.sqrt(0.5))) * 0.5  # (gelu)


@primitive(lambda g, y, x: g * sigmoid(x))
@compiled
def softplus(x: Array) -> Array:
    """Smooth rectifier, computed by a form that never overflows.

    ::

        log(1 + e^x) = max(x, 0) + log(1 + e^-|x|),     its derivative is s(x)             (softplus)
    """
    return np.maximum(x, 0) + np.log1p(np.exp(-np.abs(x)))  # (softplus)


@primitive(
    lambda g, y, x, axis: y * (g - (g * y).sum(axis=axis, keepdims=True)),  # (softmax-vjp)
    canonical=along_axis,
)
def softmax(x: Array, *, axis: int) -> Array:
    """e^x divided by its sum along an axis (the last by default): positive numbers that sum to one.

    ::

        y_j = e^x_j / sum_i e^x_i                                                           (softmax)
        share of x_j = y_j (g_j - sum_i g_i y_i)                                        (softmax-vjp)
    """
    y = np.exp(x - np.max(x, axis=axis, keepdims=True))  # (softmax)
    y /= np.sum(y, axis=axis, keepdims=True)  # (softmax)
    return y


@primitive(
    lambda g, y, x, axis: g - exp(y) * g.sum(axis=axis, keepdims=True),  # (log-softmax-vjp)
    canonical=along_axis,
)
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
    size = np.abs(logits)
    return size / 2 + logits * (0.5 - target) + np.log1p(np.exp(-size))  # (binary-cross-entropy)


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
@compiled
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
    size = np.abs(logits)
    losses = size / 2 + logits * (0.5 - target) + np.log1p(np.exp(-size))  # (binary-cross-entropy)
    return losses.sum(axis=tuple(range(leading, logits.ndim)))


def _beside(g: Any, x: Any) -> Any:
    """One number for each example, with axes of length one for the example's dimensions."""
    return expand(g, tuple(range(g.ndim, x.ndim)))


@primitive(
    lambda u, y, g, logits, target: u * (sigmoid(logits) - target),
    lambda u, y, g, logits, target: u * g * sigmoid(logits) * sigmoid(-logits),
    lambda u, y, g, logits, target: -u * g,
    broadcasts=True,
)
@compiled
def binary_cross_entropy_slope(g: Array, logits: Array, target: Array) -> Array:
    """The cross-entropy's vjp with respect to the logits.

    ::

        share of l = g (s(l) - t)                                               (binary-cross-entropy-slope)
    """
    return g * (sigmoid(logits) - target)  # (binary-cross-entropy-slope)
