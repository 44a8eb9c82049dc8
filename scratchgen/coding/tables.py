"""Functions as tables of whole numbers, the same on every machine.

Two computers, or one computer with another number of threads, round a float differently, and a coder that
is off by one slot decodes noise. So nothing between image and file is rounded by a processor's taste: here
each function stands at many points as a whole number, computed by Python's `decimal`, whose results are
defined to the last digit.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import ROUND_FLOOR, Context, Decimal, localcontext
from functools import cache

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int64]

ONE = 2**16
"""What stands for 1 in a network: numbers are whole multiples of 2^-16."""
FINE = 2**24
"""What stands for 1 in the values of the tables."""


def tabulated(f: Callable[[Decimal], Decimal], low: int, high: int, per_unit: int, one: int) -> Integers:
    """`f` in the middle of each step of 1 / per_unit from `low` to `high`, in multiples of 1 / one."""
    with localcontext(Context(prec=30)):
        points = range(low * per_unit, high * per_unit)
        values = [f((Decimal(i) + Decimal("0.5")) / per_unit) * one for i in points]
        return np.array([int((v + Decimal("0.5")).to_integral_value(ROUND_FLOOR)) for v in values], np.int64)


def looked_up(table: Integers, x: Integers, low: int, per_unit: int) -> Integers:
    """The table's value at numbers in multiples of 2^-16; beyond its ends, that at the end."""
    step = ONE // per_unit
    return table[np.clip(x // step - low * per_unit, 0, len(table) - 1)]


@cache
def _sigmoid() -> Integers:
    return tabulated(lambda x: 1 / (1 + (-x).exp()), -16, 16, 512, FINE)


@cache
def _exponential() -> Integers:
    return tabulated(lambda x: x.exp(), -16, 0, 1024, FINE)


@cache
def _inverse_sigma() -> Integers:
    return tabulated(lambda x: (-x / 2).exp(), -16, 16, 256, ONE)


@cache
def _logarithm() -> Integers:
    """Of 1 to 2."""
    return tabulated(lambda x: x.ln(), 1, 2, 4096, ONE)


@cache
def _normal() -> Integers:
    """The distribution function of N(0, 1) at -8, -8 + 1/1024, .. 8: Simpson's rule, added up."""
    with localcontext(Context(prec=30)):
        half, scale = 8 * 1024, 1 / (2 * Decimal("3.14159265358979323846264338328")).sqrt()
        density = [(-((Decimal(i) / 2048) ** 2) / 2).exp() * scale for i in range(-2 * half, 2 * half + 1)]
        total, sums = Decimal(0), [Decimal(0)]
        for i in range(0, 4 * half, 2):
            total += (density[i] + 4 * density[i + 1] + density[i + 2]) / (6 * 1024)
            sums.append(total)
        scaled = [s / total * FINE + Decimal("0.5") for s in sums]
        return np.array([int(s.to_integral_value(ROUND_FLOOR)) for s in scaled], np.int64)


def sigmoid(x: Integers) -> Integers:
    """1 / (1 + exp(-x)) in multiples of 2^-24, of multiples of 2^-16."""
    return looked_up(_sigmoid(), x, -16, 512)


def tanh(x: Integers) -> Integers:
    """2 sigmoid(2 x) - 1, both in multiples of 2^-16."""
    return (2 * sigmoid(2 * x) - FINE) // (FINE // ONE)


def exponential(x: Integers) -> Integers:
    """exp(x) of numbers at most 0, in multiples of 2^-24, of multiples of 2^-16."""
    return looked_up(_exponential(), x, -16, 1024)


def inverse_sigma(log_var: Integers) -> Integers:
    """exp(-log_var / 2), both in multiples of 2^-16."""
    return looked_up(_inverse_sigma(), log_var, -16, 256)


def logarithm(n: Integers) -> Integers:
    """log(n) of positive whole numbers below 2^52, in multiples of 2^-16."""
    mantissa, exponent = np.frexp(n.astype(np.float64))  # n = mantissa 2^exponent, exactly; mantissa >= 1/2
    of_two = 45426  # log 2
    steps = ((2 * mantissa - 1) * 4096).astype(np.int64)
    return _logarithm()[steps] + (exponent.astype(np.int64) - 1) * of_two


def normal_distribution(t: Integers) -> Integers:
    """Phi(t) in multiples of 2^-24, of multiples of 2^-16, on a straight line between the table's points."""
    t = np.clip(t + 8 * ONE, 0, 16 * ONE)
    i, rest = np.divmod(t, 64)
    table = _normal()
    return table[i] + (table[np.minimum(i + 1, len(table) - 1)] - table[i]) * rest // 64


@cache
def normal_quantiles(bits: int) -> Integers:
    """Where N(0, 1) has k / 2^bits of its mass below, for k = 0 .. 2^bits, in multiples of 2^-16."""
    table, wanted = _normal(), np.arange(2**bits + 1, dtype=np.int64) * (FINE >> bits)
    i = np.clip(np.searchsorted(table, wanted, side="right") - 1, 0, len(table) - 2)
    width = np.maximum(table[i + 1] - table[i], 1)
    return (64 * i + (wanted - table[i]) * 64 // width) - 8 * ONE
