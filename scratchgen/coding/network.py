"""Networks in whole numbers: the same result on every machine, in any batch, with any number of threads.

Numbers stand as multiples of 2^-16, in float64, whose products and sums of whole numbers are exact below
2^53. Exact sums are the same in any order, so that BLAS may add as it likes:

    y = floor((W x + b 2^16) / 2^16),   W, x, b, y whole, in units of 2^-16               (fixed-point-linear)

All values are kept within +-128, and weights whose sums could pass 2^53 are refused.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backend import asnumpy
from ..networks import GaussianHeads
from ..nn import Dropout, Flatten, Identity, Linear, Module, ReLU, Sequential, Sigmoid, Tanh, Unflatten
from . import tables
from .tables import FINE, ONE

Integers = NDArray[np.int64]
Function = Callable[[Integers], Any]

LARGEST = 128 * ONE


def fixed(x: Any) -> Integers:
    """An array in multiples of 2^-16, rounded."""
    return np.rint(asnumpy(x).astype(np.float64) * ONE).astype(np.int64)


class FixedLinear:
    """An affine map of whole numbers, (n, in) -> (n, out).

    Parameters
    ----------
    weight : array, shape (out, in)
    bias : array, shape (out,)

    Examples
    --------
    >>> layer = FixedLinear(np.array([[0.5, -1.0]]), np.array([2.0]))
    >>> layer(fixed(np.array([[3.0, 1.0]]))) / ONE
    array([[2.5]])
    """

    def __init__(self, weight: Any, bias: Any) -> None:
        self.weight = fixed(weight).astype(np.float64)
        self.bias = fixed(bias).astype(np.float64) * ONE
        reach = np.abs(self.weight).sum(axis=1) * LARGEST + np.abs(self.bias)
        if not (reach < 2.0**53).all():
            raise ValueError(
                "model: got weights too large for whole numbers below 2^53, expected smaller ones"
            )

    def __call__(self, x: Integers) -> Integers:
        y = np.floor((x.astype(np.float64) @ self.weight.T + self.bias) / ONE)  # (fixed-point-linear)
        return np.clip(y, -LARGEST, LARGEST).astype(np.int64)


def function_of(module: Module) -> Function:
    """What a module computes, in whole numbers.

    Raises
    ------
    ValueError
        If a layer is none of those known here.
    """
    if isinstance(module, Sequential):
        parts = [function_of(part) for part in module]

        def in_turn(x: Integers) -> Any:
            for part in parts:
                x = part(x)
            return x

        return in_turn
    if isinstance(module, GaussianHeads):
        mean, log_var = function_of(module.mean), function_of(module.log_var)
        return lambda x: (mean(x), log_var(x))
    if isinstance(module, Linear):
        bias = np.zeros(module.weight.shape[0]) if module.bias is None else module.bias
        return FixedLinear(module.weight, bias)
    if isinstance(module, Unflatten):
        return lambda x: x.reshape((len(x), *module.unflattened_size))
    simple: dict[type, Function] = {
        Flatten: lambda x: x.reshape((len(x), -1)),
        ReLU: lambda x: np.maximum(x, 0),
        Tanh: tables.tanh,
        Sigmoid: lambda x: tables.sigmoid(x) // (FINE // ONE),
        Identity: lambda x: x,
        Dropout: lambda x: x,  # as in evaluation
    }
    if type(module) in simple:
        return simple[type(module)]
    raise ValueError(
        f"model: got a layer {type(module).__name__}, "
        "expected Linear, ReLU, Tanh, Sigmoid, Flatten or Unflatten"
    )
