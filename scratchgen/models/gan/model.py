"""GAN: a generator and a discriminator, and the game that they play."""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import partial
from typing import Any, Self

import numpy as np

from ...autograd import no_grad, raw
from ...backend import Array, RandomStream, asarray, check_rng, checks
from ...backend.ranks import whole_batch
from ...networks import MLP, ConditionalGenerator, ConvDecoder, ConvEncoder, ProjectionDiscriminator
from ...nn import Flatten, LeakyReLU, Module, Sequential, Tanh, Unflatten
from ...nn.context import evaluating
from ...nn.summary import summary
from .objectives import OBJECTIVES, critic_loss, discriminator_loss, generator_loss
from .penalty import gradient_penalty, refuse_batch_norm


class GAN(Module):
    """A generator of examples and a discriminator that tells them from the data (Goodfellow et al. 2014).

    Each has a loss of its own, to be minimised in turn by an optimiser of its own: see
    `scratchgen.training.fit_adversarial`.

    Parameters
    ----------
    generator : Module
        ``(batch, latent_dim) -> (batch, *shape)``; with `classes`, ``generator(z, labels)``.
    discriminator : Module
        ``(batch, *shape) -> (batch,)`` or ``(batch, 1)``: the logit of "this is data"; with `classes`,
        ``discriminator(x, labels)``.
    latent_dim : int
        The noise is N(0, I) of that many dimensions.
    objective : {"non-saturating", "minimax", "wasserstein-gp"}
        See `objectives`. With the last the discriminator is a critic, and may hold no batch norm.
    penalty_weight : float
        lambda, for "wasserstein-gp" only.
    classes : int, optional
        How many labels there are, for a model that is told one. Where labels are left out they are drawn
        uniformly.

    Raises
    ------
    TypeError, ValueError
        Naming the argument, what was given and what is accepted.

    Examples
    --------
    >>> model = GAN.dense(2, 64, latent_dim=8)
    >>> model.sample(5, RandomStream(0)).shape
    (5, 2)
    """

    example_shape: tuple[int, ...] | None = None

    def __init__(
        self,
        generator: Module,
        discriminator: Module,
        latent_dim: int,
        objective: str = "non-saturating",
        penalty_weight: float = 10.0,
        classes: int | None = None,
    ) -> None:
        self.generator = checks.instance("generator", generator, Module)
        self.discriminator = checks.instance("discriminator", discriminator, Module)
        self.latent_dim = checks.whole("latent_dim", latent_dim)
        self.objective = checks.one_of("objective", objective, OBJECTIVES)
        self.penalty_weight = checks.number("penalty_weight", penalty_weight, "[0, inf)")
        self.classes = None if classes is None else checks.whole("classes", classes)
        if objective == "wasserstein-gp":
            refuse_batch_norm(discriminator)

    @classmethod
    def dense(
        cls,
        input_dim: int | tuple[int, ...],
        hidden_dim: int,
        latent_dim: int,
        objective: str = "non-saturating",
        rng: RandomStream | None = None,
    ) -> Self:
        """Both networks fully connected, with two hidden layers of leaky rectifiers.

        Parameters
        ----------
        input_dim : int or tuple of int
            The features of a vector, or the shape of an image such as (1, 28, 28).
        hidden_dim, latent_dim : int
        objective
            As for the class.
        rng : RandomStream, optional
            Of the initial weights.
        """
        shape = checks.sizes("input_dim", input_dim)
        checks.whole("hidden_dim", hidden_dim)
        checks.whole("latent_dim", latent_dim)
        rng = RandomStream(0, "gan") if rng is None else rng
        size, hidden = math.prod(shape), [hidden_dim, hidden_dim]
        generator = MLP([latent_dim, *hidden, size], _leaky, rng=rng.child("generator"))
        discriminator = MLP([size, *hidden, 1], _leaky, rng=rng.child("discriminator"))
        model = cls(
            Sequential(*generator, Unflatten(1, shape)),
            Sequential(Flatten(), *discriminator),
            latent_dim,
            objective,
        )
        model.example_shape = shape
        return model

    @classmethod
    def convolutional(
        cls,
        shape: Sequence[int],
        latent_dim: int,
        widths: Sequence[int] = (64, 128),
        objective: str = "non-saturating",
        classes: int | None = None,
        features: int = 128,
        rng: RandomStream | None = None,
    ) -> Self:
        """A DCGAN (Radford et al. 2015) of images in [-1, 1]: strided convolutions, and these transposed.

        Its guidelines are kept: batch norm and rectifiers in the generator, which ends in a tanh; leaky
        rectifiers in the discriminator. That has no batch norm here whatever the objective, so that it looks
        at one image at a time.

        Parameters
        ----------
        shape : (channels, height, width)
            Of one image; height and width divisible by ``2 ** len(widths)``.
        latent_dim : int
        widths : sequence of int
            The discriminator's channels after each convolution; the generator's are the same turned round.
        objective, classes
            As for the class; with `classes` the generator has an embedding of the label beside the noise, and
            the discriminator a projection (Miyato & Koyama 2018).
        features : int
            What the discriminator knows of an image before it judges.
        rng : RandomStream, optional
            Of the initial weights.
        """
        checks.whole("latent_dim", latent_dim)
        classes = None if classes is None else checks.whole("classes", classes)
        rng = RandomStream(0, "gan") if rng is None else rng
        length = latent_dim if classes is None else 2 * latent_dim
        images = Sequential(ConvDecoder(length, shape, widths[::-1], batch_norm=True), Tanh())
        seen = Sequential(ConvEncoder(shape, features, widths, activation=_leaky), _leaky())
        generator = images if classes is None else ConditionalGenerator(images, classes, latent_dim)
        discriminator = ProjectionDiscriminator(seen, features, classes)
        generator.initialise(rng.child("generator"))
        discriminator.initialise(rng.child("discriminator"))
        model = cls(generator, discriminator, latent_dim, objective, classes=classes)
        model.example_shape = tuple(shape)
        return model

    def forward(self, z: Any, labels: Any = None) -> Any:
        """The examples G(z), or G(z, labels), that the generator makes of noise: (batch, *shape)."""
        return self.generator(z) if labels is None else self.generator(z, labels)

    def logits(self, x: Any, labels: Any = None) -> Any:
        """What the discriminator says of examples: the logit of "data", or the critic's score, (batch,)."""
        scores = self.discriminator(x) if labels is None else self.discriminator(x, labels)
        if tuple(scores.shape) != (len(x), 1):
            checks.shape("discriminator(x)", scores, (len(x),), f"or ({len(x)}, 1)")
        return scores.reshape((len(x),))

    def __str__(self) -> str:
        z = np.zeros((1, self.latent_dim), self._dtype())
        labels = () if self.classes is None else (asarray(np.zeros(1, np.int64)),)
        with no_grad(), evaluating(self.generator):
            x = raw(self.generator(asarray(z), *labels))
        players = (self.generator, asarray(z)), (self.discriminator, x)
        tables = [summary(network, given, *labels) for network, given in players]
        return f"generator\n{tables[0]}\n\ndiscriminator\n{tables[1]}"

    def _noise(self, n: int, rng: RandomStream) -> Array:
        return check_rng(rng).normal((n, self.latent_dim), self._dtype())

    def _fakes(self, n: int, rng: RandomStream, labels: Any) -> Array:
        """Samples for the discriminator's step, from which no gradient reaches the generator."""
        with no_grad():
            return raw(self(self._noise(n, rng), labels))

    def _dtype(self) -> Any:
        """That of the generator's parameters; float32 for one that has none."""
        return next((p.dtype for p in self.generator.parameters()), np.dtype(np.float32))

    def discriminator_terms(self, x: Array, rng: RandomStream, labels: Any = None) -> dict[str, Any]:
        """The discriminator's loss on a batch of data and as many samples, and what is worth watching.

        No gradient reaches the generator.

        Parameters
        ----------
        x : array, shape (batch, *shape)
        rng : RandomStream
            Of the noise, and of the interpolation.
        labels : array of int, shape (batch,)
            Of the data, for a model with `classes`; the samples get the same.

        Returns
        -------
        dict
            ``loss``: -V of gan-minimax, or L_f of wgan-gp-loss. ``accuracy``: how many of the real and
            generated examples it tells apart; 1/2 is guessing. A critic has no threshold: its accuracy is
            the fraction of pairs that it ranks right, ties counted half, and it adds ``distance``, the
            estimate of W(p, q), and ``penalty``.

        Raises
        ------
        TypeError, ValueError
            If `x` is no batch of finite examples of the right shape, a label is missing or out of range, or a
            network gives a wrong shape.
        """
        checks.batch("x", x, self.example_shape)
        labels = checks.labels(labels, len(x), self.classes, needed=True)
        fake = self._fakes(len(x), rng, labels)
        checks.shape("generator(z)", fake, tuple(x.shape), "like x")
        real_logits, fake_logits = self.logits(x, labels), self.logits(fake, labels)
        real, made = raw(real_logits), raw(fake_logits)
        if self.objective != "wasserstein-gp":
            # who says the same of all is guessing
            accuracy = ((real > 0).mean() + (made <= 0).mean()) / 2  # (gan-accuracy)
            return {"loss": discriminator_loss(real_logits, fake_logits), "accuracy": accuracy}
        real, made = whole_batch(real), whole_batch(made)  # pairs are of all examples, whatever the rank
        loss = critic_loss(real_logits, fake_logits)
        penalty = gradient_penalty(partial(self.logits, labels=labels), x, fake, rng)
        return {
            "loss": loss + self.penalty_weight * penalty,  # (wgan-gp-loss)
            "accuracy": (np.sign(real[:, None] - made).mean() + 1) / 2,
            "distance": -raw(loss),
            "penalty": raw(penalty),
        }

    def discriminator_loss(self, x: Array, rng: RandomStream, labels: Any = None) -> Any:
        """What the discriminator minimises on a batch of data: see `discriminator_terms`."""
        return self.discriminator_terms(x, rng, labels)["loss"]

    def generator_loss(self, n: int, rng: RandomStream, labels: Any = None) -> Any:
        """What the generator minimises, on `n` samples: see `objectives.generator_loss`.

        Its gradient goes through the discriminator, whose own parameters are not to be changed by it.

        Parameters
        ----------
        n : int
        rng : RandomStream
            Of the noise, and of labels where these are left out.
        labels : array of int, shape (n,), optional
            For a model with `classes`.
        """
        n = checks.whole("n", n)
        labels = self._labels(labels, n, rng)
        return generator_loss(self.logits(self(self._noise(n, rng), labels), labels), self.objective)

    def sample(self, n: int, rng: RandomStream, labels: Any = None) -> Array:
        """`n` examples that the generator makes of noise.

        Batch norm takes its running statistics, so that a sample depends on no other.

        Parameters
        ----------
        n : int
        rng : RandomStream
        labels : array of int, shape (n,), optional
            For a model with `classes`.

        Returns
        -------
        array, shape (n, *shape)
        """
        n = checks.whole("n", n, 0)
        labels = self._labels(labels, n, rng)
        with no_grad(), evaluating(self.generator):
            return raw(self(self._noise(n, rng), labels))

    def _labels(self, labels: Any, n: int, rng: RandomStream) -> Any:
        """The labels, checked; drawn if there are none but should be."""
        if labels is None and self.classes is not None:
            return check_rng(rng).integers(0, self.classes, (n,))
        return checks.labels(labels, n, self.classes)


def _leaky() -> LeakyReLU:
    return LeakyReLU(0.2)
