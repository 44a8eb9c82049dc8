"""Dropout: noise that keeps a network from relying on single features."""

from __future__ import annotations

from typing import Any

from ..backend import RandomStream
from . import functional as F
from .init import stream_or_next
from .module import Module


class Dropout(Module):
    """In training, zeroes each element with probability `p` and scales the rest by 1 / (1 - p); else nothing.

    Parameters
    ----------
    p : float
        In [0, 1).
    rng : RandomStream, optional
        Of the noise; assign another to ``.rng`` at any time (a training loop that resumes exactly does).

    Examples
    --------
    >>> import numpy as np
    >>> layer = Dropout(0.5, rng=RandomStream(0))
    >>> sorted({float(y) for y in layer(np.ones(100, np.float32))})
    [0.0, 2.0]
    >>> bool((layer.eval()(np.ones(100)) == 1).all())
    True
    """

    def __init__(self, p: float = 0.5, rng: RandomStream | None = None) -> None:
        if not 0 <= p < 1:
            raise ValueError(f"p: got {p}, expected a probability in [0, 1)")
        self.p = p
        self.rng = stream_or_next(rng)

    def forward(self, x: Any) -> Any:
        return F.dropout(x, self.p, self.rng) if self.training and self.p > 0 else x

    def extra_repr(self) -> str:
        return f"{self.p}"
