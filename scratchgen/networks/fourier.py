"""FourierFeatures: the fine differences between pixels, made large enough for a network to see."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..autograd import cat, cos, sin
from ..backend import Array, checks
from ..nn import Module


class FourierFeatures(Module):
    r"""A network that is shown waves of every pixel as well: (batch, C, ...) -> (batch, out, ...).

    .. math:: (x, \sin \pi f_1 x, \cos \pi f_1 x, \sin \pi f_2 x, \ldots)

    Grey levels in [-1, 1] with a little noise look like the levels themselves to a convolution. A wave tells
    them apart: with f = levels - 1 it has the same phase at every level, so that what it shows is the noise
    alone (Kingma et al. 2021, "Variational diffusion models", has such waves among the network's inputs).

    Parameters
    ----------
    network : Module
        ``network(x, ...)``, of C (1 + 2 n) channels for n frequencies; other arguments are passed on.
    frequencies : sequence of float
        The f, in half turns per unit of x.

    Raises
    ------
    ValueError
        If there are no frequencies, or one is no positive number.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchgen.networks import UNet
    >>> network = FourierFeatures(UNet(5, 1, width=8, multipliers=(1, 2)), frequencies=[16, 8])
    >>> network(np.zeros((3, 1, 8, 8), np.float32), np.array([1, 2, 3])).shape
    (3, 1, 8, 8)
    """

    def __init__(self, network: Module, frequencies: Sequence[float]) -> None:
        if not len(frequencies):
            raise ValueError("frequencies: got none, expected at least one")
        self.frequencies = tuple(checks.number("frequencies", f, "(0, inf)") for f in frequencies)
        self.network = network

    def forward(self, x: Any, *args: Array | None) -> Any:
        angles = [x * (math.pi * f) for f in self.frequencies]  # (fourier-features)
        seen = cat([x, *(wave(a) for a in angles for wave in (sin, cos))], axis=1)  # (fourier-features)
        return self.network(seen, *args)

    def extra_repr(self) -> str:
        return ", ".join(f"{f:g}" for f in self.frequencies)
