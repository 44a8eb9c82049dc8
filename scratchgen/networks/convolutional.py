"""ConvEncoder and ConvDecoder: images to features and back, by halving and doubling their size."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..backend import RandomStream, checks
from ..nn import BatchNorm2d, Conv2d, ConvTranspose2d, Flatten, Linear, Module, ReLU, Sequential, Unflatten
from ..nn.activations import check_activation

Shape = Sequence[int]


class ConvEncoder(Sequential):
    """Images to vectors, ``(batch, *shape) -> (batch, out_features)``: each convolution halves the size.

    With ``out_features = latent_dim`` it is the encoder of an autoencoder, with ``2 latent_dim`` that of a
    VAE (mean and log-variance), with 1 the discriminator of a GAN.

    Parameters
    ----------
    shape : (channels, height, width)
        Of one image; height and width divisible by ``2 ** len(widths)``.
    out_features : int
    widths : sequence of int
        The channels after each convolution.
    batch_norm : bool
        Whether to normalise after each convolution but the first (as Radford et al. 2015 do in a DCGAN).
    activation : callable
        Makes the module after each convolution.
    rng : RandomStream, optional
        Of the initial weights.

    Raises
    ------
    ValueError
        If the image cannot be halved that often.

    Examples
    --------
    >>> ConvEncoder((1, 28, 28), 10)
    ConvEncoder(
      (0): Conv2d(1, 32, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
      (1): ReLU()
      (2): Conv2d(32, 64, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
      (3): ReLU()
      (4): Flatten()
      (5): Linear(3136, 10)
    )
    """

    def __init__(
        self,
        shape: Shape,
        out_features: int,
        widths: Sequence[int] = (32, 64),
        batch_norm: bool = False,
        activation: Callable[[], Module] = ReLU,
        rng: RandomStream | None = None,
    ) -> None:
        channels, height, width = halved(shape, widths, len(widths))
        check_activation(activation)
        checks.whole("out_features", out_features)
        layers: list[Module] = []
        for i, following in enumerate(widths):
            layers += [Conv2d(channels, following, kernel_size=4, stride=2, padding=1)]
            layers += [BatchNorm2d(following)] if batch_norm and i else []
            layers += [activation()]
            channels = following
        super().__init__(*layers, Flatten(), Linear(channels * height * width, out_features))
        self.initialise(rng)


class ConvDecoder(Sequential):
    """Vectors to images, ``(batch, in_features) -> (batch, *shape)``: each convolution doubles the size.

    The decoder of an autoencoder or a VAE, or the generator of a GAN. Nothing follows the last convolution:
    its outputs are means, or logits.

    Parameters
    ----------
    in_features : int
        The length of a latent vector.
    shape : (channels, height, width)
        Of one image; height and width divisible by ``2 ** len(widths)``.
    widths : sequence of int
        The channels before each convolution.
    batch_norm : bool
        Whether to normalise before each activation (as Radford et al. 2015 do in a DCGAN).
    activation : callable
        Makes the module before each convolution.
    rng : RandomStream, optional
        Of the initial weights.

    Raises
    ------
    ValueError
        If the image cannot be halved that often.

    Examples
    --------
    >>> ConvDecoder(10, (1, 28, 28))
    ConvDecoder(
      (0): Linear(10, 3136)
      (1): Unflatten(1, (64, 7, 7))
      (2): ReLU()
      (3): ConvTranspose2d(64, 32, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
      (4): ReLU()
      (5): ConvTranspose2d(32, 1, kernel_size=(4, 4), stride=(2, 2), padding=(1, 1))
    )
    """

    def __init__(
        self,
        in_features: int,
        shape: Shape,
        widths: Sequence[int] = (64, 32),
        batch_norm: bool = False,
        activation: Callable[[], Module] = ReLU,
        rng: RandomStream | None = None,
    ) -> None:
        channels, height, width = halved(shape, widths, len(widths))
        check_activation(activation)
        checks.whole("in_features", in_features)
        small = widths[0], height, width
        layers: list[Module] = [Linear(in_features, small[0] * height * width), Unflatten(1, small)]
        for before, after in zip(widths, (*widths[1:], channels), strict=True):
            layers += [BatchNorm2d(before)] if batch_norm else []
            layers += [activation(), ConvTranspose2d(before, after, kernel_size=4, stride=2, padding=1)]
        super().__init__(*layers)
        self.initialise(rng)


def halved(shape: Shape, widths: Sequence[int], times: int) -> tuple[int, int, int]:
    """Channels of an image, and its height and width halved so many times by convolutions of those `widths`.

    Raises
    ------
    ValueError
        If that is not possible, or there are no `widths`.
    """
    if len(shape) != 3:
        raise ValueError(f"shape: got {tuple(shape)}, expected (channels, height, width)")
    channels, height, width = (checks.whole("shape", n) for n in shape)
    if not widths:
        raise ValueError("widths: got none, expected the channels of at least one convolution")
    for i, n in enumerate(widths):
        checks.whole(f"widths[{i}]", n)
    factor = 2**times
    if height % factor or width % factor:
        raise ValueError(
            f"shape: got {tuple(shape)}, expected a height and a width divisible by {factor}, "
            f"as {times} of the {len(widths)} convolutions halve them"
        )
    return channels, height // factor, width // factor
