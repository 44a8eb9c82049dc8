"""PixelCNN: an image one pixel after the other, each from those before it (van den Oord et al. 2016).

Pixels come in the order of reading: row by row, in a row from left to right, in a pixel colour by colour. A
pixel x_d has one of L levels, and the network gives a logit for each of them,

    p(x_d = l | x_1 .. x_(d-1)) = e^(a_dl) / sum_j e^(a_dj),                              (pixelcnn-softmax)

so the sum over d of their logarithms is log p(x), exactly. The network is made of convolutions whose masks
let no pixel see itself or one after it (`networks/gated.py`): one pass gives the logits of all pixels. With
classes, it is told the label, and without one all C classes are equally likely:

    log p(x) = log 1/C sum_c p(x | c).                                                    (pixelcnn-classes)
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...autograd import log_softmax, logsumexp, no_grad, raw, softmax, stack, take_along_axis
from ...backend import Array, RandomStream, check_rng, checks
from ...networks.gated import GatedPixels
from ...nn import Module
from .reading import conditionals


class PixelCNN(Module):
    """A distribution of images, with an exact likelihood; gated, without a blind spot, and class-conditional.

    Parameters
    ----------
    shape : (colours, height, width)
        Of one image.
    levels : int
        How many levels a pixel has, 2 to 256. A value v of [0, 1] has level ``floor(levels * v)``, and 1 has
        the highest; level l is drawn as ``l / (levels - 1)``. Grey images are thus parted at one half when
        there are two levels; to see them as chances of white, take `sg.data.binarise` first.
    channels : int
        The width of the network.
    layers : int
        Of gated convolutions. A pixel sees ``layers + 2`` rows up, and as many columns to either side.
    classes : int, optional
        How many labels there are.
    rng : RandomStream, optional
        Of the initial weights.

    Examples
    --------
    >>> import numpy as np
    >>> model = PixelCNN((1, 8, 8), channels=8, layers=3)
    >>> model.sample(2, RandomStream(0)).shape
    (2, 1, 8, 8)
    >>> model.log_prob(np.zeros((2, 1, 8, 8), np.float32)).shape
    (2,)
    """

    def __init__(
        self,
        shape: Sequence[int],
        levels: int = 2,
        channels: int = 32,
        layers: int = 7,
        classes: int | None = None,
        rng: RandomStream | None = None,
    ) -> None:
        if not isinstance(shape, list | tuple) or len(shape) != 3:
            raise ValueError(f"shape: got {shape!r}, expected (colours, height, width)")
        self.shape = tuple(checks.whole(f"shape[{i}]", size) for i, size in enumerate(shape))
        self.levels = checks.whole("levels", levels, least=2, most=256)
        self.classes = None if classes is None else checks.whole("classes", classes)
        channels, layers = checks.whole("channels", channels), checks.whole("layers", layers)
        rng = RandomStream(0, "pixelcnn") if rng is None else check_rng(rng)
        self.network = GatedPixels(self.shape[0], self.levels, channels, layers, self.classes, rng)

    def forward(self, x: Any, labels: Array | None = None) -> Any:
        """The logits of every level: (batch, colours, height, width) -> (batch, colours, levels, h, w)."""
        return self.network(self.values(self.levels_of(x), x.dtype), labels)

    def levels_of(self, x: Any) -> Array:
        """The levels of images in [0, 1], whole numbers of the same shape."""
        x = raw(x)
        return np.minimum(x * x.dtype.type(self.levels), self.levels - 1).astype(np.int64)

    def values(self, levels: Array, dtype: Any) -> Array:
        """The images whose levels these are, in [0, 1]."""
        return levels.astype(dtype) / dtype.type(self.levels - 1)

    def log_prob(self, x: Any, labels: Any = None) -> Any:
        """log p(x), or log p(x | label), of the levels of the pixels, exactly: (batch,), in nats.

        Parameters
        ----------
        x : array, shape (batch, colours, height, width)
            In [0, 1].
        labels : array of int, shape (batch,), or int, optional
            Left out for a model with classes, each class is as likely as any other.

        Raises
        ------
        TypeError, ValueError, IndexError
            If `x` is no batch of images in [0, 1] of the right shape, or labels do not fit.
        """
        checks.within("x", checks.batch("x", x, self.shape), 0, 1, "scale the images")
        labels = checks.labels(labels, len(x), self.classes)
        if labels is None and self.classes is not None:
            each = [self._log_prob(x, checks.labels(c, len(x), self.classes)) for c in range(self.classes)]
            return logsumexp(stack(each), axis=0) - math.log(self.classes)  # (pixelcnn-classes)
        return self._log_prob(x, labels)

    def _log_prob(self, x: Any, labels: Array | None) -> Any:
        of_levels = log_softmax(self.forward(x, labels), axis=2)  # (pixelcnn-softmax)
        chosen = take_along_axis(of_levels, self.levels_of(x)[:, :, None], axis=2)  # (pixelcnn-softmax)
        return chosen.sum(axis=(1, 2, 3, 4))  # (pixelcnn-softmax)

    def loss(self, x: Any, rng: RandomStream | None = None, labels: Any = None) -> Any:
        """Minus `log_prob` averaged over the batch, in nats per image; nothing about it is random."""
        return -self.log_prob(x, labels).mean()

    def sample(self, n: int, rng: RandomStream, labels: Any = None) -> Array:
        """`n` images from p(x), or from p(x | label). Raw, shape (n, colours, height, width), in [0, 1].

        Parameters
        ----------
        n : int
        rng : RandomStream
        labels : array of int, shape (n,), or int, optional
            Left out for a model with classes, they are drawn, each as likely as any other.
        """
        checks.whole("n", n, least=0)
        check_rng(rng)
        labels = checks.labels(labels, n, self.classes)
        if labels is None and self.classes is not None:
            labels = rng.integers(0, self.classes, (n,))
        with no_grad():
            u = rng.uniform((n, *self.shape), next(self.parameters()).dtype)
            x = np.zeros_like(u)
            for place, logits in conditionals(self.network, x, labels):
                below = np.cumsum(softmax(logits, axis=1), axis=1)[:, :-1]  # (pixelcnn-sampling)
                level = (u[place][:, None] >= below).sum(axis=1)  # (pixelcnn-sampling)
                x[place] = self.values(level, x.dtype)
        return x
