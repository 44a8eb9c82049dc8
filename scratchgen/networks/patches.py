"""InPatches: an image as fewer, longer pixels, so that a network has less to do."""

from __future__ import annotations

from typing import Any

from ..backend import Array, checks
from ..nn import Module


class InPatches(Module):
    """A network that sees each square of pixels as the channels of one: (B, C, H, W) -> (B, out, H, W).

    Most of what a network for images costs grows with the number of pixels, and near ones are alike. With
    squares of ``size * size`` pixels as one, the network works on (B, C size^2, H / size, W / size), and
    what it gives is taken apart again (Hoogeboom et al. 2023, "simple diffusion", section 3.2).

    Parameters
    ----------
    network : Module
        ``network(x, ...)``, from C size^2 channels to ``out`` size^2; other arguments are passed on.
    size : int
        Of the squares; divides height and width.

    Raises
    ------
    ValueError
        If an image does not divide.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchgen.networks import UNet
    >>> network = InPatches(UNet(4, width=8, multipliers=(1, 2)), size=2)
    >>> network(np.zeros((3, 1, 28, 28), np.float32), np.array([1, 2, 3])).shape
    (3, 1, 28, 28)
    """

    def __init__(self, network: Module, size: int = 2) -> None:
        self.size = checks.whole("size", size)
        self.network = network

    def forward(self, x: Any, *args: Array | None) -> Any:
        checks.shape("x", x, ("batch", "channels", "height", "width"))
        checks.divisible("x", x, self.size)
        return apart(self.network(together(x, self.size), *args), self.size)


def together(x: Any, size: int) -> Any:
    """Squares of pixels as channels (PyTorch's ``pixel_unshuffle``): (B, C, H, W) -> (B, C s^2, H/s, W/s)."""
    batch, channels, height, width = x.shape
    # (B, C, h, s, w, s), then (B, C, s, s, h, w)
    split = x.reshape((batch, channels, height // size, size, width // size, size))
    moved = split.transpose((0, 1, 3, 5, 2, 4))  # (patches)
    return moved.reshape((batch, channels * size * size, height // size, width // size))


def apart(x: Any, size: int) -> Any:
    """The inverse of `together` (PyTorch's ``pixel_shuffle``): (B, C s^2, h, w) -> (B, C, h s, w s)."""
    batch, channels, height, width = x.shape
    # (B, C, s, s, h, w), then (B, C, h, s, w, s)
    split = x.reshape((batch, channels // (size * size), size, size, height, width))
    moved = split.transpose((0, 1, 4, 2, 5, 3))  # (patches)
    return moved.reshape((batch, channels // (size * size), height * size, width * size))
