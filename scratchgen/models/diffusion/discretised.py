"""The normal distribution on grey levels: the probability of a level is that of its bin.

Pixels in [-1, 1] have k levels, 2 / (k - 1) apart; level x owns the real numbers up to half of that away, and
the outermost two all that is beyond (Ho et al. 2020, eq. 13):

    P(x) = Phi((x + d - mu) / sigma) - Phi((x - d - mu) / sigma),   d = 1 / (k - 1),
    with Phi(-inf) = 0 in place of the second at x = -1, and Phi(inf) = 1 in place of the first at x = 1.
                                                                                 (ddpm-discretised-gaussian)

So the probabilities of all levels add up to 1. Far from mu both Phi are rounded to the same number, and the
logarithm of their difference is lost. By symmetry both may be taken in the left tail, where with a < b

    log(Phi(b) - Phi(a)) = log Phi(b) + log(1 - exp(log Phi(a) - log Phi(b)))

has every digit, since log Phi is computed as such (`log_ndtr`).
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...autograd import expm1, log, log_ndtr, minimum, raw, where
from ...backend import Array
from ...distributions.normal import inverse_sigma


def discretised_normal_log_prob(x: Array, mean: Any, log_var: Any, levels: int = 256) -> Any:
    """The log-probability of grey levels, equation ddpm-discretised-gaussian, elementwise, in nats.

    Parameters
    ----------
    x : array
        Levels, scaled to [-1, 1].
    mean, log_var : array or Tensor
        Mu and log sigma^2, of shapes that broadcast to that of `x`.
    levels : int
        k, 2 or more.

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
    if levels < 2:
        raise ValueError(f"levels: got {levels}, expected 2 or more")
    half = 1 / (levels - 1)
    lowest, highest = x <= half - 1, x >= 1 - half
    outermost = lowest | highest
    offset = x - mean
    # Mirrored, where need be, so that the bin's nearer edge b is as far to the left as can be; an outermost
    # bin, so that it reaches from minus infinity to b.
    mirrored = ((raw(offset) > 0) & ~lowest) | highest
    offset = where(mirrored, -offset, offset)
    scale = inverse_sigma(log_var)
    log_upper = log_ndtr((offset + half) * scale)
    gap = log_ndtr((offset - half) * scale) - log_upper
    # The gap is 0 where rounding hides the bin's width; `where` keeps its logarithm from the outermost ones.
    gap = minimum(where(outermost, -1.0, gap), -float(np.finfo(x.dtype).tiny))
    return log_upper + where(outermost, 0.0, log(-expm1(gap)))
