"""Rare events: how probable is what hardly ever happens? Importance sampling, with its error.

Let z ~ p(z) be what a generator starts from, and h(z) be 1 where something bad comes of it. Its probability
is a mean over p, and as well a mean over any other density q that is positive where p h is:

    P = E_p h(z) = E_q w(z) h(z),   w = p / q;    P ~ 1/n sum_i w_i h_i,   z_i ~ q   (importance-estimate)

whose standard error is that of a mean. Of n draws from p itself, the error would be sqrt(P (1 - P) / n). So
the draws that importance sampling was worth, at a standard error e, are

    n = P (1 - P) / e^2                                                                 (equivalent-draws)

The best q is p h / P: only what is bad, in its right proportions. Among normals, the nearest to it in the
sense of KL(p h / P || q) has its mean and its covariance (Rubinstein's cross-entropy method),

    m = E_p[h z] / P,    C = E_p[h (z - m) (z - m)^T] / P                               (cross-entropy-normal)

which weighted draws estimate. Where there are several ways to end badly, each gets a normal, with the share
r_g that it has of P. A share of p itself stays, so that no weight exceeds 1 / s, and what the normals forget
is only found less often:

    q = s p + (1 - s) sum_g r_g N(m_g, C_g)                                                  (leaning-density)

If q(z) is followed by a decoder p(x|z) that is not quite right, the mean over q p(x|z) is the model's, not
the world's. Where the world's density p(x) can be computed, any density e(z|x), such as the encoder's,
completes it to one of (x, z), and weights correct the model:

    E_p(x) h(x) = E_q(z) p(x|z) [ p(x) e(z|x) / (q(z) p(x|z)) h(x) ]                     (world-importance)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import logsumexp, ndtri

from ..backend import RandomStream, asnumpy, check_rng, checks
from .bootstrap import Estimate

Floats = NDArray[np.float64]


def importance_estimate(hits: Any, log_weights: Any = None, level: float = 0.95) -> tuple[Estimate, float]:
    """Return a probability with an interval by the normal distribution, and its standard error.

    Equation importance-estimate.

    Parameters
    ----------
    hits : array of bool, shape (n,)
        Whether it happened; n at least 2.
    log_weights : array, shape (n,), optional
        log w of each draw; left out, all are 0: draws from p itself.
    level : float
        The probability that the interval should have.

    Raises
    ------
    ValueError
        If the shapes differ, there are too few draws, or a weight is NaN.

    Examples
    --------
    >>> estimate, error = importance_estimate(np.arange(1000) < 10)
    >>> print(estimate, round(error, 5))
    0.010 [0.004, 0.016] 0.00315
    """
    hits = checks.shape("hits", np.asarray(asnumpy(hits)), ("n",)).astype(np.float64)
    checks.whole("draws", len(hits), 2)
    if log_weights is None:
        log_weights = np.zeros(len(hits))
    log_weights = checks.shape(
        "log_weights", np.asarray(asnumpy(log_weights), np.float64), hits.shape, "like hits"
    )
    if np.isnan(log_weights).any():
        raise ValueError(f"log_weights: got {int(np.isnan(log_weights).sum())} NaN, expected numbers")
    shares = np.where(hits > 0, np.exp(np.where(hits > 0, log_weights, 0)), 0.0)
    value = float(shares.mean())  # (importance-estimate)
    error = float(shares.std(ddof=1) / math.sqrt(len(shares)))  # (importance-estimate)
    reach = error * float(ndtri((1 + checks.number("level", level, "(0, 1)")) / 2))
    return Estimate(value, max(0.0, value - reach), value + reach), error


def equivalent_draws(probability: float, error: float) -> float:
    """Return how many draws from p itself have this standard error: equation equivalent-draws.

    Parameters
    ----------
    probability : float
        P, between 0 and 1.
    error : float
        The standard error, above 0.

    Raises
    ------
    ValueError
        If one of them is out of range.

    Examples
    --------
    >>> round(equivalent_draws(0.01, 0.001))
    9900
    """
    p, error = checks.number("probability", probability, "(0, 1)"), checks.number("error", error, "(0, inf)")
    return p * (1 - p) / error**2  # (equivalent-draws)


class Tilted:
    """A density of latents that leans towards what is bad: equation leaning-density.

    Parameters
    ----------
    means : array, shape (g, k)
    covariances : array, shape (g, k, k)
        Positive definite.
    share : float
        s, of N(0, I); above 0. With 1 nothing is tilted.
    parts : array, shape (g,), optional
        In the proportions of the shares r_g of the normals; left out, all alike.

    Raises
    ------
    ValueError
        If a shape does not fit or a share is out of range.
    """

    def __init__(self, means: Any, covariances: Any, share: float = 0.2, parts: Any = None) -> None:
        self.means = checks.shape("means", np.asarray(means, np.float64), ("g", "k"))
        g, k = self.means.shape
        covariances = checks.shape("covariances", np.asarray(covariances, np.float64), (g, k, k))
        self.factors = np.linalg.cholesky(covariances)
        self.share = checks.number("share", share, "(0, 1]")
        parts = np.full(g, 1 / g) if parts is None else np.asarray(parts, np.float64)
        checks.within("parts", checks.shape("parts", parts, (g,)), 0, math.inf)
        self.parts = parts / parts.sum()

    @classmethod
    def towards(cls, z: Any, bad: Any, log_weights: Any, share: float = 0.2, ridge: float = 0.05) -> Tilted:
        """The normals nearest to what is bad, from weighted draws: equation cross-entropy-normal.

        Parameters
        ----------
        z : array, shape (n, k)
        bad : array of bool or int, shape (n,)
            Which draws end badly, and in which way: 1, 2, ...; 0 is well. At least one does not.
        log_weights : array, shape (n,)
            log p(z) / q(z) of the density that they were drawn from.
        share : float
            Of N(0, I) in the mixture.
        ridge : float
            Added to the variances, so that few draws do not make the density too narrow.

        Raises
        ------
        ValueError
            If nothing is bad.
        """
        z, bad = np.asarray(asnumpy(z), np.float64), np.asarray(asnumpy(bad)).astype(np.int64)
        if not bad.any():
            raise ValueError(f"bad: got none among {len(bad)} draws, expected at least one")
        ridge = checks.number("ridge", ridge, "[0, inf)")
        logs = np.asarray(asnumpy(log_weights), np.float64)
        shares = np.where(bad > 0, np.exp(logs - logsumexp(logs[bad > 0])), 0.0)
        means, covariances, parts = [], [], []
        for way in np.unique(bad[bad > 0]):
            chosen, w = z[bad == way], shares[bad == way]
            parts.append(w.sum())
            mean = w @ chosen / w.sum()  # (cross-entropy-normal)
            away = chosen - mean  # (cross-entropy-normal)
            spread = away.T @ (away * w[:, None]) / w.sum()  # (cross-entropy-normal)
            means.append(mean)
            covariances.append(spread + ridge * np.eye(z.shape[1]))
        return cls(means, covariances, share, parts)

    def sample(self, n: int, rng: RandomStream) -> Floats:
        """Draw ``n`` latents, shape (n, k), float64, on the host."""
        noise = asnumpy(check_rng(rng).normal((n, self.means.shape[1]), dtype=np.float64))
        u = asnumpy(rng.uniform((n, 2), dtype=np.float64))
        part = np.minimum(np.searchsorted(np.cumsum(self.parts), u[:, 1], side="right"), len(self.parts) - 1)
        leaning = self.means[part] + np.einsum("nij,nj->ni", self.factors[part], noise)
        return np.where(u[:, :1] < self.share, noise, leaning)

    def log_prob(self, z: Any) -> Floats:
        """Log q(z), shape (n,): equation leaning-density."""
        z = checks.shape("z", np.asarray(asnumpy(z), np.float64), ("n", self.means.shape[1]))
        scale = z.shape[1] / 2 * np.log(2 * np.pi)
        with np.errstate(divide="ignore"):
            logs = [np.log(self.share) - (z**2).sum(axis=1) / 2 - scale]
            for mean, factor, part in zip(self.means, self.factors, self.parts, strict=True):
                white = np.linalg.solve(factor, (z - mean).T)
                normal = -(white**2).sum(axis=0) / 2 - np.log(np.diag(factor)).sum() - scale
                logs.append(np.log1p(-self.share) + np.log(part) + normal)
        return np.asarray(logsumexp(logs, axis=0))  # (leaning-density)

    def log_weights(self, z: Any) -> Floats:
        """Log N(z; 0, I) - log q(z), shape (n,), at most -log s."""
        z = np.asarray(asnumpy(z), np.float64)
        return -(z**2).sum(axis=1) / 2 - z.shape[1] / 2 * np.log(2 * np.pi) - self.log_prob(z)


def world_log_weights(log_world: Any, log_encoder: Any, log_proposal: Any, log_decoder: Any) -> Floats:
    """Return the weights that make a model's draws the world's: equation world-importance.

    Parameters
    ----------
    log_world : array, shape (n,)
        log p(x) of the world.
    log_encoder, log_proposal, log_decoder : array, shape (n,)
        log e(z|x), log q(z) and log p(x|z), of the same x and z. Densities of x are all per unit of x.

    Raises
    ------
    ValueError
        If the shapes differ.
    """
    parts = [np.asarray(asnumpy(a), np.float64) for a in (log_world, log_encoder, log_proposal, log_decoder)]
    for name, part in zip(("log_encoder", "log_proposal", "log_decoder"), parts[1:], strict=True):
        checks.shape(name, part, parts[0].shape, "like log_world")
    world, encoder, proposal, decoder = parts
    return world + encoder - proposal - decoder  # (world-importance)
