"""Loops of elementwise operations: one pass, in the arrays' own layout."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend.compiled import loop
from ...backend.threads import parallel_slices
from ..elementwise import LARGE, SLICE, mapped
from ..maths import sigmoid as sigmoid_of, tanh as tanh_of


def add(a: Any, b: Any) -> Any:
    if not _suits(a, b):
        return NotImplemented
    return mapped(sums, a, b)


def mul(a: Any, b: Any) -> Any:
    if not _suits(a, b):
        return NotImplemented
    return mapped(products, a, b)


def _suits(a: Any, b: Any) -> bool:
    """Whether two large arrays are of one shape."""
    return isinstance(a, np.ndarray) and isinstance(b, np.ndarray) and a.size > LARGE and a.shape == b.shape


def sigmoid(x: np.ndarray) -> Any:
    return mapped(sigmoids, x)


def tanh(x: np.ndarray) -> Any:
    return mapped(tanhs, x)


@loop
def sums(a, b, _, y):
    parallel_slices(sums_slice, 2 * SLICE, (a, b, y))


@loop
def sums_slice(a, b, y):
    for i in range(a.size):
        y[i] = a[i] + b[i]


@loop
def products(a, b, _, y):
    parallel_slices(products_slice, 2 * SLICE, (a, b, y))


@loop
def products_slice(a, b, y):
    for i in range(a.size):
        y[i] = a[i] * b[i]


@loop
def sigmoids(x, _, y):
    parallel_slices(sigmoids_slice, SLICE, (x, y))


@loop
def sigmoids_slice(x, y):
    for i in range(x.size):
        y[i] = sigmoid_of(x[i])


@loop
def tanhs(x, _, y):
    parallel_slices(tanhs_slice, SLICE, (x, y))


@loop
def tanhs_slice(x, y):
    for i in range(x.size):
        y[i] = tanh_of(x[i])
