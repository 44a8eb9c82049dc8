"""The normal distribution N(mu, sigma^2), by its mean and the logarithm of its variance.

``log_var`` is log sigma^2 and may be any real number, as the output of a network is; so
``sigma = exp(log_var / 2)``. (``exp(log_var)`` is the variance, not the standard deviation.)
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd import exp, minimum, primitive, raw
from ..backend import Array, RandomStream
from ..backend.compiled import compiled
from .base import Distribution, Samples, filled, is_array, is_number, joint_shape, parameters, spread

LOG_2PI = math.log(2 * math.pi)


class Normal(Distribution):
    r"""Independent normal numbers, one for each element of the broadcast parameters.

    .. math:: \log N(x; \mu, \sigma^2) = -\tfrac12 ((x - \mu)^2 / \sigma^2 + \log \sigma^2 + \log 2\pi)

    Parameters
    ----------
    mean : array, Tensor or number
    log_var : array, Tensor or number
        log sigma^2, of a shape that broadcasts with the mean's; a number means one sigma for all.
        ``Normal(0.0, 0.0)`` is the standard normal distribution: it fits values of any dtype, and
        `kl_divergence` knows its shorter formula.

    Raises
    ------
    TypeError
        If a parameter is not floating-point, or one is float32 and the other float64.
    ValueError
        If the shapes do not broadcast, or if a parameter that lies in host memory holds NaN.

    Notes
    -----
    Every finite `log_var` is accepted. Where sigma or 1 / sigma leaves the range of the dtype (in float32 for
    \|log_var\| > 176, in float64 for > 1418), results are the limits: an infinite sample, a log-density of
    -inf away from the mean; at the mean itself it stays exact. `variance` does so for log_var > 88 (709).

    Examples
    --------
    >>> q = Normal(np.array([0.0, 1.0]), np.array([0.0, -4.0]))
    >>> q.log_prob(np.array([0.0, 1.0])).round(3)
    array([-0.919,  1.081])
    >>> q.rsample(RandomStream(0), samples=3).shape
    (3, 2)
    """

    support = "real numbers"
    reparameterised = True

    def __init__(self, mean: Any, log_var: Any) -> None:
        self.weak = is_number(mean) and is_number(log_var)
        self._numbers = (float(mean), float(log_var)) if self.weak else None
        # Kept as given: where one sigma serves all elements, work on it is work on one number.
        self._mean, self._log_var = parameters(mean=mean, log_var=log_var)
        self.shape = joint_shape(mean=self._mean.shape, log_var=self._log_var.shape)
        self.dtype = self._mean.dtype

    @property
    def is_standard(self) -> bool:
        """Whether it was made as ``Normal(0, 0)``; the values of arrays are not looked at."""
        return self._numbers == (0.0, 0.0)

    @property
    def mean(self) -> Any:
        """Mu."""
        return spread(self._mean, self.shape)

    @property
    def log_var(self) -> Any:
        """Log sigma^2."""
        return spread(self._log_var, self.shape)

    @property
    def sigma(self) -> Any:
        """The standard deviation: exp(log_var / 2)."""
        with np.errstate(over="ignore"):
            return exp(0.5 * self.log_var)

    @property
    def variance(self) -> Any:
        """sigma^2 = exp(log_var)."""
        with np.errstate(over="ignore"):
            return exp(self.log_var)

    def log_prob(self, x: Any) -> Any:
        """The log-density of each element, in nats."""
        p = self.like(x)
        return normal_log_prob(p._value(x), p._mean, p._log_var)

    def sample(self, rng: RandomStream, samples: Samples = None) -> Array:
        """Random numbers mu + sigma eps as a raw array."""
        shape, batch_axis = self._drawn(rng, samples)
        eps = rng.normal(shape, self.dtype, batch_axis=batch_axis)
        return reparameterise(raw(self._mean), raw(self._log_var), eps)

    def rsample(self, rng: RandomStream, samples: Samples = None) -> Any:
        """Random numbers z = mu + sigma eps with eps from N(0, 1), differentiable by mu and log_var.

        Derivatives of an expectation become expectations of derivatives (Kingma & Welling 2014,
        "Auto-encoding variational Bayes", section 2.4):

            d/d(mu, sigma) E f(z) = E[f'(mu + sigma eps) (1, eps)]                   (pathwise-gradient)
        """
        shape, batch_axis = self._drawn(rng, samples)
        eps = rng.normal(shape, self.dtype, batch_axis=batch_axis)
        return reparameterise(self._mean, self._log_var, eps)

    def entropy(self) -> Any:
        """-E log p(x), in nats: the wider, the more; negative for a small sigma.

        H = (1 + log 2 pi + log sigma^2) / 2                                        (normal-entropy)
        """
        return 0.5 * self.log_var + 0.5 * (1 + LOG_2PI)  # (normal-entropy)

    def like(self, x: Any) -> Normal:
        """The same distribution; if its parameters were numbers, on the device and in the dtype of `x`."""
        x = raw(x)
        if self._numbers is None or not is_array(x) or x.dtype.kind != "f":
            return self
        if x.dtype == self.dtype and type(x) is type(raw(self._mean)):
            return self
        p = Normal(*self._numbers)
        p._mean, p._log_var = (filled(number, x) for number in self._numbers)
        p.dtype = x.dtype
        return p


def inverse_sigma(log_var: Any) -> Any:
    """1 / sigma = exp(-log_var / 2), kept finite, so that 0 / sigma is 0 for every sigma."""
    largest = math.floor(math.log(np.finfo(log_var.dtype).max))
    return exp(minimum(-0.5 * log_var, largest))


@compiled
def pull_to_mean(g: Any, x: Any, mean: Any, log_var: Any) -> Any:
    """``g (x - mu) / sigma^2``: the derivative by mu, and minus the derivative by x."""
    scale = inverse_sigma(log_var)
    with np.errstate(over="ignore"):
        return g * ((x - mean) * scale * scale)  # (normal-slopes)


def _push_by_sigma(g: Any, y: Any, mean: Any, log_var: Any, eps: Any) -> Any:
    """``g sigma eps / 2``: sigma = exp(log_var / 2) grows by half of itself."""
    with np.errstate(over="ignore"):
        return g * (0.5 * exp(0.5 * log_var) * eps)  # (reparameterisation-shares)


@primitive(
    lambda g, y, x, mean, log_var: pull_to_mean(-g, x, mean, log_var),  # (normal-slopes)
    lambda g, y, x, mean, log_var: pull_to_mean(g, x, mean, log_var),  # (normal-slopes)
    # ((x - mu)^2 / sigma^2 - 1) / 2, where y already holds the square
    lambda g, y, x, mean, log_var: g * (-0.5 * (log_var + (LOG_2PI + 1)) - y),  # (normal-slopes)
    broadcasts=True,
)
@compiled
def normal_log_prob(x: Array, mean: Array, log_var: Array) -> Array:
    """The log-density, elementwise.

    log N(x; mu, sigma^2) = -((x - mu)^2 / sigma^2 + log sigma^2 + log 2 pi) / 2  (normal-log-density)
    slopes by mu: (x - mu) / sigma^2;   by log sigma^2: ((x - mu)^2 / sigma^2 - 1) / 2    (normal-slopes)
    """
    with np.errstate(over="ignore"):  # a log-density of -inf is the right limit
        square = ((x - mean) * inverse_sigma(log_var)) ** 2
    return -0.5 * (square + (log_var + LOG_2PI))  # (normal-log-density)


@primitive(
    lambda g, y, mean, log_var, eps: g,  # (reparameterisation-shares)
    _push_by_sigma,
    lambda g, y, mean, log_var, eps: g * exp(0.5 * log_var),  # (reparameterisation-shares)
    broadcasts=True,
)
def reparameterise(mean: Array, log_var: Array, eps: Array) -> Array:
    """Mu + sigma eps: noise of a fixed distribution, moved to where the parameters say."""
    with np.errstate(over="ignore"):
        return np.exp(0.5 * log_var) * eps + mean
