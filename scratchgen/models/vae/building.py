"""The networks of a VAE: fully connected, or convolutions that halve the image and double it again."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from ...backend import RandomStream, asarray, checks
from ...networks import MLP, ConvDecoder, ConvEncoder, GaussianHeads, WithLabel
from ...networks.gaussian import mean_and_log_var
from ...nn import Flatten, Linear, Module, ReLU, Sequential, Unflatten
from ...nn.summary import summary


class TwoHeads(Module):
    """The halves of a network's output along its first axis: mean and log-variance, ``(batch, *shape)`` each.

    Parameters
    ----------
    network : Module
        To ``(batch, 2 channels, ...)``.
    """

    def __init__(self, network: Module) -> None:
        self.network = network

    def forward(self, z: Any) -> tuple[Any, Any]:
        return mean_and_log_var(self.network(z))


def outputs_per_pixel(options: dict[str, Any]) -> int:
    """How many numbers the decoder gives for each pixel: two with sigmas of its own, L with L levels."""
    if options.get("sigma") == "pixels":
        return 2
    levels = options.get("levels")
    return 1 if levels is None else checks.whole("levels", levels, 2, 256)


def dense(
    shape: tuple[int, ...], hidden_dim: int, latent_dim: int, options: dict[str, Any], rng: RandomStream
) -> tuple[Module, Module]:
    """Encoder and decoder: input - hidden - (mu, log_var), and latent - hidden - output."""
    checks.whole("hidden_dim", hidden_dim)
    checks.whole("latent_dim", latent_dim)
    told, several = told_of(options), outputs_per_pixel(options)
    hidden = [
        Linear(math.prod(shape) + told, hidden_dim, rng=rng.child("encoder")),
        ReLU(),
        GaussianHeads(hidden_dim, latent_dim, rng=rng.child("heads")),
    ]
    output = (several * shape[0], *shape[1:])
    decoder = MLP([latent_dim + told, hidden_dim, math.prod(output)], rng=rng.child("decoder"))
    encoder = Sequential(*hidden) if told else Sequential(Flatten(), *hidden)
    return finished(encoder, Sequential(*decoder, Unflatten(1, output)), options, flatten=True)


def convolutional(
    shape: Sequence[int], latent_dim: int, widths: Sequence[int], options: dict[str, Any], rng: RandomStream
) -> tuple[Module, Module]:
    """Encoder and decoder: convolutions that halve the image once for each width, and the same back."""
    checks.whole("latent_dim", latent_dim)
    told, several = told_of(options), outputs_per_pixel(options)
    channels, *size = shape
    encoder = ConvEncoder((channels + told, *size), 2 * latent_dim, widths, rng=rng.child("encoder"))
    output = (several * channels, *size)
    decoder = ConvDecoder(latent_dim + told, output, widths[::-1], rng=rng.child("decoder"))
    return finished(encoder, decoder, options)


def told_of(options: dict[str, Any]) -> int:
    """The features that a label adds: one for each class."""
    classes = options.get("classes")
    return 0 if classes is None else checks.whole("classes", classes)


def finished(
    encoder: Module, decoder: Module, options: dict[str, Any], flatten: bool = False
) -> tuple[Module, Module]:
    """Both with two heads for pixels that have sigmas of their own, and told the label where there is one."""
    if options.get("sigma") == "pixels":
        decoder = TwoHeads(decoder)
    if told := told_of(options):
        encoder, decoder = WithLabel(encoder, told, flatten), WithLabel(decoder, told)
    return encoder, decoder


class Built(Module):
    """What makes a VAE of the commonest networks."""

    example_shape: tuple[int, ...] | None = None
    classes: int | None = None

    @classmethod
    def dense(
        cls,
        input_dim: int | tuple[int, ...],
        hidden_dim: int,
        latent_dim: int,
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        sigma: float | str | None = None,
        rng: RandomStream | None = None,
        **options: Any,
    ) -> Self:
        """input - hidden - (mu, log_var) and latent - hidden - input, fully connected, with ReLU.

        Parameters
        ----------
        input_dim : int or tuple of int
            The features of a vector, or the shape of an image such as (1, 28, 28).
        hidden_dim, latent_dim : int
        likelihood, beta, sigma
            As for the class.
        rng : RandomStream, optional
            Of the initial weights.
        **options
            ``levels``, ``prior``, ``classes``, ``free_bits``, as for the class.
        """
        shape = checks.sizes("input_dim", input_dim)
        rng = RandomStream(0, "vae") if rng is None else rng
        options |= {"likelihood": likelihood, "beta": beta, "sigma": sigma}
        model = cls(*dense(shape, hidden_dim, latent_dim, options, rng), latent_dim, **options)  # type: ignore[call-arg]
        model.example_shape = shape
        return model

    @classmethod
    def convolutional(
        cls,
        shape: Sequence[int],
        latent_dim: int,
        widths: Sequence[int] = (32, 64),
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        sigma: float | str | None = None,
        rng: RandomStream | None = None,
        **options: Any,
    ) -> Self:
        """Convolutions that halve an image once for each width, (mu, log_var), and the same back.

        Parameters
        ----------
        shape : (channels, height, width)
            Of one image; height and width divisible by ``2 ** len(widths)``.
        latent_dim : int
        widths : sequence of int
            The channels after each convolution.
        likelihood, beta, sigma, rng, **options
            As for `dense`.
        """
        rng = RandomStream(0, "vae") if rng is None else rng
        options |= {"likelihood": likelihood, "beta": beta, "sigma": sigma}
        model = cls(*convolutional(shape, latent_dim, widths, options, rng), latent_dim, **options)  # type: ignore[call-arg]
        model.example_shape = tuple(shape)
        return model

    def __str__(self) -> str:
        """The table of the layers; of a model with classes, as they are for one of them."""
        if self.classes is None or self.example_shape is None:
            return summary(self)
        one = np.zeros((1, *self.example_shape), next(self.parameters()).dtype)
        return summary(self, asarray(one), asarray(np.zeros(1, np.int64)))
