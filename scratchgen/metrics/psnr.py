"""Peak signal-to-noise ratio: a squared error on the scale of decibels."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..backend import asnumpy, checks


def psnr(images: Any, others: Any, peak: float = 1.0) -> float:
    """Return how near `others` are to `images`, in decibels: 10 more is a tenth of the error.

    With the mean of the squared differences over all numbers of all images: ::

        PSNR = 10 log10( peak^2 / mean (x - y)^2 )                                                  (psnr)

    Parameters
    ----------
    images, others : array
        Of one shape.
    peak : float
        The largest value that a pixel can have.

    Returns
    -------
    float
        Infinity if nothing differs.

    Raises
    ------
    ValueError
        If the shapes differ, there is nothing to compare, or `peak` is not positive.

    Examples
    --------
    >>> round(psnr(np.zeros((2, 8, 8)), np.full((2, 8, 8), 0.1)), 6)
    20.0
    """
    x, y = (np.asarray(asnumpy(a), np.float64) for a in (images, others))
    checks.shape("others", y, x.shape, "like images")
    if not x.size:
        raise ValueError(f"images: got shape {x.shape}, expected at least one number")
    error = float(np.mean((x - y) ** 2))
    peak = checks.number("peak", peak, "(0, inf)")
    return math.inf if error == 0 else 10 * math.log10(peak**2 / error)  # (psnr)
