"""Initialisation: how large a layer's first random weights are.

PyTorch's defaults: a layer with n = ``fan_in`` inputs per output draws weight and bias from ::

    U(-1/sqrt(n), 1/sqrt(n)),   so that   Var(w . x + b) = mean(x_i^2) / 3 + 1 / (3 n)
                                                                                  (fan-in-initialisation)

for a fixed input x: the outputs neither grow nor vanish with the layer's width.
"""

from __future__ import annotations

import itertools
import math

from ..backend import RandomStream, check_rng
from .module import Parameter

_unnamed = itertools.count()


def stream_or_next(rng: RandomStream | None) -> RandomStream:
    """`rng`, or for a layer made without one the next of a fixed series: reproducible in order of making."""
    return RandomStream(0, "layer", next(_unnamed)) if rng is None else check_rng(rng)


def uniform_(parameter: Parameter, bound: float, rng: RandomStream) -> None:
    """Fill with U(-bound, bound)."""
    parameter.data[...] = (2 * rng.uniform(parameter.shape, parameter.dtype, batch_axis=None) - 1) * bound


def normal_(parameter: Parameter, mean: float, std: float, rng: RandomStream) -> None:
    """Fill with N(mean, std^2)."""
    parameter.data[...] = mean + std * rng.normal(parameter.shape, parameter.dtype, batch_axis=None)


def fan_in_(parameters: list[Parameter | None], fan_in: int, rng: RandomStream) -> None:
    """Fill each with U(-1/sqrt(fan_in), 1/sqrt(fan_in))."""
    for i, parameter in enumerate(parameters):
        if parameter is not None:
            uniform_(parameter, 1 / math.sqrt(fan_in), rng.child(i))  # (fan-in-initialisation)
