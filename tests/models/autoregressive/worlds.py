"""Small models whose every example can be written down."""

from __future__ import annotations

from typing import Any

import numpy as np

from scratchgen.backend import RandomStream, asarray
from scratchgen.data.tables import enumerate_rows
from scratchgen.nn import Module


def strong(model: Module, factor: float = 3.0) -> Any:
    """The model in float64, with weights so large that its probabilities are far from even."""
    model.to("float64")
    for parameter in model.parameters():
        parameter.data[...] *= factor
    return model


def every_vector(dim: int) -> Any:
    """All vectors of zeros and ones, (2^dim, dim), float64, on the device under test."""
    return asarray(enumerate_rows([2] * dim).astype(np.float64))


def stream(*path: int | str) -> RandomStream:
    """A stream for a test."""
    return RandomStream(0, "autoregressive", *path)


def every_image(levels: int, shape: tuple[int, ...]) -> Any:
    """All images of that many levels, float64, on the device under test."""
    rows = enumerate_rows([levels] * int(np.prod(shape))) / (levels - 1)
    return asarray(rows.reshape((-1, *shape)))
