"""The categorical distribution: one of the levels 0 .. K - 1, by unnormalised log-probabilities."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import exp, log_softmax, raw, softmax, square, sum, take_along_axis, where
from ..backend import Array, RandomStream, asarray, checks
from .base import Distribution, Samples, is_array, joint_shape, parameters, spread


class Categorical(Distribution):
    r"""Independent whole numbers 0 .. K - 1, one for each row of logits along the last axis.

    .. math:: \log p(x = k) = \text{logit}_k - \log \sum_j e^{\text{logit}_j}

    Parameters
    ----------
    logits : array or Tensor
        Of shape ``(..., K)``; -inf is a level of probability zero (not all K may be).

    Raises
    ------
    TypeError
        If the logits are not floating-point.
    ValueError
        If there is no axis of levels, or no level, or if logits that lie in host memory hold NaN.

    Examples
    --------
    >>> p = Categorical(np.log(np.array([0.5, 0.3, 0.2])))
    >>> float(np.exp(p.log_prob(1)).round(6)), float(p.mean.round(6))
    (0.3, 0.7)
    """

    support = "the levels 0 .. K - 1"

    def __init__(self, logits: Any) -> None:
        (self.logits,) = parameters(logits=logits)
        if self.logits.ndim == 0 or self.logits.shape[-1] == 0:
            raise ValueError(f"logits: got shape {self.logits.shape}, expected (..., K) with K at least 1")
        self.shape = self.logits.shape[:-1]
        self.dtype = self.logits.dtype

    @property
    def levels(self) -> int:
        """K, the number of levels."""
        return self.logits.shape[-1]

    @property
    def mean(self) -> Any:
        """The expected level, sum of k p_k; of use where the levels are an ordered scale."""
        return sum(softmax(self.logits) * self._scale(), axis=-1)  # (categorical-moments)

    @property
    def variance(self) -> Any:
        """The expected squared distance from the mean level."""
        mean = self.mean
        distance = self._scale() - mean.reshape((*mean.shape, 1))
        return sum(softmax(self.logits) * square(distance), axis=-1)  # (categorical-moments)

    def log_prob(self, x: Any) -> Any:
        """The log-probability of each level `x`, an array of whole numbers of a shape that fits `shape`.

            log p(k) = logit_k - log sum_j exp(logit_j)                    (categorical-log-probability)

        Raises
        ------
        ValueError
            If a level in host memory is not among 0 .. K - 1. On a GPU it goes unnoticed: to look is to wait.
        """
        x = self._value(x)
        shape = joint_shape(x=x.shape, parameters=self.shape)
        log_p = spread(log_softmax(self.logits), (*shape, self.levels))
        index = np.broadcast_to(x, shape).reshape((*shape, 1))
        return take_along_axis(log_p, index, -1).reshape(shape)  # (categorical-log-probability)

    def sample(self, rng: RandomStream, samples: Samples = None) -> Array:
        """Random levels as a raw array of whole numbers, by the inverse of the distribution function.

        With c_k = p_0 + ... + p_k and u uniform on [0, 1), the level is the number of c_k that u has reached.
        """
        shape, batch_axis = self._drawn(rng, samples)
        reached = np.cumsum(softmax(raw(self.logits)), axis=-1)
        # The probabilities add up to 1 only nearly. Times their total, u < 1 stays below it even rounded,
        # so that a last level of probability zero is never drawn.
        u = rng.uniform(shape, self.dtype, batch_axis=batch_axis) * reached[..., -1]
        return np.sum(reached[..., :-1] <= u.reshape((*u.shape, 1)), axis=-1)

    def entropy(self) -> Any:
        """In nats; between 0 and log K.

        H = -sum_k p_k log p_k                                                 (categorical-entropy)
        """
        log_p = log_softmax(self.logits)
        p = exp(log_p)
        return -sum(p * possible(p, log_p), axis=-1)  # (categorical-entropy)

    def _scale(self) -> Array:
        return np.arange(self.levels, dtype=self.dtype, like=raw(self.logits))

    def _value(self, x: Any) -> Any:
        """`x` as levels: a raw array of whole numbers in range."""
        x = checks.whole_numbers("x", raw(x) if is_array(x) else asarray(x))
        return checks.within("x", x, 0, self.levels - 1)


def possible(p: Any, x: Any) -> Any:
    """`x` where the probability `p` is not zero, else 0: so p times it has its limit, 0, if x is infinite."""
    return where(raw(p) > 0, x, 0)
