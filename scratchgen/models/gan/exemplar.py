"""A GAN that knows whom it draws: holes filled in from another picture (Dolhansky & Canton Ferrer 2018).

A picture x has a hole, the pixels where the mask m is 1. A second picture r, the *exemplar*, shows what
belongs there, but elsewhere, in other clothes, and perhaps mirrored. What is known is c = ((1 - m) x, m, r),
and the generator makes the rest of noise and of what is known:

    x^ = (1 - m) x + m G(z, c)                                                               (exemplar-fill)

The discriminator compares complete pictures, real and filled, and sees the exemplar with each (eq. 1):

    V = E log D(x, m, r) + E log(1 - D(x^, m, r))                                            (exemplar-game)

Its best answer is that of gan-optimal-discriminator for each c by itself, where V measures how far the
filled pictures' distribution q(x | c) is from the true p(x | c): ::

    max_D V = -log 4 + 2 E_c JSD(p(. | c), q(. | c))                                          (exemplar-jsd)

The generator has an example to compare with as well, the picture as it was:

    L_G = -E log D(x^, m, r) + w E |x^ - x|_1                                                (exemplar-loss)

The norm is a sum over all numbers of the picture, which only those in the hole contribute to; w changes it
into nats. By itself it would be least where each number is a median of p(x_i | c) (exemplar-median), which
is right where the exemplar leaves no doubt, and a blur where it does. The first term is about whole pictures.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

from ...autograd import abs, cat, no_grad, raw, where
from ...backend import Array, RandomStream, check_rng, checks
from ...networks import ConvEncoder, FillingNetwork
from ...nn import LeakyReLU, Module
from ...nn.context import evaluating
from ..holes import check_images, check_masks
from .objectives import discriminator_loss, generator_loss


class ExemplarGAN(Module):
    """A generator that fills holes as an exemplar says, and a discriminator that tells the result from data.

    Parameters
    ----------
    generator : Module
        ``generator(z, known) -> (batch, channels, height, width)``; `known` are the picture with zeros in the
        hole, the mask and the exemplar, ``(batch, 2 channels + 1, height, width)``.
    discriminator : Module
        ``(batch, 2 channels + 1, height, width) -> (batch,)`` or ``(batch, 1)``: of a complete picture, the
        mask and the exemplar, the logit of "nothing was filled in".
    latent_dim : int
        The noise is N(0, I) of that many dimensions.
    weight : float
        w of the distance to the true picture, in nats for each unit of brightness.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is accepted.

    Examples
    --------
    >>> import numpy as np
    >>> model = ExemplarGAN.convolutional((3, 16, 16), latent_dim=4, widths=(8, 16))
    >>> x, masks = np.ones((2, 3, 16, 16), np.float32), np.zeros((2, 16, 16), bool)
    >>> masks[:, 4:8, 4:8] = True
    >>> filled = model.fill(x, masks, exemplars=x, rng=RandomStream(0))
    >>> int((filled != x).sum()) == 2 * 3 * 16
    True
    """

    needs_examples = True
    """Tells `fit_adversarial` that both losses are of the whole batch: images, masks and exemplars."""

    def __init__(
        self, generator: Module, discriminator: Module, latent_dim: int, weight: float = 0.1
    ) -> None:
        self.generator = checks.instance("generator", generator, Module)
        self.discriminator = checks.instance("discriminator", discriminator, Module)
        self.latent_dim = checks.whole("latent_dim", latent_dim)
        self.weight = checks.number("weight", weight, "[0, inf)")

    @classmethod
    def convolutional(
        cls,
        shape: Sequence[int],
        latent_dim: int,
        widths: Sequence[int] = (16, 32, 64),
        features: int = 128,
        weight: float = 0.1,
        rng: RandomStream | None = None,
    ) -> Self:
        """Of pictures in [0, 1]: a `FillingNetwork`, and strided convolutions that judge.

        Parameters
        ----------
        shape : (channels, height, width)
            Height and width divisible by ``2 ** len(widths)``.
        latent_dim : int
        widths : sequence of int
            The channels after each halving, of either player.
        features : int
            How many numbers the generator has for what it sees.
        weight
            As for the class.
        rng : RandomStream, optional
            Of the initial weights.
        """
        channels, height, width = checks.sizes("shape", tuple(shape))
        rng = RandomStream(0, "exemplar") if rng is None else check_rng(rng)
        known = 2 * channels + 1
        return cls(
            FillingNetwork(shape, known, latent_dim, widths, features, rng.child("generator")),
            ConvEncoder(
                (known, height, width),
                1,
                widths,
                activation=lambda: LeakyReLU(0.2),
                rng=rng.child("discriminator"),
            ),
            latent_dim,
            weight,
        )

    def forward(self, z: Any, images: Any, masks: Any, exemplars: Any) -> Any:
        """The pictures with their holes filled: the noise `z` and what is known decide how."""
        known = cat([where(masks, 0, images), masks.astype(images.dtype), exemplars], axis=1)
        made = self.generator(z, known)
        checks.shape("generator(z, known)", made, tuple(images.shape), "like images")
        return where(masks, made, images)  # (exemplar-fill)

    def logits(self, images: Any, masks: Any, exemplars: Any) -> Any:
        """What the discriminator says of complete pictures: the logit of "nothing filled in", (batch,)."""
        scores = self.discriminator(cat([images, masks.astype(exemplars.dtype), exemplars], axis=1))
        if tuple(scores.shape) != (len(images), 1):
            checks.shape("discriminator(x)", scores, (len(images),), f"or ({len(images)}, 1)")
        return scores.reshape((len(images),))

    def discriminator_terms(
        self, images: Array, masks: Array, exemplars: Array, rng: RandomStream
    ) -> dict[str, Any]:
        """The discriminator's loss on complete pictures and on the same with filled holes.

        No gradient reaches the generator.

        Parameters
        ----------
        images : array, shape (batch, channels, height, width)
            Complete pictures.
        masks : array of bool, shape (batch, height, width) or (batch, 1, height, width)
            True in the hole; every picture has one.
        exemplars : array
            Like `images`.
        rng : RandomStream
            Of the noise.

        Returns
        -------
        dict
            ``loss``: -V of exemplar-game. ``accuracy``: how many of the real and filled pictures it tells
            apart; 1/2 is guessing.

        Raises
        ------
        TypeError, ValueError
            If shapes or dtypes are not as said, a mask has no hole, or a network gives a wrong shape.
        """
        images, masks, exemplars = _checked(images, masks, exemplars)
        with no_grad():
            filled = raw(self(self._noise(images, rng), images, masks, exemplars))
        real, made = self.logits(images, masks, exemplars), self.logits(filled, masks, exemplars)
        accuracy = ((raw(real) > 0).mean() + (raw(made) <= 0).mean()) / 2  # (gan-accuracy)
        return {"loss": discriminator_loss(real, made), "accuracy": accuracy}  # (exemplar-game)

    def discriminator_loss(self, images: Array, masks: Array, exemplars: Array, rng: RandomStream) -> Any:
        """What the discriminator minimises: see `discriminator_terms`."""
        return self.discriminator_terms(images, masks, exemplars, rng)["loss"]

    def generator_loss(self, images: Array, masks: Array, exemplars: Array, rng: RandomStream) -> Any:
        """What the generator minimises, exemplar-loss: to deceive, and to restore what was there.

        Parameters
        ----------
        images, masks, exemplars, rng
            As for `discriminator_terms`.
        """
        images, masks, exemplars = _checked(images, masks, exemplars)
        filled = self(self._noise(images, rng), images, masks, exemplars)
        deception = generator_loss(self.logits(filled, masks, exemplars), "non-saturating")
        return deception + self.weight * (abs(filled - images).sum() / len(images))  # (exemplar-loss)

    def fill(self, images: Array, masks: Array, exemplars: Array, rng: RandomStream) -> Array:
        """The pictures with their holes filled in; outside the holes they stay what they are, bit for bit.

        What `images` hold in the hole has no influence.

        Parameters
        ----------
        images, masks, exemplars
            As for `discriminator_terms`.
        rng : RandomStream
            Of the noise.

        Returns
        -------
        array, like `images`
            Raw.

        Raises
        ------
        TypeError, ValueError
            If shapes or dtypes are not as said, or a mask has no hole.
        """
        images, masks, exemplars = _checked(images, masks, exemplars)
        with no_grad(), evaluating(self.generator):
            return raw(self(self._noise(images, rng), images, masks, exemplars))

    def _noise(self, images: Array, rng: RandomStream) -> Array:
        return check_rng(rng).normal((len(images), self.latent_dim), images.dtype)


def _checked(images: Any, masks: Any, exemplars: Any) -> tuple[Array, Array, Array]:
    """Raw pictures, masks (batch, 1, height, width) of truth values with a hole each, and exemplars."""
    images = check_images("images", images)
    checks.shape("exemplars", checks.floating("exemplars", exemplars), tuple(images.shape), "like images")
    if exemplars.dtype != images.dtype:
        raise TypeError(f"exemplars: got {exemplars.dtype}, expected {images.dtype}, as images have")
    return images, check_masks(masks, images), check_images("exemplars", exemplars)
