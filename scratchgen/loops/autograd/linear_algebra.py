"""Products of matrices, by the one loop for them."""

from __future__ import annotations

from ...backend import blas
from ..products import NO_BIAS, product

TINY = 1 << 14  # multiplications, up to which calling a loop takes longer than NumPy's product by one thread


def matrix_product(a, b):
    if a.ndim != 2 or b.ndim != 2 or a.size * b.shape[1] < TINY or not blas.USABLE:
        return NotImplemented
    return product(a, b)


def linear(x, weight, bias=None):
    if x.size * len(weight) < TINY or not blas.USABLE:
        return NotImplemented
    y = product(x.reshape(-1, x.shape[-1]), weight.T, NO_BIAS if bias is None else bias)
    return y.reshape(*x.shape[:-1], len(weight))
