"""ConvClassifier: images to features to the logits of their classes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..backend import RandomStream, checks
from ..nn import Conv2d, Linear, Module, ReLU, Sequential
from .convolutional import ConvEncoder


class ConvClassifier(Module):
    """Images to the logits of classes: ``(batch, *shape) -> (batch, classes)``.

    Convolutions that each halve the size, a layer of features, and an affine map of these. The features are
    what the network has learnt to look for, and so a space to compare images in.

    Parameters
    ----------
    shape : (channels, height, width)
        Of one image; height and width divisible by ``2 ** len(widths)``.
    classes : int
    features : int
        How many.
    widths : sequence of int
        The channels after each convolution.
    before : int, optional
        The channels of a convolution at full size before them, which small images are worth.
    rng : RandomStream, optional
        Of the initial weights.

    Raises
    ------
    ValueError
        If the image cannot be halved that often, or a number is out of range.

    Examples
    --------
    >>> ConvClassifier((1, 8, 8), classes=10, features=32, widths=(16,))
    ConvClassifier(
      (seen): Sequential(
        (0): Conv2d(1, 16, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
        (1): ReLU()
        (2): Flatten()
        (3): Linear(256, 32)
        (4): ReLU()
      )
      (classes): Linear(32, 10)
    )
    """

    def __init__(
        self,
        shape: Sequence[int],
        classes: int,
        features: int = 64,
        widths: Sequence[int] = (32, 64),
        before: int | None = None,
        rng: RandomStream | None = None,
    ) -> None:
        checks.whole("features", features)
        first: list[Module] = []
        if before is not None:
            first = [Conv2d(shape[0], checks.whole("before", before), kernel_size=3, padding=1), ReLU()]
            shape = (before, *shape[1:])
        self.seen = Sequential(*first, *ConvEncoder(shape, features, widths), ReLU())
        self.classes = Linear(features, checks.whole("classes", classes))
        self.initialise(rng)

    def forward(self, x: Any) -> Any:
        return self.classes(self.features(x))

    def features(self, x: Any) -> Any:
        """What the network sees in images: (batch, features), each 0 or more."""
        return self.seen(x)

    def logits(self, x: Any) -> Any:
        """The logits of the classes: (batch, classes)."""
        return self(x)
