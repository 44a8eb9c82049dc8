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

The first has nothing to learn, and is about 0 if the schedule leaves no signal. The last is the likelihood of
grey levels (`discretised`), or a density where the data are continuous. In units in which images of all sizes
compare,

    bits/dim = bound / (D log 2).                                                        (ddpm-bits-per-dim)
"""

from __future__ import annotations

import math
from typing import Any

from ...autograd import where
from ...backend import Array
from ...distributions import Normal, kl_divergence, sum_per_example
from .discretised import discretised_normal_log_prob
from .process import posterior_mean
from .schedule import Schedule


def prior_kl(schedule: Schedule, x0: Any) -> Any:
    """KL(q(x_T|x_0) || N(0, I)), equation ddpm-prior-kl: (batch,), in nats."""
    kept = schedule.alpha_bar_at(schedule.steps)
    return sum_per_example(x0 * x0 * kept - (kept + math.log1p(-kept))) * 0.5


def bound_terms(
    schedule: Schedule, x0: Any, xt: Any, t: Array, mean: Any, log_var: Any, levels: int | None
) -> Any:
    """The term of the bound for each example's own t: (batch,), in nats.

    Parameters
    ----------
    schedule : Schedule
    x0, xt : array, shape (batch, ...)
    t : array of int, shape (batch,)
        For 1 the term is -log p(x_0|x_1), for all others equation ddpm-bound-term.
    mean, log_var : array or Tensor
        Of p(x_(t-1)|x_t).
    levels : int or None
        Grey levels of the data; None for a density.
    """
    p = Normal(mean, log_var)
    # At t = 1, where q has no variance, its KL is infinite: a finite one is computed there, and not used.
    q = Normal(posterior_mean(schedule, x0, xt, t), schedule.at("log_posterior_variance_clipped", t, xt))
    if levels is None:
        log_likelihood = p.log_prob(x0)
    else:
        log_likelihood = discretised_normal_log_prob(x0, mean, log_var, levels)
    return where(t == 1, -sum_per_example(log_likelihood), sum_per_example(kl_divergence(q, p)))
