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
from ..backend import Array, RandomStream, check_rng, checks
from ..distributions import Bernoulli, Normal, kl_divergence, sum_per_example
from ..networks import MLP, ConvDecoder, ConvEncoder, GaussianHeads
from ..nn import Buffer, Flatten, Linear, Module, Parameter, ReLU, Sequential, Unflatten
from ..nn.context import evaluating

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
        self.encoder = checks.instance("encoder", encoder, Module)
        self.decoder = checks.instance("decoder", decoder, Module)
        self.latent_dim = checks.whole("latent_dim", latent_dim)
        self.likelihood_name = checks.one_of("likelihood", likelihood, ("bernoulli", "normal"))
        self.beta = checks.number("beta", beta, "[0, inf)")
        if likelihood == "normal":
            log_var = np.zeros((), np.float32)
            if sigma is not None:
                log_var += 2 * math.log(checks.number("sigma", sigma, "(0, inf)"))
            self.decoder_log_var: Any = Parameter(log_var) if sigma is None else Buffer(log_var)
        elif sigma is not None:
            raise ValueError(f"sigma: got {sigma} with likelihood {likelihood!r}, expected it with 'normal'")

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
        shape = checks.sizes("input_dim", input_dim)
        checks.whole("hidden_dim", hidden_dim)
        checks.whole("latent_dim", latent_dim)
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
        checks.whole("latent_dim", latent_dim)
        rng = RandomStream(0, "vae") if rng is None else rng
        encoder = ConvEncoder(shape, 2 * latent_dim, widths, rng=rng.child("encoder"))
        decoder = ConvDecoder(latent_dim, shape, widths[::-1], rng=rng.child("decoder"))
        model = cls(encoder, decoder, latent_dim, likelihood, beta, sigma)
        model.example_shape = tuple(shape)
        return model

    def posterior(self, x: Array) -> Normal:
        """q(z|x): a Normal of shape (batch, latent_dim)."""
        encoded = self.encoder(checks.batch("x", x, self.example_shape))
        if not isinstance(encoded, tuple):
            encoded = encoded[:, : self.latent_dim], encoded[:, self.latent_dim :]
        mean, log_var = encoded
        checks.shape("mu of encoder(x)", mean, (len(x), self.latent_dim))
        checks.shape("log_var of encoder(x)", log_var, (len(x), self.latent_dim))
        return Normal(mean, log_var)

    def likelihood(self, z: Any) -> Bernoulli | Normal:
        """p(x|z): a Bernoulli or a Normal of shape (..., *shape) for codes (..., latent_dim).

        For a normal it is a squared error with a scale, which has a best value:

        -log p(x|z) = |x - mu|^2 / (2 sigma^2) + D/2 log(2 pi sigma^2)       (vae-normal-likelihood)
        sigma^2 = E |x - mu|^2 / D   at the minimum over sigma                   (vae-optimal-sigma)
        """
        checks.shape("z", checks.floating("z", z), ("batch", ..., self.latent_dim))
        if z.ndim == 2:
            decoded = self.decoder(z)
        else:
            decoded = self.decoder(z.reshape((-1, self.latent_dim)))
            decoded = decoded.reshape((*z.shape[:-1], *decoded.shape[1:]))
        if self.likelihood_name == "bernoulli":
            return Bernoulli(decoded)
        return Normal(decoded, self.decoder_log_var)  # (vae-normal-likelihood)

    def forward(self, x: Array) -> Any:
        """The mean of p(x|z) at the mean of q(z|x)."""
        return self.likelihood(self.posterior(x).mean).mean

    def elbo_terms(self, x: Array, rng: RandomStream) -> tuple[Any, Any]:
        """``E_q log p(x|z)``, by one sample, and ``KL(q(z|x) || p(z))``: each (batch,), in nats."""
        q = self.posterior(x)
        p = self.likelihood(q.rsample(check_rng(rng)))  # (vae-reparameterisation)
        checks.shape("decoder(z)", p, tuple(x.shape), "like x")  # another might broadcast
        return p.log_prob_per_example(x), sum_per_example(kl_divergence(q, PRIOR))  # (vae-elbo)

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
        return log_likelihood - kl  # (vae-elbo)

    def loss(self, x: Array, rng: RandomStream | None = None, labels: Array | None = None) -> Any:
        """Minus the ELBO averaged over the batch (if beta = 1), in nats per example.

        Parameters
        ----------
        x, rng
            As for `elbo`.
        labels : None
            As for the models that know classes; this one has none.
        """
        return self.loss_terms(x, rng, labels)["loss"]

    def loss_terms(
        self, x: Array, rng: RandomStream | None = None, labels: Array | None = None
    ) -> dict[str, Any]:
        """Its terms and the loss, each averaged over the batch, in nats per example.

        loss = mean_i (beta KL(q(z|x_i) || p(z)) - E_q log p(x_i|z))                      (vae-loss)
        """
        checks.labels(labels, len(x), classes=None)
        log_likelihood, kl = (term.mean() for term in self.elbo_terms(x, check_rng(rng)))
        loss = self.beta * kl - log_likelihood  # (vae-loss)
        return {"loss": loss, "reconstruction": -log_likelihood, "kl": kl}

    def log_marginal(self, x: Array, rng: RandomStream, samples: int = 100, chunk: int = 50) -> Any:
        """The importance-weighted bound on log p(x) with k = `samples`, equation vae-iwae: (batch,), in nats.

        Parameters
        ----------
        samples : int
            k. With 1 this is the ELBO, with its KL by Monte Carlo.
        chunk : int
            How many of the samples are decoded at once; without ``sg.no_grad()`` memory holds all of them.
        """
        samples, chunk = checks.whole("samples", samples), checks.whole("chunk", chunk)
        q = self.posterior(x)
        log_weights = []
        for start in range(0, samples, chunk):
            z = q.rsample(check_rng(rng), samples=min(chunk, samples - start))  # (chunk, batch, latent_dim)
            p = self.likelihood(z)
            checks.shape("decoder(z)", p, (len(z), *x.shape), "like x for each sample")
            log_joint = p.log_prob_per_example(x, leading=2) + PRIOR.log_prob_per_example(z, leading=2)
            log_weights.append(log_joint - q.log_prob_per_example(z, leading=2))  # (chunk, batch)
        return logsumexp(cat(log_weights, axis=0), axis=0) - math.log(samples)  # (vae-iwae)

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
        n, rng = checks.whole("n", n, 0), check_rng(rng)
        with no_grad(), evaluating(self):
            dtype = next(self.parameters()).dtype
            p = self.likelihood(rng.normal((n, self.latent_dim), dtype))  # (vae-marginal)
            return raw(p.sample(rng) if noise else p.mean)
