"""SinusoidalEmbedding: a number, such as the time of a diffusion, as a vector of waves."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd import raw
from ..backend import Array, checks
from .module import Module


class SinusoidalEmbedding(Module):
    """Numbers to vectors of sines and cosines: ``(batch,) -> (batch, embedding_dim)``.

    ::

        (sin w_0 t, sin w_1 t, ..., cos w_0 t, cos w_1 t, ...),     w_i = P^(-i / m),  i = 0 .. m - 1
                                                                                   (sinusoidal-embedding)

    The first waves tell apart neighbouring times, the last ones near from far (Vaswani et al. 2017, section
    3.5, with sines and cosines in two halves, as Ho et al. 2020 have them).

    Parameters
    ----------
    embedding_dim : int
        2 m, an even number.
    max_period : float
        P, the longest wave divided by 2 pi.

    Examples
    --------
    >>> SinusoidalEmbedding(4)(np.array([0, 1])).round(2)
    array([[0.  , 0.  , 1.  , 1.  ],
           [0.84, 0.01, 0.54, 1.  ]], dtype=float32)
    """

    def __init__(self, embedding_dim: int, max_period: float = 10_000.0) -> None:
        self.embedding_dim = checks.whole("embedding_dim", embedding_dim)
        if embedding_dim % 2:
            raise ValueError(f"embedding_dim: got {embedding_dim}, expected an even number")
        self.max_period = checks.number("max_period", max_period, "(0, inf)")

    def forward(self, t: Any, dtype: Any = np.float32) -> Array:
        """The vectors for times `t`, an array (batch,) of numbers; raw, of the dtype asked for."""
        t = raw(checks.shape("t", t, ("batch",)))
        half = self.embedding_dim // 2
        exponent = np.arange(half, dtype=dtype, like=t) * (-math.log(self.max_period) / half)
        angle = t.astype(dtype)[:, None] * np.exp(exponent)  # (batch, embedding_dim / 2)
        return np.concatenate([np.sin(angle), np.cos(angle)], axis=1)  # (sinusoidal-embedding)

    def extra_repr(self) -> str:
        return f"{self.embedding_dim}"
