"""What a decoder's output says about pixels: the likelihoods p(x|z) of a VAE.

Zeros and ones have a logit each (`Bernoulli`). Real numbers have a mean each, and a sigma: one number for
all, given or learnt, or, from a second head of the decoder, one for each pixel,

    -log p(x|z) = sum_d ((x_d - mu_d)^2 / (2 sigma_d^2) + log(2 pi sigma_d^2) / 2).       (vae-pixel-sigma)

A pixel of L levels has a logit for each of them: any shape of distribution, and a probability, so that its
nats are bits that a file would take,

    log p(x|z) = sum_d (a_(d, l_d) - log sum_k e^(a_dk)),                        (vae-categorical-likelihood)

with l_d the level of x_d.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...autograd import raw, transpose
from ...backend import Array, RandomStream, checks
from ...distributions import Bernoulli, Categorical, Distribution, Normal
from ...distributions.base import Samples
from ...nn import Buffer, Parameter

LIKELIHOODS = ("bernoulli", "normal", "categorical")


class Levels(Categorical):
    """Pixels in [0, 1], each of one of L levels: a value v has level ``floor(L v)``, and 1 has the highest.

    Level l is drawn as ``l / (L - 1)``, as by `PixelNaiveBayes` and `PixelCNN`.

    Parameters
    ----------
    logits : array or Tensor, shape (..., L)

    Examples
    --------
    >>> p = Levels(np.log(np.array([0.5, 0.3, 0.2])))
    >>> float(np.exp(p.log_prob(np.array(0.5))).round(6)), float(p.mean.round(6))
    (0.3, 0.35)
    """

    support = "levels in [0, 1]"

    @property
    def mean(self) -> Any:
        """The expected value, in [0, 1]."""
        return Categorical(self.logits).mean * (1 / (self.levels - 1))

    @property
    def variance(self) -> Any:
        """Of the value in [0, 1]."""
        return Categorical(self.logits).variance * (1 / (self.levels - 1) ** 2)

    def sample(self, rng: RandomStream, samples: Samples = None) -> Array:
        """Random values in [0, 1] as a raw array, in the dtype of the logits."""
        return super().sample(rng, samples).astype(self.dtype) / self.dtype.type(self.levels - 1)

    def _value(self, x: Any) -> Any:
        """The levels of the values `x`."""
        x = raw(Distribution._value(self, x))
        checks.within("x", x, 0, 1, "scale the images")
        return np.minimum(x * x.dtype.type(self.levels), self.levels - 1).astype(np.int64)


def spread_of(kind: str, sigma: float | str | None) -> Any:
    """log sigma^2 of a normal whose decoder gives means only: learnt unless `sigma` is given; else None."""
    if kind != "normal":
        if sigma is not None:
            raise ValueError(f"sigma: got {sigma} with likelihood {kind!r}, expected it with 'normal'")
        return None
    if sigma == "pixels":
        return None
    if sigma is None:
        return Parameter(np.zeros((), np.float32))
    return Buffer(np.float32(2 * math.log(checks.number("sigma", sigma, "(0, inf)"))))


def levels_of(kind: str, levels: int | None) -> int | None:
    """How many levels a pixel has: 2 to 256 for a categorical likelihood, None for the others."""
    if (kind == "categorical") != (levels is not None):
        raise ValueError(
            f"levels: got {levels} with likelihood {kind!r}, expected them with 'categorical' only"
        )
    return None if levels is None else checks.whole("levels", levels, 2, 256)


def likelihood_of(
    decoded: Any, lead: tuple[int, ...], kind: str, log_var: Any, levels: int | None
) -> Bernoulli | Normal | Levels:
    """p(x|z) for what the decoder gave.

    Parameters
    ----------
    decoded : array or Tensor, shape (n, *shape), or two of them
        Logits, means, or means and log-variances. For L levels (n, channels L, ...): the logits of the first
        channel's levels, then those of the second one's.
    lead : tuple of int
        The leading axes of the codes, which take the place of n.
    kind : str
        One of `LIKELIHOODS`.
    log_var : Tensor or None
        Of a normal whose decoder gives means only.
    levels : int or None
    """

    def led(y: Any) -> Any:
        return y if len(lead) == 1 else y.reshape((*lead, *y.shape[1:]))

    if isinstance(decoded, tuple):
        if kind != "normal":
            raise ValueError(f"decoder(z): got two arrays, expected one for likelihood {kind!r}")
        mean, log_var = decoded
        checks.shape("log_var of decoder(z)", log_var, tuple(mean.shape), "like its mean")
        return Normal(led(mean), led(log_var))  # (vae-pixel-sigma)
    if kind == "bernoulli":
        return Bernoulli(led(decoded))
    if kind == "normal":
        if log_var is None:
            raise ValueError("decoder(z): got one array, expected mean and log_var for sigma 'pixels'")
        return Normal(led(decoded), log_var)  # (vae-normal-likelihood)
    n, channels, *rest = decoded.shape
    if levels is None or channels % levels:
        raise ValueError(
            f"decoder(z): got shape {tuple(decoded.shape)}, expected (batch, channels * {levels}, ...): "
            "a logit for each level of each channel"
        )
    logits = decoded.reshape((n, channels // levels, levels, *rest))
    logits = transpose(logits, (0, 1, *range(3, logits.ndim), 2))  # the levels last
    return Levels(led(logits))  # (vae-categorical-likelihood)
