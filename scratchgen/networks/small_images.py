"""SmallImageEncoder and SmallImageDecoder: an image to a smaller one with more channels, and back.

For latent diffusion the code of an image is an image: what is where in it stays there, so that a network of
convolutions can go on with it. No layer here mixes places that are far apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

from ..backend import RandomStream, checks
from ..nn import Conv2d, ConvTranspose2d, Flatten, Module, Sequential, SiLU, Unflatten
from .convolutional import Shape, halved


class SmallImageEncoder(Sequential):
    """Images to mean and log-variance of small images: ``(batch, *shape) -> (batch, 2 c h w)``.

    The first half of the numbers are the means, channel by channel, the second half the log-variances: what
    `VAE` takes from an encoder that gives one array.

    Parameters
    ----------
    shape : (channels, height, width)
        Of one image; height and width divisible by ``2 ** (len(widths) - 1)``.
    channels : int
        c, of the small image, whose height and width are those of the image halved once for each width but
        the first.
    widths : sequence of int
        The channels of the convolutions: one that keeps the size, then those that halve it.
    rng : RandomStream, optional
        Of the initial weights.

    Examples
    --------
    >>> import numpy as np
    >>> SmallImageEncoder((1, 28, 28), channels=4)(np.zeros((3, 1, 28, 28), np.float32)).shape
    (3, 392)
    """

    def __init__(
        self,
        shape: Shape,
        channels: int,
        widths: Sequence[int] = (16, 32, 64),
        rng: RandomStream | None = None,
    ) -> None:
        small_shape(shape, channels, widths)
        layers: list[Module] = [Conv2d(shape[0], widths[0], kernel_size=3, padding=1), SiLU()]
        for before, after in pairwise(widths):
            layers += [Conv2d(before, after, kernel_size=4, stride=2, padding=1), SiLU()]
        layers += [Conv2d(widths[-1], widths[-1], kernel_size=3, padding=1), SiLU()]
        super().__init__(*layers, Conv2d(widths[-1], 2 * channels, kernel_size=1), Flatten())
        self.initialise(rng)


class SmallImageDecoder(Sequential):
    """Small images, as vectors, to images: ``(batch, c h w) -> (batch, out_channels, height, width)``.

    Parameters
    ----------
    channels : int
        c, of the small image.
    shape : (channels, height, width)
        Of one image.
    widths : sequence of int
        As for the encoder, which goes through them the other way.
    outputs : int
        How many numbers there are for each channel of a pixel: L for a categorical likelihood of L levels.
    rng : RandomStream, optional
        Of the initial weights.

    Examples
    --------
    >>> import numpy as np
    >>> SmallImageDecoder(4, (1, 28, 28))(np.zeros((3, 196), np.float32)).shape
    (3, 1, 28, 28)
    """

    def __init__(
        self,
        channels: int,
        shape: Shape,
        widths: Sequence[int] = (16, 32, 64),
        outputs: int = 1,
        rng: RandomStream | None = None,
    ) -> None:
        small = small_shape(shape, channels, widths)
        checks.whole("outputs", outputs)
        layers: list[Module] = [Unflatten(1, small), Conv2d(channels, widths[-1], kernel_size=3, padding=1)]
        for before, after in pairwise(widths[::-1]):
            layers += [SiLU(), ConvTranspose2d(before, after, kernel_size=4, stride=2, padding=1)]
        super().__init__(*layers, SiLU(), Conv2d(widths[0], outputs * shape[0], kernel_size=3, padding=1))
        self.initialise(rng)


def small_shape(shape: Shape, channels: int, widths: Sequence[int]) -> tuple[int, int, int]:
    """(channels, h, w) of the small images of images of a shape.

    Raises
    ------
    ValueError
        If the image cannot be halved that often.

    Examples
    --------
    >>> small_shape((1, 28, 28), 4, (16, 32, 64))
    (4, 7, 7)
    """
    _, height, width = halved(shape, widths, len(widths) - 1)
    return checks.whole("channels", channels), height, width
