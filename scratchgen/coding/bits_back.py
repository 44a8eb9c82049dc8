"""Bits back: a file as short as a VAE's bound, though the decoder never sees the encoder's choice of z.

To send x by way of a latent z costs -log p(z) - log p(x|z), more than -log p(x), since many z would do. The
surplus is not lost: the choice among them can carry bits (Hinton & van Camp 1993; Townsend, Bird & Barber
2019). To code an image,

    1. pop z from the stack with q(z|x),   2. push x with p(x|z),   3. push z with p(z),

and the stack grows by

    -log p(x|z) - log p(z) + log q(z|x),   on average minus the ELBO.                         (bits-back)

The decoder pops z, then x, and pushes z with q(z|x): the stack is as it was. The first images pop bits that
nobody put there; these are the start that a file of this kind needs.

z has to be one of finitely many. The line is cut into 2^b bins of equal mass under N(0, 1), and z is the
quantile in the middle of bin k; so the prior is b bits exactly, and the posterior has the counts

    c_k = k + floor((2^r - 2^b) Phi((t_k - mu) / sigma)),   t_k the quantile of k / 2^b,    (posterior-counts)

from which only the ratio of densities is left when both are finely cut: the width of bins cancels.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..models import VAE
from . import tables
from .ans import Integers, Stack, intervals, symbols_of
from .counts import BITS, counts_of_logit, counts_of_logits
from .network import function_of
from .tables import ONE

LATENT_BITS = 12
"""b: bins of a latent, 2^b."""
POSTERIOR_BITS = 24
"""r of the posterior's counts."""


class OfVAE:
    """A VAE with zeros and ones, or with levels, and the prior N(0, I).

    Parameters
    ----------
    model : VAE
    shape : tuple of int
        Of one image.
    batch : int
        How many images the encoder sees at once when a file is made; no bit depends on it.
    """

    def __init__(self, model: VAE, shape: tuple[int, ...], batch: int) -> None:
        if model.likelihood_name == "normal":
            raise ValueError(
                "model: got a normal likelihood, a density, which has no bits, "
                "expected 'bernoulli' or 'categorical'"
            )
        if model.prior is not None or model.classes is not None:
            raise ValueError("model: got a prior or classes, expected a VAE with N(0, I) and without labels")
        self.levels = 2 if model.levels is None else model.levels
        self.categorical = model.levels is not None
        self.shape, self.batch, self.latent_dim = shape, batch, model.latent_dim
        self.encoder, self.decoder = function_of(model.encoder), function_of(model.decoder)
        edges = tables.normal_quantiles(LATENT_BITS + 1)
        self.edges, self.centres = edges[::2], edges[1::2]

    def posterior(self, x: Integers) -> tuple[Integers, Integers]:
        """Mu and 1 / sigma of q(z|x) in multiples of 2^-16, of levels (n, pixels)."""
        encoded = self.encoder((x * ONE // (self.levels - 1)).reshape(len(x), *self.shape))
        if not isinstance(encoded, tuple):
            encoded = encoded[:, : self.latent_dim], encoded[:, self.latent_dim :]
        return encoded[0], tables.inverse_sigma(encoded[1])

    def below(self, k: Integers, mean: Integers, inverse: Integers) -> Integers:
        """How many slots the bins before bin k have."""
        t = (self.edges[k] - mean) * inverse // ONE
        phi = tables.normal_distribution(t)
        phi = np.where(k == 0, 0, np.where(k == 2**LATENT_BITS, tables.FINE, phi))
        return k + (phi * (2**POSTERIOR_BITS - 2**LATENT_BITS) >> 24)  # (posterior-counts)

    def pixels(self, k: Integers) -> Integers:
        """Cumulative counts of the pixels, (pixels, levels + 1), given the bins of the latents."""
        logits = self.decoder(self.centres[k][None])[0]
        if not self.categorical:
            return counts_of_logit(logits.reshape(-1))
        channels, *rest = self.shape
        logits = np.moveaxis(logits.reshape(channels, self.levels, *rest), 1, -1)
        return counts_of_logits(logits.reshape(-1, self.levels))

    def encode(self, stack: Stack, x: Integers) -> None:
        """Push images, (n, pixels)."""
        parts = [self.posterior(x[i : i + self.batch]) for i in range(0, len(x), self.batch)]
        means, inverses = (np.concatenate(each) for each in zip(*parts, strict=True))
        one = np.ones(self.latent_dim, np.int64)
        for image, mean, inverse in reversed(list(zip(x, means, inverses, strict=True))):

            def bin_of(part: slice, slots: Integers, mean: Any = mean, inverse: Any = inverse) -> Any:
                k = np.zeros(len(slots), np.int64)  # the last bin that begins at the slot or before
                for step in (1 << i for i in reversed(range(LATENT_BITS))):
                    k += step * (self.below(k + step, mean[part], inverse[part]) <= slots)
                start = self.below(k, mean[part], inverse[part])
                return k, start, self.below(k + 1, mean[part], inverse[part]) - start

            k = stack.pop_all(bin_of, self.latent_dim, POSTERIOR_BITS)  # (bits-back)
            stack.push_all(*intervals(self.pixels(k), image), BITS)  # (bits-back)
            stack.push_all(k, one, LATENT_BITS)  # (bits-back)

    def decode(self, stack: Stack, n: int, pixels: int) -> Integers:
        """Pop images."""
        x = np.zeros((n, pixels), np.int64)
        one = np.ones(self.latent_dim, np.int64)
        for image in x:
            k = stack.pop_all(lambda part, slots: (slots, slots, one[part]), self.latent_dim, LATENT_BITS)
            image[:] = stack.pop_all(symbols_of(self.pixels(k)), math.prod(self.shape), BITS)
            (mean,), (inverse,) = self.posterior(image[None])
            start = self.below(k, mean, inverse)
            stack.push_all(start, self.below(k + 1, mean, inverse) - start, POSTERIOR_BITS)
        return x
