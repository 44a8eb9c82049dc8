"""What the codes of a VAE say: how much about x, how far from the prior as a whole, and in which dimensions.

Encoded, all images together have the density of the aggregated posterior,

    q(z) = 1/n sum_i q(z|x_i),                                                      (aggregated-posterior)

and the KL that a VAE pays is the sum of two terms (Hoffman & Johnson 2016, "ELBO surgery"):

    1/n sum_i KL(q(z|x_i) || p(z)) = I(x; z) + KL(q(z) || p(z)),                             (elbo-surgery)
    I(x; z) = 1/n sum_i E_q(z|x_i) [log q(z|x_i) - log q(z)].                            (code-information)

The first is what codes say about their image, at most log n. The second buys nothing: it is the distance
between codes that are drawn and codes that the decoder has seen, and a better prior takes it away.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

from ..autograd import no_grad, raw
from ..backend import RandomStream, asnumpy, check_rng, checks
from ..distributions import Mixture, Normal

AT_ONCE = 50


def aggregated_posterior(q: Normal) -> Mixture:
    """q(z), a mixture of the posteriors of all examples.

    Parameters
    ----------
    q : Normal, shape (N, latent_dim)
        As ``vae.posterior(x)`` gives it.
    """
    mean, log_var = raw(q.mean), raw(q.log_var)
    return Mixture(np.zeros_like(mean, shape=(len(mean),)), Normal(mean, log_var))  # (aggregated-posterior)


@dataclass(frozen=True)
class Surgery:
    """The two parts of the mean KL from the prior, in nats, with their standard errors."""

    information: float
    """I(x; z): what a code says about its image."""
    gap: float
    """KL(q(z) || p(z)), of the codes together."""
    information_error: float
    gap_error: float


def elbo_surgery(q: Normal, log_prior: Callable[[Any], Any], rng: RandomStream, samples: int = 1) -> Surgery:
    """The mean KL from the prior, parted in two, by samples of z for each example.

    Parameters
    ----------
    q : Normal, shape (N, latent_dim)
    log_prior : callable
        log p(z), (n, latent_dim) -> (n,): that of a prior, or ``Normal(0.0, 0.0).log_prob_per_example``.
    rng : RandomStream
    samples : int
        For each example.

    Examples
    --------
    >>> q = Normal(np.array([[-2.0], [2.0]]), np.full((2, 1), -4.0))  # two images, told apart
    >>> found = elbo_surgery(q, Normal(0.0, 0.0).log_prob_per_example, RandomStream(0), samples=100)
    >>> round(found.information, 3) == round(math.log(2), 3)
    True
    """
    checks.instance("q", q, Normal)
    samples = checks.whole("samples", samples)
    together, information, gap = aggregated_posterior(q), [], []
    with no_grad():
        for _ in range(samples):
            z = q.sample(check_rng(rng))
            own = raw(q.log_prob_per_example(z))
            every = [raw(together.log_prob(z[i : i + AT_ONCE])) for i in range(0, len(z), AT_ONCE)]
            log_q = np.concatenate(every)
            information.append(asnumpy(own - log_q))  # (code-information)
            gap.append(asnumpy(log_q - log_prior(z)))  # (elbo-surgery)
    return Surgery(*(float(np.mean(each)) for each in (information, gap)), *map(_error, (information, gap)))


def _error(each: Any) -> float:
    """The standard error of the mean."""
    return float(np.std(each)) / math.sqrt(np.size(each))


def active_units(mean: Any, threshold: float = 0.01) -> int:
    """How many latent dimensions are in use (Burda et al. 2015, section 5.3).

    A_j = Var_x (E_q(z|x) z_j) > 0.01                                                       (active-units)

    Parameters
    ----------
    mean : array, shape (n, latent_dim)
        The means of q(z|x) of many examples, as ``vae.encode(x)`` gives them.
    threshold : float
    """
    mean = checks.examples("mean", mean, least=2)
    return int((mean.var(axis=0) > checks.number("threshold", threshold, "[0, inf)")).sum())  # (active-units)
