"""Functions of one float32 number that a loop can vectorise: polynomials, which a library's are not.

Coefficients from Cephes (``expf``, ``logf``) and Eigen (``erf``). Errors are a few units in the last place
over the whole range; NaN and infinity give what the functions give there.
"""

from __future__ import annotations

import math

import numpy as np
from numba import njit

f32 = np.float32
inline = njit(inline="always", error_model="numpy")


@inline
def exp(x):
    """e^x: the exponent of 2 set by bits, the rest a polynomial.

    Below about -103.3 it is 0, from 88.722839 on infinity, as rounding to float32 has it.
    """
    held = min(max(x, f32(-104)), f32(89))  # NaN stays NaN below, where x itself comes in
    n = np.floor(held * f32(1.44269504) + f32(0.5))
    r = held - n * f32(0.693359375) + n * f32(2.12194440e-4)
    p = f32(1.9875691500e-4)
    p = p * r + f32(1.3981999507e-3)
    p = p * r + f32(8.3334519073e-3)
    p = p * r + f32(4.1665795894e-2)
    p = p * r + f32(1.6666665459e-1)
    p = p * r + f32(5.0000001201e-1)
    p = p * r * r + r + f32(1)
    # n is added to the exponent; what would leave the normal numbers follows as a factor.
    k = np.int32(n)
    normal = max(k, np.int32(-125))
    y = np.int32(f32(p).view(np.int32) + (normal << 23)).view(np.float32)
    y *= np.int32((k - normal + 127) << 23).view(np.float32)
    y = f32(np.inf) if x >= f32(88.722839) else y
    return y if x == x else x


@inline
def normal(x):
    """x, and 0 for a denormal number: many times as slow, and no mean that decays ever gets below it."""
    return f32(0) if abs(x) < f32(1.17549435e-38) else x


@inline
def sigmoid(x):
    """1 / (1 + e^-x)."""
    return f32(1) / (f32(1) + exp(-x))


@inline
def tanh(x):
    """(1 - e) / (1 + e) with e = e^(-2 |x|), and near 0 an odd polynomial."""
    a = abs(x)
    e = exp(f32(-2) * a)
    far = (f32(1) - e) / (f32(1) + e)
    z = x * x
    p = f32(-5.70498872745e-3)
    p = p * z + f32(2.06390887954e-2)
    p = p * z + f32(-5.37397155531e-2)
    p = p * z + f32(1.33314422036e-1)
    p = p * z + f32(-3.33332819422e-1)
    near = p * z * x + x
    if a < f32(0.625):
        return near
    return far if x > f32(0) else -far


@inline
def erf(x):
    """An odd polynomial over an even one, both times 64 lest they underflow; beyond 3.92 it rounds to 1."""
    z = x * x
    p = f32(64 * -2.72614225801306e-10)
    p = p * z + f32(64 * 2.77068142495902e-08)
    p = p * z + f32(64 * -2.10102402082508e-06)
    p = p * z + f32(64 * -5.69250639462346e-05)
    p = p * z + f32(64 * -7.34990630326855e-04)
    p = p * z + f32(64 * -2.95459980854025e-03)
    p = p * z + f32(64 * -1.60960333262415e-02)
    q = f32(64 * -1.45660718464996e-05)
    q = q * z + f32(64 * -2.13374055278905e-04)
    q = q * z + f32(64 * -1.68282697438203e-03)
    q = q * z + f32(64 * -7.37332916720468e-03)
    q = q * z + f32(64 * -1.42647390514189e-02)
    near = x * p / q
    far = f32(1) if x > f32(0) else f32(-1)
    return far if abs(x) > f32(3.92) else near  # NaN is not


@inline
def below(x):
    """(1 + erf(x / sqrt 2)) / 2."""
    return f32(0.5) * (f32(1) + erf(x * f32(math.sqrt(0.5))))


@inline
def log1p01(e):
    """log(1 + e) for e in [0, 1], of (1 + e) / 2 where e is large."""
    big = e > f32(0.41421356)
    x = f32(0.5) * e - f32(0.5) if big else e
    z = x * x
    p = f32(7.0376836292e-2)
    p = p * x + f32(-1.1514610310e-1)
    p = p * x + f32(1.1676998740e-1)
    p = p * x + f32(-1.2420140846e-1)
    p = p * x + f32(1.4249322787e-1)
    p = p * x + f32(-1.6668057665e-1)
    p = p * x + f32(2.0000714765e-1)
    p = p * x + f32(-2.4999993993e-1)
    p = p * x + f32(3.3333331174e-1)
    y = p * x * z - f32(0.5) * z + x
    return y + f32(math.log(2)) if big else y


@inline
def softplus(x):
    """max(x, 0) + log(1 + e^-|x|)."""
    return max(x, f32(0)) + log1p01(exp(-abs(x)))
