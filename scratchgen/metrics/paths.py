"""Paths of images: whether what lies between two codes changes evenly, or stands still and jumps."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import asnumpy, checks
from .neighbours import Floats


def path_unevenness(paths: Any) -> Floats:
    r"""The largest step of each path by its mean one: 1 if it is even, S if all its way is one jump.

    .. math::

        u = \frac{\max_s |x_{s+1} - x_s|}{\frac1S \sum_s |x_{s+1} - x_s|} \qquad \text{(path-unevenness)}

    Parameters
    ----------
    paths : array, shape (n, S + 1, ...)
        Of each path the images at equal steps along a line between two codes, with S at least 2.

    Returns
    -------
    array, shape (n,)
        Between 1 and S; 1 for a path that stays where it is.

    Raises
    ------
    TypeError, ValueError
        If `paths` are of another shape or not finite.

    Examples
    --------
    >>> even, jump = np.linspace(0, 1, 5), np.array([0.0, 0.0, 1.0, 1.0, 1.0])
    >>> path_unevenness(np.stack([even, jump])[:, :, None])
    array([1., 4.])
    """
    x = checks.examples("paths", np.asarray(asnumpy(paths), np.float64))
    if x.ndim < 3 or x.shape[1] < 3:
        raise ValueError(f"paths: got shape {x.shape}, expected (paths, 3 or more images, ...)")
    steps = np.diff(x.reshape(*x.shape[:2], -1), axis=1)
    lengths = np.sqrt((steps**2).sum(axis=2))  # (path-unevenness)
    still = np.finfo(np.float64).tiny  # a path that stays where it is has 1
    return np.asarray((lengths.max(axis=1) + still) / (lengths.mean(axis=1) + still))  # (path-unevenness)
