"""The Bernoulli distribution: 0 or 1, by the logit of the probability of 1."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import binary_cross_entropy, binary_cross_entropy_sum, raw, sigmoid
from ..backend import Array, RandomStream, checks
from .base import Distribution, Samples, parameters


class Bernoulli(Distribution):
    r"""Independent zeros and ones, one for each element of the logits.

    .. math:: \log p(x) = x \log s + (1 - x) \log(1 - s), \qquad s = \frac{1}{1 + e^{-\text{logit}}}

    It is computed from the logits, never from s: a rounded s = 1 would make log(1 - s) infinite.

    Parameters
    ----------
    logits : array, Tensor or number
        log(s / (1 - s)), finite.

    Raises
    ------
    TypeError
        If the logits are not floating-point.
    ValueError
        If logits that lie in host memory hold NaN.

    Examples
    --------
    >>> p = Bernoulli(np.array([0.0, 100.0]))
    >>> p.log_prob(np.array([1.0, 0.0])).round(3)
    array([  -0.693, -100.   ])
    """

    support = "0 and 1"

    def __init__(self, logits: Any) -> None:
        (self.logits,) = parameters(logits=logits)
        self.shape = self.logits.shape
        self.dtype = self.logits.dtype

    @property
    def mean(self) -> Any:
        """The probability of 1."""
        return sigmoid(self.logits)  # (bernoulli-moments)

    @property
    def variance(self) -> Any:
        """The product s (1 - s), with both factors from the logits."""
        return sigmoid(self.logits) * sigmoid(-self.logits)  # (bernoulli-moments)

    def log_prob(self, x: Any) -> Any:
        """The log-probability of each element, in nats: minus the binary cross-entropy with logits.

            log p(x) = x log s + (1 - x) log(1 - s) = x logit - softplus(logit)  (bernoulli-log-probability)

        For `x` between 0 and 1 (a grey pixel) the same formula is a cross-entropy, but no likelihood: these
        are no values of the distribution, and their probabilities would not add up to one.

        Raises
        ------
        ValueError
            If a number in host memory is outside [0, 1].
        """
        return -binary_cross_entropy(self.logits, self._value(x))  # (bernoulli-log-probability)

    def log_prob_per_example(self, x: Any, leading: int = 1) -> Any:
        """The log-probability of each example, in nats; its sign is set after the sum, on one number each."""
        return -binary_cross_entropy_sum(self.logits, self._value(x), leading)

    def sample(self, rng: RandomStream, samples: Samples = None) -> Array:
        """Random zeros and ones as a raw array, in the dtype of the logits."""
        shape, batch_axis = self._drawn(rng, samples)
        return rng.bernoulli(np.broadcast_to(sigmoid(raw(self.logits)), shape), batch_axis=batch_axis)

    def _value(self, x: Any) -> Any:
        cure = "scale the data, or take a normal distribution"
        return checks.within("x", super()._value(x), 0, 1, cure)

    def entropy(self) -> Any:
        """In nats: the cross-entropy of the distribution with itself.

        H = -s log s - (1 - s) log(1 - s) = softplus(logit) - s logit            (bernoulli-entropy)
        """
        return binary_cross_entropy(self.logits, self.mean)  # (bernoulli-entropy)
