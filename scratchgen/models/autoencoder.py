"""Autoencoder: squeeze an example through a narrow code and learn to undo it.

With encoder e, decoder f and code ``z = e(x)`` the loss is the squared reconstruction error, summed over an
example's dimensions and averaged over the batch:

    L = mean_i |x_i - f(e(x_i))|^2                                                      (autoencoder-loss)

In nats this is the negative log-likelihood of x, of D dimensions, under a Gaussian of variance 1/2 around the
reconstruction, up to a constant:

    |x - f(e(x))|^2 = -log N(x; f(e(x)), I/2) - D/2 log pi                      (autoencoder-likelihood)

The code may be made of a damaged copy x' of x (Vincent et al. 2008), and the error of one example, taken as a
score, says how strange it is to a model that was trained on ordinary ones:

    L = mean_i |x_i - f(e(x'_i))|^2                                                      (denoising-loss)
    score(x) = |x - f(e(x))|^2                                                            (anomaly-score)

The code is deterministic, and nothing says which codes are likely: a density of codes to sample from is what
the variational autoencoder adds. If encoder and decoder are affine, the best code of k dimensions is that of
principal component analysis (Bourlard & Kamp 1988; Baldi & Hornik 1989). With m the mean of the data, S their
covariance with eigenvalues lambda_1 >= ... >= lambda_D, and U of k orthonormal columns,

    f(e(x)) = m + U U^T (x - m)                                                         (pca-projection)
    L = tr S - tr U^T S U                                                        (pca-captured-variance)
    L >= lambda_{k+1} + ... + lambda_D                                                       (pca-error)

with equality if the columns of U are the eigenvectors of the k largest eigenvalues.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

from ..autograd import no_grad, raw
from ..backend import Array, RandomStream, checks
from ..distributions import sum_per_example
from ..networks import MLP, ConvDecoder, ConvEncoder
from ..nn import Flatten, Module, Sequential, Unflatten
from ..nn.context import evaluating


class Autoencoder(Module):
    """An encoder and a decoder, trained to reconstruct.

    Parameters
    ----------
    encoder : Module
        ``(batch, *shape) -> (batch, latent_dim)``.
    decoder : Module
        ``(batch, latent_dim) -> (batch, *shape)``.

    Examples
    --------
    >>> print(Autoencoder.dense(784, 256, 10))
    layer                            output shape  parameters
    ---------------------------------------------------------
    encoder.0  Flatten()             (batch, 784)           0
    encoder.1  Linear(784, 256)      (batch, 256)     200,960
    encoder.2  ReLU()                (batch, 256)           0
    encoder.3  Linear(256, 10)       (batch, 10)        2,570
    decoder.0  Linear(10, 256)       (batch, 256)       2,816
    decoder.1  ReLU()                (batch, 256)           0
    decoder.2  Linear(256, 784)      (batch, 784)     201,488
    decoder.3  Unflatten(1, (784,))  (batch, 784)           0
    ---------------------------------------------------------
    Autoencoder: 407,834 parameters
    """

    example_shape: tuple[int, ...] | None = None

    def __init__(self, encoder: Module, decoder: Module) -> None:
        self.encoder = checks.instance("encoder", encoder, Module)
        self.decoder = checks.instance("decoder", decoder, Module)

    @classmethod
    def dense(
        cls,
        input_dim: int | tuple[int, ...],
        hidden_dim: int,
        latent_dim: int,
        rng: RandomStream | None = None,
    ) -> Self:
        """input - hidden - latent - hidden - input, fully connected, with ReLU in the hidden layers.

        Parameters
        ----------
        input_dim : int or tuple of int
            The features of a vector, or the shape of an image such as (1, 28, 28).
        hidden_dim, latent_dim : int
        rng : RandomStream, optional
            Of the initial weights.
        """
        shape = checks.sizes("input_dim", input_dim)
        checks.whole("hidden_dim", hidden_dim)
        checks.whole("latent_dim", latent_dim)
        rng = RandomStream(0, "autoencoder") if rng is None else rng
        size = math.prod(shape)
        encoder = MLP([size, hidden_dim, latent_dim], rng=rng.child("encoder"))
        decoder = MLP([latent_dim, hidden_dim, size], rng=rng.child("decoder"))
        model = cls(Sequential(Flatten(), *encoder), Sequential(*decoder, Unflatten(1, shape)))
        model.example_shape = shape
        return model

    @classmethod
    def convolutional(
        cls,
        shape: Sequence[int],
        latent_dim: int,
        widths: Sequence[int] = (32, 64),
        rng: RandomStream | None = None,
    ) -> Self:
        """Convolutions that halve an image once for each width, a code, and the same back.

        Parameters
        ----------
        shape : (channels, height, width)
            Of one image; height and width divisible by ``2 ** len(widths)``.
        latent_dim : int
        widths : sequence of int
            The channels after each convolution.
        rng : RandomStream, optional
            Of the initial weights.
        """
        checks.whole("latent_dim", latent_dim)
        rng = RandomStream(0, "autoencoder") if rng is None else rng
        encoder = ConvEncoder(shape, latent_dim, widths, rng=rng.child("encoder"))
        model = cls(encoder, ConvDecoder(latent_dim, shape, widths[::-1], rng=rng.child("decoder")))
        model.example_shape = tuple(shape)
        return model

    def forward(self, x: Any) -> Any:
        """The reconstruction f(e(x))."""
        return self.decoder(self.encoder(x))

    def encode(self, x: Array) -> Array:
        """The code e(x): the same each time. Raw, shape (batch, latent_dim)."""
        with no_grad(), evaluating(self):
            return raw(self.encoder(checks.batch("x", x, self.example_shape)))

    def decode(self, z: Array) -> Array:
        """The reconstruction f(z) of codes. Raw, shape (batch, *shape)."""
        with no_grad(), evaluating(self):
            return raw(self.decoder(checks.shape("z", checks.floating("z", z), ("batch", "latent_dim"))))

    def reconstruct(self, x: Array) -> Array:
        """f(e(x)). Raw, of the shape of `x`."""
        return self.decode(self.encode(x))

    def anomaly_score(self, x: Array) -> Array:
        """How strange examples are: score(x) = |x - f(e(x))|^2, summed over the dimensions of each.

        Equation anomaly-score. Raw, shape (batch,), in the units of `x` squared: larger is stranger.

        Parameters
        ----------
        x : array, shape (batch, *shape)

        Raises
        ------
        TypeError, ValueError
            If `x` is no batch of finite examples of the right shape, or the decoder's output has another.
        """
        reconstructed = self.reconstruct(x)
        difference = checks.shape("decoder(z)", reconstructed, tuple(x.shape), "like x") - raw(x)
        return sum_per_example(difference * difference)  # (anomaly-score)

    def loss(
        self,
        x: Array,
        rng: RandomStream | None = None,
        labels: Array | None = None,
        *,
        corrupted: Array | None = None,
    ) -> Any:
        """The squared reconstruction error per example, |x - f(e(x))|^2, averaged over the batch.

        Equation autoencoder-loss, in the units of `x` squared. With `corrupted` the code is made of that, and
        compared with `x` all the same: equation denoising-loss.

        Parameters
        ----------
        x : array, shape (batch, *shape)
        rng : RandomStream, optional
            As for the other models; nothing is drawn here.
        labels : None
            As for the models that know classes; this one has none.
        corrupted : array, shape of `x`, optional
            A damaged copy of each example, drawn anew for every step.

        Raises
        ------
        TypeError, ValueError
            If `x` is no batch of finite examples of the right shape, `corrupted` or the decoder's output has
            another.
        """
        checks.batch("x", x, self.example_shape)
        checks.labels(labels, len(x), classes=None)
        seen = x if corrupted is None else checks.batch("corrupted", corrupted, tuple(x.shape[1:]))
        checks.shape("corrupted", seen, tuple(x.shape), "like x")
        difference = checks.shape("decoder(z)", self(seen), tuple(x.shape), "like x") - x
        return (difference * difference).sum() * (1 / len(x))  # (autoencoder-loss) (denoising-loss)
