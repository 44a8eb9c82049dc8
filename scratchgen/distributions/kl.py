"""The Kullback-Leibler divergence of q from p, in nats; never negative, and 0 only if they are equal.

    KL(q || p) = E_q[log q(x) - log p(x)]                                                (kl-divergence)

In closed form where there is one, else by Monte Carlo. It is not symmetric: the expectation is over q.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from ..autograd import Tensor, binary_cross_entropy, exp, log_softmax, mean, primitive, sum
from ..backend import Array, RandomStream, check_rng, checks
from .base import Distribution, joint_shape
from .bernoulli import Bernoulli
from .categorical import Categorical, possible
from .normal import Normal, inverse_sigma


def kl_divergence(q: Distribution, p: Distribution) -> Any:
    """KL(q || p) in closed form, of each element.

    Parameters
    ----------
    q, p : Distribution
        Two of Normal, Bernoulli or Categorical, of shapes that broadcast. With ``p = Normal(0.0, 0.0)`` the
        formula is the shorter one for the standard normal distribution.

    Returns
    -------
    array or Tensor
        Of the broadcast shape; add up the elements of each example with `sum_per_example`.

    Raises
    ------
    NotImplementedError
        If there is no closed form, as for mixtures.
    TypeError, ValueError
        If `q` or `p` is no distribution, or they have different values, dtypes, shapes or levels.

    Examples
    --------
    >>> kl_divergence(Normal(np.array([0.0, 1.0]), np.array([0.0, 0.0])), Normal(0.0, 0.0))
    array([0. , 0.5])
    """
    q, p = _comparable(q, p)
    closed_form = _closed_forms.get((type(q), type(p)))
    if closed_form is None:
        raise NotImplementedError(
            f"kl_divergence: {type(q).__name__} || {type(p).__name__} has no closed form; "
            "estimate it by kl_divergence_monte_carlo(q, p, rng, samples)"
        )
    return closed_form(q, p)


def kl_divergence_monte_carlo(q: Distribution, p: Distribution, rng: RandomStream, samples: int) -> Any:
    """KL(q || p), estimated from S samples of q.

        KL(q || p) ~ 1/S sum_s (log q(x_s) - log p(x_s)),   x_s ~ q                     (kl-monte-carlo)

    It is unbiased, and a single estimate may be negative. Where `q` is reparameterised the estimate is
    differentiable with respect to both distributions, and its gradient unbiased too.

    Parameters
    ----------
    q, p : Distribution
        Of the same values; the shape of `p` must broadcast to that of `q`. If one of them is a mixture of
        vectors, the elements of each vector of the other are added up.
    rng : RandomStream
    samples : int
        S; they are held in memory all at once.

    Returns
    -------
    array or Tensor
        Of the shape of `q`, less the axes of vectors.

    Raises
    ------
    NotImplementedError
        If a gradient with respect to the parameters of `q` is recorded, but `q` is not reparameterised: the
        derivative of the estimate would not be an estimate of the derivative.
    """
    q, p = _comparable(q, p)
    check_rng(rng)
    samples = checks.whole("samples", samples)
    event_ndim = max(q.event_ndim, p.event_ndim)
    if joint_shape(q=q.shape, p=p.shape) != q.shape or len(q.shape) < event_ndim:
        raise ValueError(f"p: got shape {p.shape}, which does not broadcast to the shape {q.shape} of q")
    x = q.rsample(rng, samples) if q.reparameterised else q.sample(rng, samples)
    log_q = _log_prob(q, x, event_ndim)
    if not q.reparameterised and isinstance(log_q, Tensor) and log_q.requires_grad:
        raise NotImplementedError(
            f"kl_divergence_monte_carlo: samples of {type(q).__name__} do not carry the gradient of its "
            "parameters; give q raw (or detached) parameters, or work within sg.no_grad()"
        )
    return mean(log_q - _log_prob(p, x, event_ndim), axis=0)  # (kl-monte-carlo) (kl-divergence)


def _comparable(q: Any, p: Any) -> tuple[Any, Any]:
    """`q` and `p`, checked to be about the same values, and in one dtype if one was made of mere numbers."""
    checks.instance("q", q, Distribution)
    checks.instance("p", p, Distribution)
    if q.support != p.support:
        raise ValueError(f"q and p: got {q!r} of {q.support} and {p!r} of {p.support}, which never meet")
    if isinstance(p, Normal) and p.weak:
        p = p.like(q._mean if isinstance(q, Normal) else q.mean)
    elif isinstance(q, Normal) and q.weak:
        q = q.like(p.mean)
    if q.dtype != p.dtype:
        raise TypeError(f"q and p: got {q.dtype} and {p.dtype}, expected one dtype")
    if isinstance(q, Categorical) and q.levels != p.levels:
        raise ValueError(f"q and p: got {q.levels} and {p.levels} levels, expected as many")
    joint_shape(q=q.shape, p=p.shape)
    return q, p


def _log_prob(distribution: Distribution, x: Any, event_ndim: int) -> Any:
    """The joint log-density of the last `event_ndim` axes of `x`."""
    log_prob = distribution.log_prob(x)
    axes = tuple(range(distribution.event_ndim - event_ndim, 0))
    return sum(log_prob, axis=axes) if axes else log_prob


def _of_variance(g: Any, y: Any, mean: Any, log_var: Any) -> Any:
    with np.errstate(over="ignore"):
        return g * (0.5 * exp(log_var) - 0.5)  # (kl-standard-normal-slopes)


@primitive(
    lambda g, y, mean, log_var: g * mean,  # (kl-standard-normal-slopes)
    _of_variance,
    broadcasts=True,
)
def kl_to_standard_normal(mean: Array, log_var: Array) -> Array:
    """The divergence from the standard normal distribution, elementwise.

        KL(N(mu, sigma^2) || N(0, 1)) = (mu^2 + sigma^2 - log sigma^2 - 1) / 2      (kl-standard-normal)

    It is 0 at mu = 0, sigma = 1 and positive elsewhere (Kingma & Welling 2014, appendix B). Where sigma^2
    leaves the range of the dtype (in float32 for log_var > 88) the divergence is infinite, never NaN.
    """
    with np.errstate(over="ignore"):
        variance = np.exp(log_var)
        return 0.5 * (mean * mean + variance - log_var - 1)  # (kl-standard-normal)


def _normal_normal(q: Normal, p: Normal) -> Any:
    """KL does not change if both are moved by -mu_p and scaled by 1 / sigma_p; then p is standard.

    KL = (r - log r - 1 + (mu - mu_p)^2 / sigma_p^2) / 2,   r = sigma^2 / sigma_p^2      (kl-normal)
    """
    if p.is_standard:
        return kl_to_standard_normal(q._mean, q._log_var)
    shift = (q._mean - p._mean) * inverse_sigma(p._log_var)  # (kl-normal)
    return kl_to_standard_normal(shift, q._log_var - p._log_var)  # (kl-normal)


def _bernoulli_bernoulli(q: Bernoulli, p: Bernoulli) -> Any:
    """Cross-entropy minus entropy.

    KL = s_q log(s_q / s_p) + (1 - s_q) log((1 - s_q) / (1 - s_p))                    (kl-bernoulli)
    """
    s = q.mean
    return binary_cross_entropy(p.logits, s) - binary_cross_entropy(q.logits, s)  # (kl-bernoulli)


def _categorical_categorical(q: Categorical, p: Categorical) -> Any:
    """A term is 0 for a level impossible for q, else infinite where p_k = 0.

    KL = sum_k q_k (log q_k - log p_k)                                              (kl-categorical)
    """
    log_q, log_p = log_softmax(q.logits), log_softmax(p.logits)
    q_k = exp(log_q)
    return sum(q_k * (possible(q_k, log_q) - possible(q_k, log_p)), axis=-1)  # (kl-categorical)


_closed_forms: dict[tuple[type, type], Callable[[Any, Any], Any]] = {
    (Normal, Normal): _normal_normal,
    (Bernoulli, Bernoulli): _bernoulli_bernoulli,
    (Categorical, Categorical): _categorical_categorical,
}
