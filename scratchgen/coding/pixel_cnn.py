"""A PixelCNN in whole numbers: `models.autoregressive.reading` with another arithmetic.

All numbers are multiples of 2^-16, products and their sums of 2^-32.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from ..models import PixelCNN
from ..models.autoregressive.reading import Arithmetic, conditionals
from . import tables
from .ans import Integers
from .counts import counts_of_logits
from .network import LARGEST, fixed
from .pixels import PixelByPixel
from .tables import FINE, ONE


def weight(w: Any) -> Any:
    """A weight in multiples of 2^-16, as float64; outputs are its first axis."""
    whole = fixed(w).astype(np.float64)
    if np.abs(whole.reshape(len(whole), -1)).sum(axis=1).max() * LARGEST >= 2.0**49:
        raise ValueError("model: got weights too large for whole numbers below 2^53, expected smaller ones")
    return whole


def settled(x: Any) -> Any:
    """A sum of products, in multiples of 2^-16 again, within +-128."""
    return np.clip(np.floor(x / ONE), -LARGEST, LARGEST)


def gate(a: Any) -> Any:
    """Tanh of the first half of the channels, let through by the sigmoid of the second: pixelcnn-gate."""
    whole, half = a.astype(np.int64), a.shape[1] // 2
    through = tables.sigmoid(whole[:, half:])
    return (tables.tanh(whole[:, :half]) * through // FINE).astype(np.float64)


WHOLE = Arithmetic(ONE, weight, lambda b: fixed(b).astype(np.float64) * ONE, settled, gate)


class OfPixelCNN(PixelByPixel):
    """PixelCNN: `models.PixelCNN`, equation pixelcnn-softmax."""

    def __init__(self, model: PixelCNN, batch: int) -> None:
        super().__init__(batch)
        if model.classes is not None:
            raise ValueError("model: got a PixelCNN with classes, expected one that needs no label")
        self.network, self.shape, self.levels = model.network, model.shape, model.levels

    def distributions(self, x: Integers) -> Iterator[Integers]:
        values = np.zeros((len(x), *self.shape))
        numbers = np.arange(x.shape[1]).reshape(self.shape)
        for place, logits in conditionals(self.network, values, None, WHOLE):
            yield counts_of_logits(logits.astype(np.int64))
            values[place] = x[:, numbers[place[1:]]] * ONE // (self.levels - 1)

    def order(self, pixels: int) -> Integers:
        return np.arange(pixels).reshape(self.shape).transpose(1, 2, 0).reshape(-1)
