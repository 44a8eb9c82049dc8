"""The network of a PixelCNN: two stacks of gated, masked convolutions that see no pixel ahead.

In the order of reading, what comes before a pixel is no rectangle: all rows above, and of its own row what is
left of it. A kernel cut to that shape, used twice, sees no pixel up and to the right beyond 45 degrees: the
first layer looks one row up and one to the right, but what is further right in that row is *after* it for the
pixel it stands for. So there are two stacks (van den Oord et al. 2016, "Conditional image generation with
PixelCNN decoders"): v sees whole rows above, h what is to the left, and v besides.

    a = K_v * v,    b = K_h * h + A a                                                     (pixelcnn-stacks)
    v' = gate(a),   h' = h + A' gate(b)                                                 (pixelcnn-residual)
    gate(a_1, a_2) = tanh(a_1) s(a_2)                                                       (pixelcnn-gate)

A class adds a vector of its own to a and to b. Colours of one pixel come one after the other, too: they see
everything before the pixel, and the colours before them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import cat, primitive, relu, reshape, sigmoid, tanh
from ..autograd.channels import add_channels
from ..backend import Array, RandomStream
from ..backend.compiled import compiled
from ..nn import Conv2d, Embedding, Module, Sequential
from .masked import MaskedConv2d, taps_before

FIRST_KERNEL, KERNEL = 7, 3
"""The sizes of the first layer's kernel and of all others."""


@compiled
def gate_share(g: Any, y: Any, a: Any) -> Any:
    """The share of `gate`'s argument."""
    half = a.shape[1] // 2
    u, s = tanh(a[:, :half]), sigmoid(a[:, half:])
    return cat([g * s * (1 - u * u), g * u * s * (1 - s)], axis=1)  # (pixelcnn-gate)


@primitive(gate_share)
@compiled
def gate(a: Array) -> Array:
    """tanh of the first half of the channels, let through by the sigmoid of the second half.

    Parameters
    ----------
    a : shape (batch, 2 channels, ...)

    Returns
    -------
    shape (batch, channels, ...)
    """
    half = a.shape[1] // 2
    return np.tanh(a[:, :half]) * sigmoid(a[:, half:])  # (pixelcnn-gate)


class GatedLayer(Module):
    """One layer of both stacks: v, h -> v', h'.

    Parameters
    ----------
    in_channels, channels : int
    first : bool
        Whether v and h are the image itself, of which the pixel in the middle must not be seen.
    classes : int, optional
    """

    def __init__(self, in_channels: int, channels: int, first: bool, classes: int | None) -> None:
        self.first = first
        size = FIRST_KERNEL if first else KERNEL
        before = taps_before(size, here=not first)
        rows = np.repeat(before[:, None], size, axis=1)  # whole rows: those above, and later the own one of v
        self.vertical = MaskedConv2d(in_channels, 2 * channels, rows)
        self.horizontal = MaskedConv2d(in_channels, 2 * channels, before[None])
        self.down = Conv2d(2 * channels, 2 * channels, kernel_size=1)
        self.out = Conv2d(channels, channels, kernel_size=1)
        if classes is not None:
            self.label_v = Embedding(classes, 2 * channels)
            self.label_h = Embedding(classes, 2 * channels)

    def forward(self, v: Any, h: Any, labels: Array | None = None) -> tuple[Any, Any]:
        a = self.vertical(v)
        if labels is not None:
            a = add_channels(a, self.label_v(labels))
        b = self.horizontal(h) + self.down(a)  # (pixelcnn-stacks)
        if labels is not None:
            b = add_channels(b, self.label_h(labels))
        new = self.out(gate(b))
        return gate(a), new if self.first else h + new  # (pixelcnn-residual)


class ColourHead(Module):
    """What is known before a pixel, and its colours, to the logits of each colour given those before it.

    ``(batch, channels, h, w), (batch, colours, h, w) -> (batch, colours, levels, h, w)``

    Parameters
    ----------
    channels, colours, levels : int
    """

    def __init__(self, channels: int, colours: int, levels: int) -> None:
        self.channels, self.colours, self.levels = channels, colours, levels
        self.features = Conv2d(channels, colours * channels, kernel_size=1)
        own = np.repeat(np.arange(colours), channels)  # (pixelcnn-colours)
        earlier = np.greater.outer(own, np.arange(colours))  # (pixelcnn-colours)
        self.before = MaskedConv2d(colours, colours * channels, earlier[:, :, None, None])
        self.logits = Conv2d(colours * channels, colours * levels, kernel_size=1, groups=colours)

    def forward(self, h: Any, x: Any) -> Any:
        hidden = self.features(relu(h)) + self.before(x)
        logits = self.logits(relu(hidden))
        return reshape(logits, (len(x), self.colours, self.levels, *x.shape[2:]))


class GatedPixels(Module):
    """Images (batch, colours, h, w) in [0, 1] to the logits of every level, (batch, colours, levels, h, w).

    Parameters
    ----------
    colours, levels, channels, layers : int
    classes : int, optional
    rng : RandomStream, optional
        Of the initial weights.

    Examples
    --------
    >>> import numpy as np
    >>> GatedPixels(1, levels=2, channels=8, layers=3)(np.zeros((4, 1, 28, 28), np.float32)).shape
    (4, 1, 2, 28, 28)
    """

    def __init__(
        self,
        colours: int,
        levels: int,
        channels: int,
        layers: int,
        classes: int | None = None,
        rng: RandomStream | None = None,
    ) -> None:
        first = GatedLayer(colours, channels, True, classes)
        others = [GatedLayer(channels, channels, False, classes) for _ in range(layers - 1)]
        self.layers = Sequential(first, *others)
        self.head = ColourHead(channels, colours, levels)
        self.initialise(rng)

    def forward(self, x: Any, labels: Array | None = None) -> Any:
        x = 2 * x - 1  # so that black is not what lies outside of the image
        v = h = x
        for layer in self.layers:
            v, h = layer(v, h, labels)
        return self.head(h, x)
