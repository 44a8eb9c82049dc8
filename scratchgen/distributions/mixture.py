"""A mixture of normal distributions: choose one of K, then draw from it."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import log_softmax, logsumexp, raw, softmax, square, sum
from ..autograd.shapes import expand
from ..backend import Array, RandomStream, checks
from .base import Distribution, Samples, parameters
from .categorical import Categorical
from .components import component_log_probs
from .normal import Normal, reparameterise


class Mixture(Distribution):
    r"""A mixture of K normal distributions, of numbers or of whole vectors.

    .. math:: \log p(x) = \log \sum_k \pi_k \prod_d N(x_d; \mu_{kd}, \sigma_{kd}^2)

    The sum over k of exponentials is a logsumexp, and the product over the elements d of one vector stands
    inside it: the elements share their component, so they are not independent.

    Parameters
    ----------
    logits : array or Tensor
        Of shape ``(*batch, K)``; pi is their softmax over the last axis.
    components : Normal
        Of shape ``(*batch, K, *event)``. Without further axes after K it is a mixture of numbers, with one
        log-density per element; with ``event = (D,)`` of vectors in R^D, with one log-density per vector.

    Raises
    ------
    TypeError
        If `components` is not Normal, or its dtype is not that of the logits.
    ValueError
        If the shape of the components does not begin with that of the logits.

    Examples
    --------
    Three narrow normal distributions in the plane, a prior of 2-dimensional latent vectors:

    >>> centres = np.array([[-2.0, 0.0], [0.0, 2.0], [2.0, 0.0]])
    >>> prior = Mixture(np.zeros(3), Normal(centres, -4.0))
    >>> prior.log_prob(centres).round(3)
    array([1.064, 1.064, 1.064])
    """

    support = Normal.support

    def __init__(self, logits: Any, components: Normal) -> None:
        (self.logits,) = parameters(logits=logits)
        if checks.instance("components", components, Normal).dtype != self.logits.dtype:
            raise TypeError(f"components: got {components.dtype}, expected {self.logits.dtype} as the logits")
        axes = self.logits.ndim
        if axes == 0 or components.shape[:axes] != self.logits.shape or self.logits.shape[-1] == 0:
            raise ValueError(
                f"components: got shape {components.shape} for logits of shape {self.logits.shape}, "
                "expected (*batch, K, *event) for (*batch, K), with K at least 1"
            )
        self.components = components
        self.event_ndim = len(components.shape) - axes
        self.shape = components.shape[: axes - 1] + components.shape[axes:]
        self.dtype = components.dtype

    @property
    def mean(self) -> Any:
        """Sum of pi_k mu_k."""
        return self._average(self.components.mean)  # (mixture-moments)

    @property
    def variance(self) -> Any:
        """Sum of pi_k (sigma_k^2 + (mu_k - mean)^2): the variance within and between the components."""
        mean = expand(self.mean, (self.logits.ndim - 1,))
        return self._average(
            self.components.variance + square(self.components.mean - mean)
        )  # (mixture-moments)

    def log_prob(self, x: Any) -> Any:
        """The log-density in nats, of each element or (with an event shape) of each vector.

        log p(x) = logsumexp_k (log pi_k + sum_d log N(x_d; mu_kd, sigma_kd^2))  (mixture-log-density)
        """
        x, p = self._value(x), self.components
        if self.event_ndim == self.logits.ndim == 1:
            rows = x.reshape((-1, x.shape[-1]))  # (n, D)
            log_density = component_log_probs(rows, p.mean, p.log_var)  # (n, K)
            log_density = log_density.reshape((*x.shape[:-1], len(p.mean)))  # (..., K)
        else:
            log_density = p.log_prob(expand(x, (x.ndim - self.event_ndim,)))  # (..., K, *event)
            if self.event_ndim:
                log_density = sum(log_density, axis=tuple(range(-self.event_ndim, 0)))  # (..., K)
        return logsumexp(log_density + log_softmax(self.logits), axis=-1)  # (mixture-log-density)

    def sample(self, rng: RandomStream, samples: Samples = None) -> Array:
        """Random values as a raw array: first draw the component, then from it (ancestral sampling)."""
        shape, batch_axis = self._drawn(rng, samples)
        component = Categorical(raw(self.logits)).sample(rng, samples)  # (*lead, *batch)
        index = component.reshape(component.shape + (1,) * (1 + self.event_ndim))
        axis = component.ndim

        def chosen(parameter: Any) -> Array:
            lead = shape[: len(shape) - len(self.shape)]
            every = np.broadcast_to(raw(parameter), (*lead, *self.components.shape))
            return np.take_along_axis(every, index, axis).reshape(shape)

        eps = rng.normal(shape, self.dtype, batch_axis=batch_axis)
        return reparameterise(chosen(self.components.mean), chosen(self.components.log_var), eps)

    def entropy(self) -> Any:
        """Has no closed form.

        Raises
        ------
        NotImplementedError
            Always, with the estimate to use instead.
        """
        raise NotImplementedError(
            "Mixture.entropy: it has no closed form; "
            "estimate it by -p.log_prob(p.sample(rng, samples)).mean(axis=0)"
        )

    def _value(self, x: Any) -> Any:
        """`x` as an argument of `log_prob`; the axes of a vector have to be there in full."""
        x = super()._value(x)
        event = self.shape[len(self.shape) - self.event_ndim :]
        if x.shape[max(x.ndim - self.event_ndim, 0) :] != event:
            raise ValueError(f"x: got shape {x.shape}, expected (..., {', '.join(map(str, event))})")
        return x

    def _average(self, values: Any) -> Any:
        """The mean of `values`, of the components' shape, over the components."""
        weights = softmax(self.logits)
        weights = weights.reshape(weights.shape + (1,) * self.event_ndim)
        return sum(weights * values, axis=self.logits.ndim - 1)  # (mixture-moments)
