"""FillingNetwork: pictures to pictures by halving, a vector in the middle, doubling, and shortcuts."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from ..autograd import cat
from ..backend import RandomStream, checks
from ..nn import (
    BatchNorm1d,
    BatchNorm2d,
    Conv2d,
    ConvTranspose2d,
    LeakyReLU,
    Linear,
    Module,
    ModuleList,
    Sigmoid,
)
from .convolutional import halved


class FillingNetwork(Module):
    """Noise and what is known to a picture: ``(z, known) -> (batch, channels, height, width)``.

    Convolutions halve the picture until a vector is left; noise joins it, and convolutions double it again.
    What has to come from elsewhere in the picture (or from a second picture in other channels, in another
    pose) passes through the vector, which has no places; what stays where it is takes the shortcuts, by which
    each size on the way up sees the same size on the way down (Ronneberger et al. 2015). Batch norm stands
    before every bend but the first, and pictures in [0, 1] are centred: without either the vector hardly
    differs from picture to picture at first, and learning stands still.

    Parameters
    ----------
    shape : (channels, height, width)
        Of the result; height and width divisible by ``2 ** len(widths)``.
    known_channels : int
        Of what is known.
    latent_dim : int
        Of the noise.
    widths : sequence of int
        The channels after each halving.
    features : int
        The length of the vector in the middle.
    rng : RandomStream, optional
        Of the initial weights.

    Raises
    ------
    ValueError
        If a number is out of range, or the picture cannot be halved that often.

    Examples
    --------
    >>> import numpy as np
    >>> network = FillingNetwork((3, 16, 16), 7, latent_dim=4, widths=(8, 16))
    >>> network(np.zeros((2, 4), np.float32), np.zeros((2, 7, 16, 16), np.float32)).shape
    (2, 3, 16, 16)
    """

    def __init__(
        self,
        shape: Sequence[int],
        known_channels: int,
        latent_dim: int,
        widths: Sequence[int] = (16, 32, 64),
        features: int = 128,
        rng: RandomStream | None = None,
    ) -> None:
        channels, *small = halved(shape, widths, len(widths))
        before = (checks.whole("known_channels", known_channels), *widths)
        self.deepest = widths[-1], *small
        size = math.prod(self.deepest)
        self.down = ModuleList(
            [Conv2d(n, m, kernel_size=4, stride=2, padding=1) for n, m in zip(before, widths, strict=False)]
        )
        self.inwards = Linear(size, checks.whole("features", features))
        self.outwards = Linear(features + checks.whole("latent_dim", latent_dim), size)
        entering = [widths[-1], *(2 * n for n in widths[-2::-1])]  # what comes up, and its shortcut
        leaving = [*widths[-2::-1], channels]
        self.up = ModuleList(
            [
                ConvTranspose2d(n, m, kernel_size=4, stride=2, padding=1)
                for n, m in zip(entering, leaving, strict=True)
            ]
        )
        self.norms_down = ModuleList([BatchNorm2d(n) for n in widths[1:]])
        self.norm_inwards = BatchNorm1d(features)
        self.norms_up = ModuleList([BatchNorm2d(n) for n in widths[::-1]])
        self.bend, self.last = LeakyReLU(0.2), Sigmoid()
        self.initialise(RandomStream(0, "filling") if rng is None else rng)

    def forward(self, z: Any, known: Any) -> Any:
        x, kept = 2 * known - 1, []  # black and white are -1 and 1
        for i, halve in enumerate(self.down):
            x = halve(x)
            x = self.bend(self.norms_down[i - 1](x) if i else x)
            kept.append(x)
        vector = self.inwards(kept.pop().reshape((len(x), -1)))
        vector = cat([self.bend(self.norm_inwards(vector)), z], axis=1)
        x = self.outwards(vector).reshape((len(x), *self.deepest))
        for i, (norm, double) in enumerate(zip(self.norms_up, self.up, strict=True)):
            x = self.bend(norm(x))
            x = double(cat([x, kept.pop()], axis=1) if i else x)
        return self.last(x)
