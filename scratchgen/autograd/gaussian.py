"""The normal distribution's tail on a logarithmic scale, where it neither underflows nor loses digits."""

from __future__ import annotations

import math

import numpy as np

from ..backend import Array, erfcx
from .primitive import primitive

ROOT_HALF = math.sqrt(0.5)


@primitive(lambda g, y, x: g * inverse_mills(x))  # (inverse-mills)
def log_ndtr(x: Array) -> Array:
    """Logarithm of the normal distribution function, log Phi(x) = log P(N(0, 1) < x).

    Phi(x) = (1 + erf(x / sqrt 2)) / 2 is 0 in float32 from x = -14 on, and has no digits left long before.
    With ``erfcx(u) = exp(u^2) (1 - erf(u))`` the decay is taken out of the logarithm:

        log Phi(x)  =  log(erfcx(-x / sqrt 2) / 2) - x^2 / 2   for x < 0,  else  log(1 - Phi(-x))
                                                                                            (log-normal-tail)
    """
    scaled = 0.5 * erfcx(np.abs(x) * ROOT_HALF)  # (log-normal-tail)
    exponent = -0.5 * x * x  # (log-normal-tail)
    left, right = np.log(scaled) + exponent, np.log1p(-scaled * np.exp(exponent))  # (log-normal-tail)
    return np.where(x < 0, left, right)


@primitive(lambda g, y, x: -g * y * (x + y))  # (inverse-mills)
def inverse_mills(x: Array) -> Array:
    """phi(x) / Phi(x), the derivative of log Phi: about -x far to the left, and 0 far to the right."""
    with np.errstate(over="ignore"):  # erfcx = inf gives 0, the right limit
        return math.sqrt(2 / math.pi) / erfcx(x * -ROOT_HALF)  # (inverse-mills)
