"""Variational autoencoder (Kingma & Welling 2013): a latent-variable model trained through a lower bound.

Nature draws a latent ``z ~ p(z) = N(0, I)`` and then ``x ~ p(x|z)``, the likelihood, whose parameters the
decoder computes from z. The marginal, the evidence for x,

    p(x) = E_{p(z)} p(x|z),                                                               (vae-marginal)

is out of reach, but for any q(z|x)

    log p(x) = E_q log p(x|z) - KL(q(z|x) || p(z)) + KL(q(z|x) || p(z|x))               (vae-evidence)
            >= E_q log p(x|z) - KL(q(z|x) || p(z))  =  ELBO(x)                          (vae-elbo)

since the last KL, the distance of q from the true posterior, is never negative. The encoder gives q, a
diagonal Gaussian N(mu(x), sigma(x)^2), sampled so that derivatives pass through it:

    z = mu + sigma eps,   eps ~ N(0, I),   sigma = exp(log_var / 2)               (vae-reparameterisation)

With k samples the importance-weighted bound (Burda et al. 2015, eq. 8) is tighter,

    log p(x) >= E log 1/k sum_i p(x|z_i) p(z_i) / q(z_i|x),                             (vae-iwae)

increases with k and tends to log p(x). All are in nats per example, summed over its dimensions.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, Self

import numpy as np

from ..autograd import cat, logsumexp, no_grad, raw
from ..backend import Array, RandomStream
from ..distributions import Bernoulli, Normal, kl_divergence, sum_per_example
from ..networks import MLP, ConvDecoder, ConvEncoder, GaussianHeads
from ..nn import Buffer, Flatten, Linear, Module, Parameter, ReLU, Sequential, Unflatten
from ..nn.module import check_size, evaluating
from .inputs import (
    check_batch,
    check_codes,
    check_decoded,
    check_draw,
    check_example_shape,
    check_modules,
)

PRIOR = Normal(0.0, 0.0)
"""p(z) = N(0, I), of any shape."""


class VAE(Module):
    """An encoder for q(z|x) and a decoder for p(x|z), trained to raise the ELBO.

    Parameters
    ----------
    encoder : Module
        ``x -> (mu, log_var)``, each (batch, latent_dim); or to one array (batch, 2 latent_dim) of which they
        are the halves.
    decoder : Module
        ``(batch, latent_dim) -> (batch, *shape)``: the logits of a Bernoulli or the mean of a Normal.
    latent_dim : int
    likelihood : {"bernoulli", "normal"}
        p(x|z). On grey pixels the Bernoulli is a cross-entropy, not a density: binarise the data, or take
        "normal".
    beta : float
        The weight of the KL in the loss (Higgins et al. 2017); 1 gives the ELBO.
    sigma : float, optional
        Of the normal likelihood, for all pixels alike; left out, it is learnt (as ``decoder_log_var``).

    Examples
    --------
    >>> model = VAE.dense(784, 256, 10)
    >>> model.parameter_count()
    410404
    >>> model.sample(3, RandomStream(0)).shape
    (3, 784)
    """

    example_shape: tuple[int, ...] | None = None

    def __init__(
        self,
        encoder: Module,
        decoder: Module,
        latent_dim: int,
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        sigma: float | None = None,
    ) -> None:
        if likelihood not in ("bernoulli", "normal"):
            raise ValueError(f"likelihood: got {likelihood!r}, expected 'bernoulli' or 'normal'")
        if not isinstance(beta, int | float | np.number) or not 0 <= beta < math.inf:
            raise ValueError(f"beta: got {beta!r}, expected a finite number, 0 or more")
        if sigma is not None and not (likelihood == "normal" and 0 < sigma < math.inf):
            raise ValueError(
                f"sigma: got {sigma} with likelihood {likelihood!r}, expected a positive one with 'normal'"
            )
        check_modules(encoder=encoder, decoder=decoder)
        self.encoder = encoder
        self.decoder = decoder
        self.latent_dim = check_size("latent_dim", latent_dim)
        self.likelihood_name = likelihood
        self.beta = beta
        if likelihood == "normal":
            log_var = np.array(0.0 if sigma is None else 2 * math.log(sigma), np.float32)
            self.decoder_log_var: Any = Parameter(log_var) if sigma is None else Buffer(log_var)

    @classmethod
    def dense(
        cls,
        input_dim: int | tuple[int, ...],
        hidden_dim: int,
        latent_dim: int,
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        sigma: float | None = None,
        rng: RandomStream | None = None,
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
        """
        shape = check_example_shape(input_dim)
        check_size("hidden_dim", hidden_dim)
        check_size("latent_dim", latent_dim)
        rng = RandomStream(0, "vae") if rng is None else rng
        encoder = Sequential(
            Flatten(),
            Linear(math.prod(shape), hidden_dim, rng=rng.child("encoder")),
            ReLU(),
            GaussianHeads(hidden_dim, latent_dim, rng=rng.child("heads")),
        )
        decoder = MLP([latent_dim, hidden_dim, math.prod(shape)], rng=rng.child("decoder"))
        model = cls(encoder, Sequential(*decoder, Unflatten(1, shape)), latent_dim, likelihood, beta, sigma)
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
        sigma: float | None = None,
        rng: RandomStream | None = None,
    ) -> Self:
        """Convolutions that halve an image once for each width, (mu, log_var), and the same back.

        Parameters
        ----------
        shape : (channels, height, width)
            Of one image; height and width divisible by ``2 ** len(widths)``.
        latent_dim : int
        widths : sequence of int
            The channels after each convolution.
        likelihood, beta, sigma
            As for the class.
        rng : RandomStream, optional
            Of the initial weights.
        """
        check_size("latent_dim", latent_dim)
        rng = RandomStream(0, "vae") if rng is None else rng
        encoder = ConvEncoder(shape, 2 * latent_dim, widths, rng=rng.child("encoder"))
        decoder = ConvDecoder(latent_dim, shape, widths[::-1], rng=rng.child("decoder"))
        model = cls(encoder, decoder, latent_dim, likelihood, beta, sigma)
        model.example_shape = tuple(shape)
        return model

    def posterior(self, x: Array) -> Normal:
        """q(z|x): a Normal of shape (batch, latent_dim)."""
        return self._posterior(check_batch(x, self.example_shape))

    def _posterior(self, x: Array) -> Normal:
        encoded = self.encoder(x)
        if not isinstance(encoded, tuple):
            encoded = encoded[:, : self.latent_dim], encoded[:, self.latent_dim :]
        mean, log_var = encoded
        if mean.shape != (len(x), self.latent_dim) or log_var.shape != mean.shape:
            raise ValueError(
                f"encoder: gave mu {tuple(mean.shape)} and log_var {tuple(log_var.shape)}, "
                f"expected both {(len(x), self.latent_dim)}"
            )
        return Normal(mean, log_var)

    def likelihood(self, z: Any) -> Bernoulli | Normal:
        """p(x|z): a Bernoulli or a Normal of shape (batch, *shape)."""
        return self._likelihood_of(self.decoder(check_codes(z, self.latent_dim)))

    def _likelihood_of(self, decoded: Any) -> Bernoulli | Normal:
        """p(x|z) from what the decoder gave: for a normal a squared error with a scale, and its best scale.

        -log p(x|z) = |x - mu|^2 / (2 sigma^2) + D/2 log(2 pi sigma^2)       (vae-normal-likelihood)
        sigma^2 = E |x - mu|^2 / D   at the minimum over sigma                   (vae-optimal-sigma)
        """
        if self.likelihood_name == "bernoulli":
            return Bernoulli(decoded)
        return Normal(decoded, self.decoder_log_var)

    def forward(self, x: Array) -> Any:
        """The mean of p(x|z) at the mean of q(z|x)."""
        return self.likelihood(self.posterior(x).mean).mean

    def elbo_terms(self, x: Array, rng: RandomStream) -> tuple[Any, Any]:
        """``E_q log p(x|z)``, by one sample, and ``KL(q(z|x) || p(z))``: each (batch,), in nats."""
        q = self._posterior(self._check(x))
        decoded = check_decoded(self.decoder(q.rsample(rng)), x)
        log_likelihood = self._likelihood_of(decoded).log_prob_per_example(x)
        return log_likelihood, sum_per_example(kl_divergence(q, PRIOR))

    def _check(self, x: Array) -> Array:
        """`x`, if it is a batch of values that p(x|z) can give (for a Bernoulli grey values may pass)."""
        return check_batch(x, self.example_shape, zero_to_one=self.likelihood_name == "bernoulli")

    def elbo(self, x: Array, rng: RandomStream) -> Any:
        """The lower bound on log p(x), equation vae-elbo: (batch,), in nats.

        Parameters
        ----------
        x : array, shape (batch, *shape)
        rng : RandomStream
            Of the one sample of z for each example.

        Raises
        ------
        TypeError, ValueError
            If `x` is no batch of finite examples of the right shape (for a Bernoulli, within [0, 1]), or
            encoder or decoder give a wrong shape.
        """
        log_likelihood, kl = self.elbo_terms(x, rng)
        return log_likelihood - kl

    def loss_terms(self, x: Array, rng: RandomStream) -> dict[str, Any]:
        """Its terms and the loss, each averaged over the batch, in nats per example.

        loss = mean_i (beta KL(q(z|x_i) || p(z)) - E_q log p(x_i|z))                      (vae-loss)
        """
        log_likelihood, kl = (term.mean() for term in self.elbo_terms(x, rng))
        return {"loss": self.beta * kl - log_likelihood, "reconstruction": -log_likelihood, "kl": kl}

    def loss(self, x: Array, rng: RandomStream) -> Any:
        """Minus the ELBO averaged over the batch (if beta = 1), in nats per example."""
        return self.loss_terms(x, rng)["loss"]

    def log_marginal(self, x: Array, rng: RandomStream, samples: int = 100, chunk: int = 50) -> Any:
        """The importance-weighted bound on log p(x) with k = `samples`, equation vae-iwae: (batch,), in nats.

        Parameters
        ----------
        samples : int
            k. With 1 this is the ELBO, with its KL by Monte Carlo.
        chunk : int
            How many of the samples are decoded at once; without ``sg.no_grad()`` memory holds all of them.
        """
        check_size("samples", samples)
        check_size("chunk", chunk)
        q = self._posterior(self._check(x))
        log_weights = []
        for start in range(0, samples, chunk):
            z = q.rsample(rng, samples=min(chunk, samples - start))  # (chunk, batch, latent_dim)
            log_weights.append(self._log_joint(x, z) - q.log_prob_per_example(z, leading=2))
        return logsumexp(cat(log_weights, axis=0), axis=0) - math.log(samples)

    def _log_joint(self, x: Array, z: Any) -> Any:
        """log p(x, z) for latents of shape (samples, batch, latent_dim): (samples, batch), in nats."""
        decoded = self.decoder(z.reshape((-1, self.latent_dim)))  # (samples * batch, *shape)
        decoded = decoded.reshape((*z.shape[:2], *decoded.shape[1:]))  # (samples, batch, *shape)
        check_decoded(decoded[0], x)
        log_likelihood = self._likelihood_of(decoded).log_prob_per_example(x, leading=2)
        return log_likelihood + PRIOR.log_prob_per_example(z, leading=2)

    def encode(self, x: Array) -> Array:
        """The mean of q(z|x). Raw, shape (batch, latent_dim)."""
        with no_grad(), evaluating(self):
            return raw(self.posterior(x).mean)

    def decode(self, z: Array) -> Array:
        """The mean of p(x|z). Raw, shape (batch, *shape)."""
        with no_grad(), evaluating(self):
            return raw(self.likelihood(z).mean)

    def reconstruct(self, x: Array) -> Array:
        """The mean of p(x|z) at the mean of q(z|x). Raw, of the shape of `x`."""
        return self.decode(self.encode(x))

    def sample(self, n: int, rng: RandomStream, noise: bool = False) -> Array:
        """`n` examples from the model: z from the prior, then x from p(x|z).

        As in `encode` and `decode`, batch norm takes its running statistics: an example depends on no other.

        Parameters
        ----------
        n : int
        rng : RandomStream
        noise : bool
            Whether to draw x from p(x|z), as the model has it, or to give its mean, as pictures mostly show.

        Returns
        -------
        array, shape (n, *shape)
        """
        check_draw(n, rng)
        with no_grad(), evaluating(self):
            p = self.likelihood(rng.normal((n, self.latent_dim), next(self.parameters()).dtype))
            return raw(p.sample(rng) if noise else p.mean)
