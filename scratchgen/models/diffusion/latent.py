"""Latent diffusion: an autoencoder makes images small, and the diffusion happens there (Rombach et al. 2022).

Most bits of an image are details that nobody looks for, and a diffusion model spends as much on each pixel of
them as on what matters. So first an autoencoder learns z = e(x), a smaller *image* of a few channels, and
f(z), which gives the details back; then a diffusion model learns the distribution of z. Each step costs less
by the ratio of the places, and only the last thing that is done to a sample is to decode it.

A diffusion has noise of variance 1 at its end and expects data of about that size. So z is scaled,

    z' = c z,   c = 1 / sqrt(mean of (z - mean z)^2),                                           (latent-scale)

by one number for all: the mean and the variance are those of all components of many examples.

If the autoencoder is a VAE there is still a bound on the likelihood. Its ELBO holds for any prior p(z); with
that of the diffusion model, whose own bound is -log p(z') <= B(z'), and p(z) = p(z') c^J for J components,

    -log p(x) <= E_q[-log p(x|z) + log q(z|x) + B(c z)] - J log c.                              (latent-bound)

The first term is what the decoder does not know; the rest is what the latents cost, in nats. Where N(0, I)
was the prior, the rest was KL(q(z|x) || N(0, I)), and it is smaller now by as much as the diffusion model
knows better than N(0, I) where the codes of data are:

    E_x KL(q(z|x) || p) = I(x; z) + KL(q(z) || p),   q(z) = E_x q(z|x),                     (latent-prior-gap)

of which only the second term depends on the prior. An autoencoder that is no VAE has no such bound: it says
nothing of how likely x is, given z.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd import no_grad, raw
from ...backend import Array, RandomStream, asnumpy, check_rng, checks
from ...backend.ranks import whole_batch
from ...nn import Buffer, Module
from ...nn.context import evaluating
from ..autoencoder import Autoencoder
from ..vae import VAE
from .ddpm import DDPM


class LatentDiffusion(Module):
    """A diffusion model of the codes of an autoencoder, which is trained before, and does not change here.

    Parameters
    ----------
    autoencoder : VAE or Autoencoder
        With as many latents as `ddpm` has components; of a VAE samples of q(z|x) are learnt.
    ddpm : DDPM
        Of codes. What it has as `levels` is set to None: codes are no grey levels.

    Attributes
    ----------
    scale : Buffer
        c of equation latent-scale; 0 until it is known, from `calibrate` or the first batch of `loss`.

    Raises
    ------
    TypeError, ValueError
        If one of the two is something else, or the autoencoder is told labels.

    Examples
    --------
    >>> from scratchgen.models.diffusion import cosine_schedule
    >>> from scratchgen.networks import UNet
    >>> ddpm = DDPM(UNet(4, width=8, multipliers=(1, 2)), cosine_schedule(100), (4, 2, 2))
    >>> model = LatentDiffusion(VAE.convolutional((1, 8, 8), 16), ddpm)
    >>> model.calibrate(np.ones((20, 1, 8, 8), np.float32), RandomStream(0)).sample(3, RandomStream(0)).shape
    (3, 1, 8, 8)
    """

    def __init__(self, autoencoder: VAE | Autoencoder, ddpm: DDPM) -> None:
        hint = "with encode(x) and decode(z)"
        self.autoencoder: Any = checks.instance("autoencoder", autoencoder, (VAE, Autoencoder), hint)
        if getattr(autoencoder, "classes", None) is not None:
            raise ValueError("autoencoder: got one that is told labels, expected one without classes")
        self.ddpm = checks.instance("ddpm", ddpm, DDPM)
        self.ddpm.levels = None
        self.scale = Buffer(np.zeros((), np.float32))
        self._calibrated = False

    def calibrate(self, x: Array, rng: RandomStream | None = None) -> LatentDiffusion:
        """Take the scale of the codes from many examples, equation latent-scale, and return the model.

        Parameters
        ----------
        x : array, shape (batch, *shape)
            Such as all training data: of a small batch the scale is a matter of chance.
        rng : RandomStream, optional
            Of the codes, for a VAE.

        Raises
        ------
        ValueError
            If all codes are the same number.
        """
        z = asnumpy(whole_batch(self._codes(x, rng))).astype(np.float64)  # of a batch: of all ranks
        spread = float(np.sqrt(((z - z.mean()) ** 2).mean()))  # (latent-scale)
        if not spread > 0:
            raise ValueError("autoencoder: got the same number as every code, expected codes that differ")
        self.scale.data[...] = 1 / spread  # (latent-scale)
        self._calibrated = True
        return self

    def encode(self, x: Array, rng: RandomStream | None = None) -> Array:
        """The scaled codes z', as the diffusion model learns them: raw, (batch, *ddpm.shape)."""
        return self._codes(x, rng) * self._known_scale()

    def decode(self, z: Array) -> Array:
        """The images of scaled codes, raw: the mean of p(x|z) of a VAE, in its units."""
        checks.batch("z", z, self.ddpm.shape)
        return self.autoencoder.decode((z / self._known_scale()).reshape((len(z), -1)))

    def loss(self, x: Array, rng: RandomStream | None = None, labels: Array | None = None) -> Any:
        """The loss of the diffusion model on the codes of `x`, as `DDPM.loss` has it; no other is trained.

        Parameters
        ----------
        x : array, shape (batch, *shape)
            As the autoencoder reads them.
        rng : RandomStream
            Of the codes, the times and the noise.
        labels : array of int, shape (batch,), optional
            For a diffusion model with classes.
        """
        rng = check_rng(rng)
        if not self._is_calibrated():
            self.calibrate(x, rng)
        return self.ddpm.loss(self.encode(x, rng), rng, labels)

    def sample(
        self, n: int, rng: RandomStream, labels: Any = None, guidance: float = 0.0, steps: int | None = None
    ) -> Array:
        """`n` images: a code by the diffusion model, decoded. Raw, shape (n, *shape).

        Parameters
        ----------
        n, rng, labels, guidance
            As for `DDPM.sample`.
        steps : int, optional
            With so many steps of the probability flow (`DDPM.ode_sample`); with all T of `DDPM.sample` unless
            given.
        """
        if steps is None:
            z = self.ddpm.sample(n, rng, labels, guidance)
        else:
            z = self.ddpm.ode_sample(n, rng, steps, labels, guidance)
        return self.decode(z)

    def bound(
        self, x: Array, rng: RandomStream, labels: Array | None = None, steps: int | None = None
    ) -> dict[str, Array]:
        """The bound on -log p(x), equation latent-bound, and its two parts: raw, each (batch,), in nats.

        Parameters
        ----------
        x : array, shape (batch, *shape)
        rng : RandomStream
            Of one code for each example, and as for `DDPM.bound`.
        labels, steps
            As for `DDPM.bound`.

        Returns
        -------
        dict
            ``reconstruction``: -log p(x|z); ``latents``: the rest; ``bound``: their sum.

        Raises
        ------
        TypeError
            If the autoencoder is no VAE.
        """
        vae = checks.instance("autoencoder", self.autoencoder, VAE, "whose likelihood says how likely x is")
        rng, scale = check_rng(rng), self._known_scale()
        with no_grad(), evaluating(vae):
            q = vae.posterior(x)
            z = q.sample(rng)
            reconstruction = raw(-vae.likelihood(z).log_prob_per_example(x))  # (latent-bound)
            log_q = raw(q.log_prob_per_example(z))
        code = (z * scale).reshape((len(z), *self.ddpm.shape))
        latents = (
            log_q + self.ddpm.bound(code, rng, labels, steps) - z.shape[1] * np.log(scale)
        )  # (latent-bound)
        return {"reconstruction": reconstruction, "latents": latents, "bound": reconstruction + latents}

    def _codes(self, x: Array, rng: RandomStream | None) -> Array:
        """Codes as the autoencoder has them, in the diffusion model's shape; of a VAE random ones."""
        if isinstance(self.autoencoder, VAE):
            with no_grad(), evaluating(self.autoencoder):
                z = self.autoencoder.posterior(x).sample(check_rng(rng))
        else:
            z = self.autoencoder.encode(x)
        if z.size != len(z) * np.prod(self.ddpm.shape):
            raise ValueError(
                f"autoencoder: got codes of shape {tuple(z.shape)}, expected as many numbers for each "
                f"example as ddpm.shape {self.ddpm.shape} has"
            )
        return z.reshape((len(z), *self.ddpm.shape))

    def _is_calibrated(self) -> bool:
        """Whether the scale is known; looked up once, since it may come from a file."""
        self._calibrated = self._calibrated or float(asnumpy(self.scale.data)) > 0
        return self._calibrated

    def _known_scale(self) -> Array:
        if not self._is_calibrated():
            raise RuntimeError("the scale of the codes is not known yet: call calibrate(x, rng), or loss")
        return self.scale.data
