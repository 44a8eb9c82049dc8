"""The variational bound: what a diffusion model's likelihood is at least, in nats per example.

The steps are a chain of latents, q the way there and p the way back, and as for a VAE (Ho et al. 2020, eq. 5)

    -log p(x_0) <= KL(q(x_T|x_0) || N(0, I))
                   + sum_(t=2)^T E_q KL(q(x_(t-1)|x_t, x_0) || p(x_(t-1)|x_t))
                   - E_q log p(x_0|x_1).                                                        (ddpm-bound)

All but the last are divergences of Gaussians, each in closed form and summed over the D dimensions:

    KL = 1/2 sum_d ((mean_q - mean_p)^2 / sigma_p^2 + sigma_q^2 / sigma_p^2
                    - log(sigma_q^2 / sigma_p^2) - 1)                                      (ddpm-bound-term)
    KL(q(x_T|x_0) || N(0, I)) = 1/2 sum_d (alpha_bar_T x_0^2 - alpha_bar_T - log(1 - alpha_bar_T))
                                                                                             (ddpm-prior-kl)

The first has nothing to learn, and is about 0 if the schedule leaves no signal. As functions of the network
the terms are squared errors of what it predicts, with the weights

    w_t = beta_t^2 / (2 sigma_t^2 alpha_t (1 - alpha_bar_t))   for eps;                   (ddpm-loss-weight)
    w_t alpha_bar_t   for v,     w_t SNR(t)   for x_0,                                  (ddpm-target-weights)

since these are the squared ratios of the errors.

The last term is a density where the data are continuous. Pixels in [-1, 1] have L levels, 2 / (L - 1) apart;
level x owns the real numbers up to half of that away, and the outermost two all that is beyond (eq. 13):

    P(x) = Phi((x + h - mu) / sigma) - Phi((x - h - mu) / sigma),   h = 1 / (L - 1),
    with Phi(-inf) = 0 in place of the second at x = -1, and Phi(inf) = 1 in place of the first at x = 1.
                                                                                 (ddpm-discretised-gaussian)

So the probabilities of all levels add up to 1. In units in which images of all sizes compare,

    bits/dim = bound / (D log 2).                                                        (ddpm-bits-per-dim)
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...autograd import expm1, log, log_ndtr, minimum, raw, where
from ...backend import Array, RandomStream, checks
from ...distributions import Normal, kl_divergence, sum_per_example
from ...distributions.normal import inverse_sigma
from .process import Predict, posterior_mean, q_sample
from .schedule import Schedule


def prior_kl(schedule: Schedule, x0: Any) -> Any:
    """KL(q(x_T|x_0) || N(0, I)), equation ddpm-prior-kl: (batch,), in nats."""
    kept = schedule.alpha_bar_at(schedule.steps)
    return sum_per_example(x0 * x0 * kept - (kept + math.log1p(-kept))) * 0.5  # (ddpm-prior-kl)


def bound_terms(
    schedule: Schedule, x0: Any, xt: Any, t: Array, guess: Any, log_var: Any, levels: int | None
) -> Any:
    """The term of the bound for each example's own t: (batch,), in nats.

    Parameters
    ----------
    schedule : Schedule
    x0, xt : array, shape (batch, ...)
    t : array of int, shape (batch,)
        For 1 the term is -log p(x_0|x_1), for all others equation ddpm-bound-term.
    guess, log_var : array or Tensor
        The x_0 that the network sees in `xt`, and log sigma_t^2: those of p(x_(t-1)|x_t).
    levels : int or None
        Grey levels of the data; None for a density.
    """
    p = Normal(posterior_mean(schedule, guess, xt, t), log_var)
    # At t = 1, where q has no variance, its KL is infinite: a finite one is computed there, and not used.
    q = Normal(posterior_mean(schedule, x0, xt, t), schedule.at("log_posterior_variance_clipped", t, xt))
    if levels is None:
        log_likelihood = p.log_prob(x0)
    else:
        log_likelihood = discretised_normal_log_prob(x0, p.mean, log_var, levels)
    kl = sum_per_example(kl_divergence(q, p))  # (ddpm-bound-term)
    return where(t == 1, -sum_per_example(log_likelihood), kl)


def bound(
    schedule: Schedule, predict: Predict, x0: Array, rng: RandomStream, levels: int | None, steps: int
) -> Array:
    """Equation ddpm-bound, estimated from so many of its T terms: raw, (batch,), in nats.

    Each stands for one of as many equal parts of 1 .. T, with a random t of it, for each example its own.
    """
    total = prior_kl(schedule, x0)  # (ddpm-bound)
    ends = np.linspace(0, schedule.steps, steps + 1).round().astype(int).tolist()
    for low, high in pairwise(ends):
        t = rng.integers(low + 1, high + 1, (len(x0),))
        xt = q_sample(schedule, x0, t, rng.normal(x0.shape, x0.dtype))
        guess, log_var = predict(xt, t)
        terms = bound_terms(schedule, x0, xt, t, guess, log_var, levels)
        total = total + terms * (high - low)  # (ddpm-bound)
    return total


def bound_weight(prediction: str, schedule: Schedule, variance: NDArray[np.float64]) -> NDArray[np.float64]:
    """w_t: the bound's term t >= 2 is w_t times the squared error, plus what does not depend on the network.

    Parameters
    ----------
    prediction : {"noise", "x0", "v"}
    schedule : Schedule
    variance : array, shape (T,)
        sigma_t^2 of the reverse process.

    Returns
    -------
    array, shape (T,)
        Equation ddpm-loss-weight.
    """
    with np.errstate(divide="ignore"):  # a variance of 0, at t = 1
        weight = schedule.beta**2 / (2 * variance * schedule.alpha)  # (ddpm-loss-weight)
        weight = weight / (1 - schedule.alpha_bar)  # (ddpm-loss-weight)
    factor = {"noise": 1.0, "x0": schedule.snr, "v": schedule.alpha_bar}[prediction]  # (ddpm-target-weights)
    return weight * factor  # (ddpm-target-weights)


def discretised_normal_log_prob(x: Array, mean: Any, log_var: Any, levels: int = 256) -> Any:
    """The log-probability of grey levels, equation ddpm-discretised-gaussian, elementwise, in nats.

    Far from mu both Phi are rounded to the same number, and the logarithm of their difference is lost. By
    symmetry both may be taken in the left tail, where with a < b

        log(Phi(b) - Phi(a)) = log Phi(b) + log(1 - exp(log Phi(a) - log Phi(b)))            (log-difference)

    has every digit, since log Phi is computed as such (`log_ndtr`).

    Parameters
    ----------
    x : array
        Levels, scaled to [-1, 1].
    mean, log_var : array or Tensor
        Mu and log sigma^2, of shapes that broadcast to that of `x`.
    levels : int
        L, 2 or more.

    Returns
    -------
    array or Tensor
        Of the shape of `x`.

    Examples
    --------
    >>> x = np.array([-1.0, 0.0, 1.0])
    >>> discretised_normal_log_prob(x, np.zeros(3), np.zeros(3), levels=3).round(3)
    array([-1.176, -0.96 , -1.176])
    """
    half = 1 / (checks.whole("levels", levels, 2) - 1)
    lowest, highest = x <= half - 1, x >= 1 - half
    outermost = lowest | highest
    offset = x - mean
    # Mirrored, where need be, so that the bin's nearer edge b is as far to the left as can be; an outermost
    # bin, so that it reaches from minus infinity to b.
    mirrored = ((raw(offset) > 0) & ~lowest) | highest
    offset = where(mirrored, -offset, offset)
    scale = inverse_sigma(log_var)
    log_upper = log_ndtr((offset + half) * scale)  # (ddpm-discretised-gaussian)
    gap = log_ndtr((offset - half) * scale) - log_upper  # (ddpm-discretised-gaussian)
    # The gap is 0 where rounding hides the bin's width; `where` keeps its logarithm from the outermost ones.
    gap = minimum(where(outermost, -1.0, gap), -float(np.finfo(x.dtype).tiny))
    return log_upper + where(outermost, 0.0, log(-expm1(gap)))  # (ddpm-discretised-gaussian) (log-difference)
