"""A PixelCNN read pixel by pixel: what a new pixel needs is computed, and what was computed is kept.

Run as it is trained, the network would compute all pixels for each new one. But nothing that stands before a
pixel changes any more. So the vertical stack is computed once for each row (it sees whole rows), the
horizontal one once for each pixel, from what the layer below gave for this pixel and those left of it. All
pixels together cost one pass of the network, in small pieces.

Arrays here are (row, column, image, channel), with a margin of zeros where the convolutions pad.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

import numpy as np

from ...autograd import raw
from ...backend import Array
from ...networks.gated import ColourHead, GatedPixels, gate


def as_it_is(x: Any) -> Any:
    """`x`."""
    return x


class Arithmetic(NamedTuple):
    """How numbers are held: as floats, or (`scratchgen.coding`) as whole multiples of a small one."""

    one: float = 1.0
    """What stands for 1 in an image."""
    weight: Callable[[Any], Any] = as_it_is
    bias: Callable[[Any], Any] = as_it_is
    settled: Callable[[Any], Any] = as_it_is
    """Of a sum of products, the number that goes on."""
    gate: Callable[[Any], Any] = gate


FLOATS = Arithmetic()


def conditionals(
    network: GatedPixels, x: Array, labels: Array | None = None, arithmetic: Arithmetic = FLOATS
) -> Iterator[tuple[tuple[Any, ...], Array]]:
    """The logits of every colour of every pixel, in the order of reading.

    Parameters
    ----------
    network : GatedPixels
    x : array, shape (n, colours, height, width)
        Read only where it is before the pixel whose logits are asked for: the rest may be filled in as the
        logits come.
    labels : array of int, shape (n,), optional
    arithmetic : Arithmetic

    Yields
    ------
    ((..., colour, row, column), logits)
        Where in `x`, and the logits of its levels, (n, levels).
    """
    n, colours, height, width = x.shape
    layers = [KeptLayer(layer, x, labels, arithmetic) for layer in network.layers]
    margin = layers[0].margin
    image = np.zeros_like(x, shape=(height + margin, width + 2 * margin, n, colours))
    head = KeptHead(network.head, arithmetic)
    for row in range(height):
        v = image
        for layer in layers:
            v = layer.next_row(v, row)
        here = image[margin + row]
        for column in range(width):
            h = here
            for layer in layers:
                h = layer.next_pixel(h, column)
            f = head.features(h[column + layers[-1].margin_out])
            for colour in range(colours):
                yield (slice(None), colour, row, column), head.logits(f, here[margin + column], colour)
                here[margin + column, :, colour] = 2 * x[:, colour, row, column] - arithmetic.one


class KeptLayer:
    """A gated layer, with what it has computed so far.

    Parameters
    ----------
    layer : GatedLayer
    x : array, shape (n, colours, height, width)
    labels : array of int, shape (n,), or None
    arithmetic : Arithmetic
    """

    margin_out = 1
    """Of what it gives: as wide as the next layer's kernel, of size 3, needs it."""

    def __init__(self, layer: Any, x: Array, labels: Array | None, arithmetic: Arithmetic) -> None:
        n, _, height, width = x.shape
        self.margin = layer.vertical.padding[0]
        self.first, self.width = layer.first, width
        taps = self.margin if layer.first else self.margin + 1  # those that the masks leave
        self.settled, self.gate = arithmetic.settled, arithmetic.gate
        weight, bias = arithmetic.weight, arithmetic.bias
        vertical, horizontal = (weight(raw(conv.masked)) for conv in (layer.vertical, layer.horizontal))
        self.vertical = vertical.transpose(2, 3, 1, 0)[:taps]  # (row, column, in, out)
        self.horizontal = horizontal[:, :, 0].transpose(2, 1, 0)[:taps]  # (column, in, out)
        self.down, self.out = (weight(raw(conv.weight))[:, :, 0, 0].T for conv in (layer.down, layer.out))
        self.a_bias, self.out_bias = bias(raw(layer.vertical.bias)), bias(raw(layer.out.bias))
        self.b_bias = bias(raw(layer.horizontal.bias)) + bias(raw(layer.down.bias))
        if labels is not None:
            self.a_bias = self.a_bias + raw(layer.label_v(labels))  # (n, 2 channels)
            self.b_bias = self.b_bias + raw(layer.label_h(labels))
        channels, around = len(self.out), self.margin_out
        self.v = np.zeros_like(x, shape=(height + around, width + 2 * around, n, channels))
        self.h = np.zeros_like(x, shape=(width + 2 * around, n, channels))
        self.from_v: Any = None

    def next_row(self, v: Array, row: int) -> Array:
        """v' for one more row, of which `from_v` keeps what the horizontal stack gets."""
        a = self.a_bias
        for i, weights in enumerate(self.vertical):
            for j, weight in enumerate(weights):
                a = a + v[row + i, j : j + self.width] @ weight  # (pixelcnn-reading)
        a = self.settled(a)
        self.from_v = a @ self.down + self.b_bias  # (pixelcnn-reading)
        inside = slice(self.margin_out, self.margin_out + self.width)
        self.v[self.margin_out + row, inside] = self.gate(a.reshape((-1, a.shape[2]))).reshape(
            self.v[0, inside].shape
        )
        return self.v

    def next_pixel(self, h: Array, column: int) -> Array:
        """h' for one more pixel of the row."""
        b = self.from_v[column]  # (pixelcnn-reading)
        for j, weight in enumerate(self.horizontal):
            b = b + h[column + j] @ weight  # (pixelcnn-reading)
        new = self.settled(self.gate(self.settled(b)) @ self.out + self.out_bias)
        self.h[self.margin_out + column] = new if self.first else h[self.margin + column] + new
        return self.h


class KeptHead:
    """The last two layers, for one pixel.

    Parameters
    ----------
    head : ColourHead
    arithmetic : Arithmetic
    """

    def __init__(self, head: ColourHead, arithmetic: Arithmetic) -> None:
        colours = head.colours
        self.channels, self.settled = head.channels, arithmetic.settled
        weight, bias = arithmetic.weight, arithmetic.bias
        self.features_weight = weight(raw(head.features.weight))[:, :, 0, 0].T
        self.features_bias = bias(raw(head.features.bias))
        self.before_weight = weight(raw(head.before.masked))[:, :, 0, 0].T
        self.before_bias = bias(raw(head.before.bias))
        self.logits_weight = weight(raw(head.logits.weight)).reshape((colours, head.levels, head.channels))
        self.logits_bias = bias(raw(head.logits.bias)).reshape((colours, head.levels))

    def features(self, h: Array) -> Array:
        """What the colours have in common: (n, channels) -> (n, colours * channels)."""
        return np.maximum(h, 0) @ self.features_weight + self.features_bias

    def logits(self, features: Array, pixel: Array, colour: int) -> Array:
        """The logits of one colour of a pixel (n, colours), of which those before it are known."""
        mine = slice(colour * self.channels, (colour + 1) * self.channels)
        hidden = features[:, mine] + pixel @ self.before_weight[:, mine] + self.before_bias[mine]
        hidden = np.maximum(self.settled(hidden), 0)
        return self.settled(hidden @ self.logits_weight[colour].T + self.logits_bias[colour])
