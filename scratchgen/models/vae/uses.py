"""What a trained VAE is used for: codes, reconstructions, samples, and a score of strange examples."""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd import no_grad, raw
from ...backend import Array, RandomStream, check_rng, checks
from ...nn import Module
from ...nn.context import evaluating


class Uses(Module):
    """The part of `VAE` that draws and tells, without gradients and in evaluation."""

    latent_dim: int
    classes: int | None
    prior: Any
    posterior: Any
    likelihood: Any
    elbo: Any

    def anomaly_score(self, x: Array, rng: RandomStream, samples: int = 1, *, labels: Any = None) -> Array:
        """How strange examples are: minus the bound, in nats. Raw, shape (batch,); larger is stranger.

        score(x) = -1/S sum_s ELBO_s(x),   each by a sample of z of its own          (vae-anomaly-score)

        Parameters
        ----------
        x, rng, labels
            As for `elbo`.
        samples : int
            S.
        """
        samples = checks.whole("samples", samples)
        with no_grad(), evaluating(self):
            bounds = [raw(self.elbo(x, rng, labels=labels)) for _ in range(samples)]
        return -np.stack(bounds).mean(axis=0)  # (vae-anomaly-score)

    def encode(self, x: Array, *, labels: Any = None) -> Array:
        """The mean of q(z|x). Raw, shape (batch, latent_dim)."""
        with no_grad(), evaluating(self):
            return raw(self.posterior(x, labels=labels).mean)

    def decode(self, z: Array, *, labels: Any = None) -> Array:
        """The mean of p(x|z). Raw, shape (batch, *shape)."""
        with no_grad(), evaluating(self):
            return raw(self.likelihood(z, labels=labels).mean)

    def reconstruct(self, x: Array, *, labels: Any = None) -> Array:
        """The mean of p(x|z) at the mean of q(z|x). Raw, of the shape of `x`."""
        return self.decode(self.encode(x, labels=labels), labels=labels)

    def sample(self, n: int, rng: RandomStream, noise: bool = False, *, labels: Any = None) -> Array:
        """`n` examples from the model: z from the prior, then x from p(x|z).

        As in `encode` and `decode`, batch norm takes its running statistics: an example depends on no other.

        Parameters
        ----------
        n : int
        rng : RandomStream
        noise : bool
            Whether to draw x from p(x|z), as the model has it, or to give its mean, as pictures mostly show.
        labels : array of int, shape (n,), or int, optional
            Left out for a model with classes, they are drawn, each as likely as any other.

        Returns
        -------
        array, shape (n, *shape)
        """
        n, rng = checks.whole("n", n, 0), check_rng(rng)
        labels = checks.labels(labels, n, self.classes)
        if labels is None and self.classes is not None:
            labels = rng.integers(0, self.classes, (n,))
        with no_grad(), evaluating(self):
            if self.prior is None:
                z = rng.normal((n, self.latent_dim), next(self.parameters()).dtype)
            else:
                z = checks.shape("prior.sample(n, rng)", self.prior.sample(n, rng), (n, self.latent_dim))
            p = self.likelihood(z, labels=labels)  # (vae-marginal)
            return raw(p.sample(rng) if noise else p.mean)
