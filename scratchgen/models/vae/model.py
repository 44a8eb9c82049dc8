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

Told a label y, encoder and decoder, the same bound holds for each class, and z is left to say the rest:

    log p(x|y) >= E_q(z|x,y) log p(x|z,y) - KL(q(z|x,y) || p(z))                    (vae-conditional-elbo)

With S samples the importance-weighted bound (Burda et al. 2015, eq. 8) is tighter,

    log p(x) >= E log 1/S sum_i p(x|z_i) p(z_i) / q(z_i|x),                             (vae-iwae)

never falls with S and, if the weights are bounded, tends to log p(x). All are in nats per example, summed
over its dimensions.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...autograd import batch_mean, cat, logsumexp, maximum
from ...backend import Array, RandomStream, check_rng, checks
from ...distributions import Bernoulli, Normal, kl_divergence, sum_per_example
from ...networks.gaussian import mean_and_log_var
from ...nn import Module
from .building import Built
from .likelihoods import LIKELIHOODS, Levels, levels_of, likelihood_of, spread_of
from .priors import VampPrior, check_prior
from .uses import Uses

PRIOR = Normal(0.0, 0.0)
"""p(z) = N(0, I), of any shape."""


class VAE(Uses, Built):
    """An encoder for q(z|x) and a decoder for p(x|z), trained to raise the ELBO.

    Parameters
    ----------
    encoder : Module
        ``x -> (mu, log_var)``, each (batch, latent_dim); or to one array (batch, 2 latent_dim) of which they
        are the halves. With `classes`, ``encoder(x, labels)``.
    decoder : Module
        ``(batch, latent_dim) -> (batch, *shape)``: the logits of a Bernoulli, or the mean of a Normal, or its
        mean and log-variance; of a Categorical the logits, (batch, channels levels, ...), those of the first
        channel's levels first. With `classes`, ``decoder(z, labels)``.
    latent_dim : int
    likelihood : {"bernoulli", "normal", "categorical"}
        p(x|z). On grey pixels the Bernoulli is a cross-entropy, not a density: binarise the data, or take
        one of the others.
    beta : float
        The weight of the KL in the loss (Higgins et al. 2017); 1 gives the ELBO.
    sigma : float or "pixels", optional
        Of the normal likelihood: a number for all pixels alike; left out, it is learnt (as
        ``decoder_log_var``); "pixels" if the decoder gives one for each, as log-variances beside the means.
    levels : int, optional
        Of the categorical likelihood: how many levels a pixel has, 2 to 256. A value v of [0, 1] has level
        ``floor(levels * v)``, and 1 has the highest.
    prior : Module, optional
        p(z), with ``log_prob(z)``, (..., latent_dim) -> (...), and ``sample(n, rng)``, such as
        `MixturePrior`; left out, N(0, I).
    classes : int, optional
        How many labels there are, for a model that is told one.
    free_bits : float
        Nats of KL that each latent dimension may have at no cost in the loss (Kingma et al. 2016).

    Raises
    ------
    TypeError, ValueError
        If a number is out of its range, or does not belong to this likelihood or prior.

    Examples
    --------
    >>> model = VAE.dense(784, 256, 10)
    >>> model.parameter_count()
    410404
    >>> model.sample(3, RandomStream(0)).shape
    (3, 784)
    >>> VAE.dense(64, 32, 2, "categorical", levels=17, classes=10).sample(3, RandomStream(0), labels=7).shape
    (3, 64)
    """

    def __init__(
        self,
        encoder: Module,
        decoder: Module,
        latent_dim: int,
        likelihood: str = "bernoulli",
        beta: float = 1.0,
        sigma: float | str | None = None,
        levels: int | None = None,
        prior: Any = None,
        classes: int | None = None,
        free_bits: float = 0.0,
    ) -> None:
        self.encoder = checks.instance("encoder", encoder, Module)
        self.decoder = checks.instance("decoder", decoder, Module)
        self.latent_dim = checks.whole("latent_dim", latent_dim)
        self.likelihood_name = checks.one_of("likelihood", likelihood, LIKELIHOODS)
        self.beta = checks.number("beta", beta, "[0, inf)")
        self.decoder_log_var = spread_of(likelihood, sigma)
        self.levels = levels_of(likelihood, levels)
        self.classes = None if classes is None else checks.whole("classes", classes)
        self.prior = check_prior(prior)
        if classes is not None and isinstance(prior, VampPrior):
            raise ValueError("prior: got a VampPrior with classes, expected one whose encoder needs no label")
        self.free_bits = checks.number("free_bits", free_bits, "[0, inf)")
        if free_bits and prior is not None:
            raise ValueError(
                f"free_bits: got {free_bits} with a prior, expected 0: they are counted for each latent "
                "dimension, which only the closed form for N(0, I) does"
            )

    def posterior(self, x: Array, *, labels: Any = None) -> Normal:
        """q(z|x), or q(z|x, label): a Normal of shape (batch, latent_dim)."""
        checks.batch("x", x, self.example_shape)
        told = self._told(labels, (len(x),))
        mean, log_var = mean_and_log_var(self.encoder(x, *told))
        checks.shape("mu of encoder(x)", mean, (len(x), self.latent_dim))
        checks.shape("log_var of encoder(x)", log_var, (len(x), self.latent_dim))
        return Normal(mean, log_var)

    def likelihood(self, z: Any, *, labels: Any = None) -> Bernoulli | Normal | Levels:
        """p(x|z), or p(x|z, label): of shape (..., *shape) for codes (..., latent_dim).

        For a normal it is a squared error with a scale, which has a best value:

        -log p(x|z) = |x - mu|^2 / (2 sigma^2) + D/2 log(2 pi sigma^2)       (vae-normal-likelihood)
        sigma^2 = E |x - mu|^2 / D   at the minimum over sigma                   (vae-optimal-sigma)

        Parameters
        ----------
        z : array or Tensor, shape (..., batch, latent_dim)
        labels : array of int, shape (batch,), or int, optional
        """
        checks.shape("z", checks.floating("z", z), ("batch", ..., self.latent_dim))
        lead = tuple(z.shape[:-1])
        codes = z if len(lead) == 1 else z.reshape((-1, self.latent_dim))
        decoded = self.decoder(codes, *self._told(labels, lead))
        return likelihood_of(decoded, lead, self.likelihood_name, self.decoder_log_var, self.levels)

    def _told(self, labels: Any, lead: tuple[int, ...]) -> tuple[Array, ...]:
        """What encoder and decoder get besides x or z: the labels (batch,), for each of (..., batch)."""
        given = checks.labels(labels, lead[-1], self.classes, needed=True)
        return () if given is None else (np.broadcast_to(given, lead).reshape(-1),)

    def forward(self, x: Array, labels: Any = None) -> Any:
        """The mean of p(x|z) at the mean of q(z|x)."""
        return self.likelihood(self.posterior(x, labels=labels).mean, labels=labels).mean

    def elbo_terms(self, x: Array, rng: RandomStream, *, labels: Any = None) -> tuple[Any, Any]:
        """``E_q log p(x|z)`` and ``KL(q(z|x) || p(z))``, by one sample of z: each (batch,), in nats."""
        log_likelihood, kl = self._bound(x, rng, labels)
        return log_likelihood, sum_per_example(kl)

    def _bound(self, x: Array, rng: RandomStream | None, labels: Any) -> tuple[Any, Any]:
        """The terms of the bound; the KL is (batch, latent_dim) where it has a closed form, else (batch,)."""
        rng = check_rng(rng)
        q = self.posterior(x, labels=labels)
        z = q.rsample(rng)  # (vae-reparameterisation)
        p = self.likelihood(z, labels=labels)
        checks.shape("decoder(z)", p, tuple(x.shape), "like x")  # another might broadcast
        if self.prior is None:
            kl = kl_divergence(q, PRIOR)
        else:
            kl = q.log_prob_per_example(z) - self._log_prior(z)  # (vae-prior-kl)
        return p.log_prob_per_example(x), kl

    def _log_prior(self, z: Any) -> Any:
        """log p(z) of codes (..., latent_dim): (...), in nats."""
        if self.prior is None:
            return PRIOR.log_prob_per_example(z, leading=z.ndim - 1)
        return checks.shape(
            "prior.log_prob(z)", self.prior.log_prob(z), tuple(z.shape[:-1]), "one for each z"
        )

    def elbo(self, x: Array, rng: RandomStream, *, labels: Any = None) -> Any:
        """The lower bound on log p(x), equation vae-elbo: (batch,), in nats.

        Parameters
        ----------
        x : array, shape (batch, *shape)
        rng : RandomStream
            Of the one sample of z for each example.
        labels : array of int, shape (batch,), or int, optional
            For a model with classes, whose bound is on log p(x|label), equation vae-conditional-elbo.

        Raises
        ------
        TypeError, ValueError
            If `x` is no batch of finite examples of the right shape (but for a normal, within [0, 1]), labels
            do not fit, or encoder or decoder give a wrong shape.
        """
        log_likelihood, kl = self.elbo_terms(x, rng, labels=labels)
        return log_likelihood - kl  # (vae-elbo) (vae-conditional-elbo)

    def loss(self, x: Array, rng: RandomStream | None = None, labels: Any = None) -> Any:
        """Minus the ELBO averaged over the batch (if beta = 1, without free bits), in nats per example.

        Parameters
        ----------
        x, rng, labels
            As for `elbo`.
        """
        return self.loss_terms(x, rng, labels)["loss"]

    def loss_terms(self, x: Array, rng: RandomStream | None = None, labels: Any = None) -> dict[str, Any]:
        """Its terms and the loss, each averaged over the batch, in nats per example.

        loss = mean_i (beta KL(q(z|x_i) || p(z)) - E_q log p(x_i|z))                      (vae-loss)

        With free bits f the KL counts, in the loss, for each latent dimension at least f, so that none gains
        by saying less than that:

        sum_j max(f, mean_i KL_j(x_i))   instead of   mean_i KL(x_i)                 (vae-free-bits)
        """
        log_likelihood, kl = self._bound(x, rng, labels)
        log_likelihood, total = log_likelihood.mean(), sum_per_example(kl).mean()
        price = maximum(batch_mean(kl), self.free_bits).sum() if self.free_bits else total  # (vae-free-bits)
        loss = self.beta * price - log_likelihood  # (vae-loss)
        return {"loss": loss, "reconstruction": -log_likelihood, "kl": total}

    def log_marginal(
        self, x: Array, rng: RandomStream, samples: int = 100, chunk: int = 50, *, labels: Any = None
    ) -> Any:
        """The importance-weighted bound on log p(x) with S = `samples`, equation vae-iwae: (batch,), in nats.

        Parameters
        ----------
        samples : int
            S. With 1 this is the ELBO, with its KL by Monte Carlo.
        chunk : int
            How many of the samples are decoded at once; without ``sg.no_grad()`` memory holds all of them.
        labels : array of int, shape (batch,), or int, optional
            As for `elbo`.
        """
        samples, chunk = checks.whole("samples", samples), checks.whole("chunk", chunk)
        q = self.posterior(x, labels=labels)
        log_weights = []
        for start in range(0, samples, chunk):
            z = q.rsample(check_rng(rng), samples=min(chunk, samples - start))  # (chunk, batch, latent_dim)
            p = self.likelihood(z, labels=labels)
            checks.shape("decoder(z)", p, (len(z), *x.shape), "like x for each sample")
            log_joint = p.log_prob_per_example(x, leading=2) + self._log_prior(z)  # (importance-weight)
            # (chunk, batch)
            log_weights.append(log_joint - q.log_prob_per_example(z, leading=2))  # (importance-weight)
        return logsumexp(cat(log_weights, axis=0), axis=0) - math.log(samples)  # (vae-iwae)
