"""Elementwise operations: each acts on every number by itself, so its vjp is ``g`` times its derivative.

Arguments of two-argument operations broadcast; the backward loop sums the shares of repeated elements.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import Array, asarray, checks, erf as backend_erf
from ..backend.compiled import compiled
from .primitive import primitive
from .tensor import raw


@primitive(lambda g, y, a, b: g, lambda g, y, a, b: g, broadcasts=True)
@compiled
def add(a: Array, b: Array) -> Array:
    """Sum: a + b."""
    return a + b


@primitive(lambda g, y, a, b: g, lambda g, y, a, b: -g, broadcasts=True)
def sub(a: Array, b: Array) -> Array:
    """Difference: a - b."""
    return a - b


@primitive(
    lambda g, y, a, b: g * b,  # (product-vjp)
    lambda g, y, a, b: g * a,  # (product-vjp)
    broadcasts=True,
)
@compiled
def mul(a: Array, b: Array) -> Array:
    """Product: a b; the shares are ``g b`` and ``g a``, equation product-vjp."""
    return a * b


@primitive(
    lambda g, y, a, b: g / b,  # (quotient-vjp)
    lambda g, y, a, b: -g * y / b,  # (quotient-vjp)
    broadcasts=True,
)
def div(a: Array, b: Array) -> Array:
    """Quotient: a / b; the shares are ``g / b`` and ``-g y / b``, equation quotient-vjp."""
    return a / b


@primitive(lambda g, y, x: -g)
def neg(x: Array) -> Array:
    """Negative: -x."""
    return -x


@primitive(
    lambda g, y, a, b: g * _slope(a, b),  # (power-vjp)
    lambda g, y, a, b: g * _slope_by_exponent(y, a),  # (power-vjp)
    broadcasts=True,
)
def pow(a: Array, b: Array) -> Array:
    """Power: a^b.

    a^0 = 1 for every a, 0 included. The derivative with respect to the exponent is taken as 0 where a <= 0:
    at a = 0 that is its limit for b > 0, and elsewhere it does not exist.
    """
    return a**b


def _slope(a: Any, b: Any) -> Any:
    """d a^b / da = b a^(b-1), and 0 where b = 0 even at a = 0."""
    if isinstance(b, int | float):
        return b * a ** (b - 1) if b else 0.0  # (power-vjp)
    return b * a ** where((raw(a) == 0) & (raw(b) == 0), 1, b - 1)


def _slope_by_exponent(y: Any, a: Any) -> Any:
    """d a^b / db = a^b log a, and 0 where a <= 0; there y may be infinite, at a = 0 with b < 0."""
    return where(raw(a) > 0, y, 0) * _log_base(a)


def _log_base(a: Any) -> Any:
    """log a where a > 0, else 0."""
    if isinstance(a, int | float):
        return math.log(a) if a > 0 else 0.0
    return log(where(raw(a) > 0, a, 1))


@primitive(lambda g, y, x: g * y)  # (exp-log-slopes)
def exp(x: Array) -> Array:
    """Exponential: e^x."""
    return np.exp(x)


@primitive(lambda g, y, x: g * (y + 1))
def expm1(x: Array) -> Array:
    """e^x - 1, accurate near 0."""
    return np.expm1(x)


@primitive(lambda g, y, x: g / x)  # (exp-log-slopes)
def log(x: Array) -> Array:
    """Natural logarithm: log x."""
    return np.log(x)


@primitive(lambda g, y, x: g / (1 + x))
def log1p(x: Array) -> Array:
    """log(1 + x), accurate near 0."""
    return np.log1p(x)


@primitive(lambda g, y, x: g * _slope_of_root(y, raw(x) == 0))  # (root-slope)
def sqrt(x: Array) -> Array:
    """Square root. Its derivative at 0, which is infinite, is taken as 0 (a subgradient of the norm)."""
    return np.sqrt(x)


def _slope_of_root(y: Any, at_zero: Array) -> Any:
    """1 / (2 y), and 0 at 0."""
    return where(at_zero, 0, 0.5 / where(at_zero, 1, y))


@primitive(lambda g, y, x: g * (2 * x))
def square(x: Array) -> Array:
    """Square: x^2."""
    return x * x


@primitive(lambda g, y, x: g * np.sign(raw(x)))
def abs(x: Array) -> Array:
    """Absolute value; its derivative at 0 is taken as 0."""
    return np.abs(x)


@primitive(lambda g, y, x: g * cos(x))
def sin(x: Array) -> Array:
    """Sine."""
    return np.sin(x)


@primitive(lambda g, y, x: -g * sin(x))
def cos(x: Array) -> Array:
    """Cosine."""
    return np.cos(x)


@primitive(lambda g, y, x: g * (1 - y * y))  # (tanh-slope)
@compiled
def tanh(x: Array) -> Array:
    """Hyperbolic tangent; its slope is ``1 - y^2``, equation tanh-slope."""
    return np.tanh(x)


@primitive(lambda g, y, x: g * y * (1 - y))  # (sigmoid-slope)
@compiled
def sigmoid(x: Array) -> Array:
    """Logistic function: 1 / (1 + e^-x); its slope is ``y (1 - y)``, equation sigmoid-slope."""
    with np.errstate(over="ignore"):  # e^-x = inf gives 1 / inf = 0, the right limit
        return 1 / (1 + np.exp(-x))


@primitive(lambda g, y, x: g * exp(-x * x) * (2 / math.sqrt(math.pi)))  # (erf-slope)
def erf(x: Array) -> Array:
    """Error function: 2 / sqrt(pi) times the integral of e^(-t^2) from 0 to x."""
    return backend_erf(x)


@primitive(
    lambda g, y, a, b: g * _share(raw(a), raw(b), raw(g)),
    lambda g, y, a, b: g * _share(raw(b), raw(a), raw(g)),
    broadcasts=True,
)
def maximum(a: Array, b: Array) -> Array:
    """The larger of two; where they are equal each takes half of the derivative."""
    return np.maximum(a, b)


@primitive(
    lambda g, y, a, b: g * _share(raw(b), raw(a), raw(g)),
    lambda g, y, a, b: g * _share(raw(a), raw(b), raw(g)),
    broadcasts=True,
)
def minimum(a: Array, b: Array) -> Array:
    """The smaller of two; where they are equal each takes half of the derivative."""
    return np.minimum(a, b)


def _share(winner: Any, loser: Any, like: Array) -> Array:
    """1 where `winner` is greater, 1/2 where they are equal, else 0; in the dtype of `like`."""
    return ((winner > loser).astype(like.dtype) + (winner >= loser).astype(like.dtype)) / 2  # (max-vjp)


def _bounds(x: Any, low: float | None = None, high: float | None = None) -> tuple[tuple[Any], dict[str, Any]]:
    return (checks.array("x", x),), {
        "low": -math.inf if low is None else low,
        "high": math.inf if high is None else high,
    }


@primitive(lambda g, y, x, low, high: g * ((raw(x) >= low) & (raw(x) <= high)), canonical=_bounds)
def clip(x: Array, *, low: float, high: float) -> Array:
    """`x` held within ``[low, high]``; the derivative is 1 inside and at the bounds, 0 outside."""
    return np.clip(x, low, high)


def _branches(*call: Any, condition: Any = None) -> tuple[tuple[Any, Any], dict[str, Any]]:
    """The condition, which comes first in a user's call, is no variable."""
    condition, a, b = call if condition is None else (condition, *call)
    if getattr(condition, "requires_grad", False):
        raise TypeError("condition: got a variable, expected truth values such as x > 0 (see Tensor.detach)")
    condition = raw(condition)
    return (a, b), {
        "condition": asarray(condition) if isinstance(condition, np.bool | bool | list) else condition
    }


@primitive(
    lambda g, y, a, b, condition: where(condition, g, 0),
    lambda g, y, a, b, condition: where(condition, 0, g),
    canonical=_branches,
    broadcasts=True,
)
def where(a: Array, b: Array, *, condition: Array) -> Array:
    """`a` where the condition (an array of truth values) holds, else `b`: ``where(condition, a, b)``.

    The branch not taken gets exactly 0 for its share; a NaN of its own derivative (0 times infinity) is kept
    out only if its argument is made harmless first, as in ``where(x > 0, log(where(x > 0, x, 1)), 0)``.
    """
    return np.where(condition, a, b)


def _type(x: Any, dtype: Any) -> tuple[tuple[Any], dict[str, Any]]:
    return (checks.array("x", x),), {"dtype": dtype}


@primitive(lambda g, y, x, dtype: g.astype(x.dtype), canonical=_type, casts=True)
def astype(x: Array, *, dtype: Any) -> Array:
    """The same numbers in another floating-point type."""
    return x.astype(dtype)
