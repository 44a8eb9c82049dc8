"""From a network's whole numbers to slots: probabilities as counts of 2^r, of which every symbol has one.

    f_k = 1 + floor((2^r - L) e^(a_k - max a) / sum_j e^(a_j - max a))                        (symbol-counts)

What the floors leave over goes to the likeliest symbol. No symbol is impossible, so that any image can be
coded; the file is longer than the model's own bits by the divergence of its probabilities from f / 2^r.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from . import tables
from .tables import FINE

Integers = NDArray[np.int64]

BITS = 20
"""r, of pixels and classes."""


def counts_of_logits(logits: Integers) -> Integers:
    """Cumulative counts (..., L + 1) of a softmax of logits (..., L) in multiples of 2^-16."""
    e = tables.exponential(logits - logits.max(axis=-1, keepdims=True))
    return cumulative(counts_of_weights(e))


def counts_of_weights(weights: Integers) -> Integers:
    """Counts (..., L), 2^r in all, as good as in the ratio of nonnegative weights below 2^40."""
    levels, total = weights.shape[-1], weights.sum(axis=-1, keepdims=True)
    counts = 1 + weights * (2**BITS - levels) // total  # (symbol-counts)
    most = np.argmax(counts, axis=-1)[..., None]
    left = 2**BITS - counts.sum(axis=-1, keepdims=True)
    np.put_along_axis(counts, most, np.take_along_axis(counts, most, -1) + left, -1)
    return counts


def counts_of_logit(logit: Integers) -> Integers:
    """Cumulative counts (..., 3) of zeros and ones, of a logit in multiples of 2^-16."""
    ones = np.clip(tables.sigmoid(logit) // (FINE >> BITS), 1, 2**BITS - 1)
    return cumulative(np.stack([2**BITS - ones, ones], axis=-1))


def cumulative(counts: Integers) -> Integers:
    """Where the slots of each symbol begin, and at the end their number: (..., L + 1)."""
    return np.concatenate([np.zeros_like(counts[..., :1]), np.cumsum(counts, axis=-1)], axis=-1)
