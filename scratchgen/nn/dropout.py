"""Dropout: noise that keeps a network from relying on single features."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import raw
from ..backend import RandomStream, check_rng, checks
from .context import layer_stream
from .init import stream_or_next
from .module import Module


def dropout(x: Any, p: float, rng: RandomStream) -> Any:
    """Each element 0 with probability `p`, in [0, 1), else divided by 1 - p, so that the mean stays.

    ::

        y = x keep / (1 - p),     keep ~ Bernoulli(1 - p),     E y = x                          (dropout)
    """
    p = checks.number("p", p, "[0, 1)")
    keep = check_rng(rng).bernoulli(np.full_like(raw(checks.floating("x", x)), 1 - p))
    return x * (keep * (1 / (1 - p)))  # (dropout)


class Dropout(Module):
    """In training, zeroes each element with probability `p` and scales the rest by 1 / (1 - p); else nothing.

    Parameters
    ----------
    p : float
        In [0, 1).
    rng : RandomStream, optional
        Of the noise, outside `layers_draw_from`; assign another to ``.rng`` at any time.

    Examples
    --------
    >>> layer = Dropout(0.5, rng=RandomStream(0))
    >>> sorted({float(y) for y in layer(np.ones(100, np.float32))})
    [0.0, 2.0]
    >>> bool((layer.eval()(np.ones(100)) == 1).all())
    True
    """

    def __init__(self, p: float = 0.5, rng: RandomStream | None = None) -> None:
        self.p = checks.number("p", p, "[0, 1)")
        self.rng = stream_or_next(rng)

    def forward(self, x: Any) -> Any:
        return dropout(x, self.p, layer_stream(self.rng)) if self.training and self.p > 0 else x

    def extra_repr(self) -> str:
        return f"{self.p}"
