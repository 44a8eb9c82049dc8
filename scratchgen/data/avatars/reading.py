"""The inverse of drawing: the look that a picture shows, and how far it is from the portrait of that look.

Every two of the 4,032 portraits differ, so a drawing is read back without error; a picture that a model
made up is read as the portrait nearest to it.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...backend import checks
from ..tables import Rows
from .drawing import SHAPE, gallery
from .looks import all_looks

#: A picture further than this from every portrait shows no look: 5 % of the range of brightness (root
#: mean square). The average of two looks is nearly always further.
TOLERANCE = 0.05

IMAGES_AT_ONCE = 512


class Reading(NamedTuple):
    """What the pictures show."""

    rows: Rows
    """The nearest look of each picture, shape (n, 5)."""
    distances: NDArray[np.float64]
    """How far its portrait is, the root mean square over its 3,072 values; shape (n,)."""


def read(images: Any) -> Reading:
    r"""Return the nearest look of each picture and the distance to its portrait.

    .. math:: d(x, \text{look}) = \sqrt{\tfrac{1}{3072} \sum_i (x_i - \text{draw}(\text{look})_i)^2}

    Parameters
    ----------
    images : array
        Shape (n, 3, 32, 32), nominally in [0, 1].

    Returns
    -------
    Reading
        ``rows``, shape (n, 5), and ``distances``, shape (n,).

    Raises
    ------
    ValueError
        If the images have another shape, are not floating, or hold NaN or infinity.

    Examples
    --------
    >>> from scratchgen.data import avatars
    >>> rows, distances = avatars.read(avatars.draw([[3, 4, 1, 2, 7]]))
    >>> rows, distances
    (array([[3, 4, 1, 2, 7]]), array([0.]))
    """
    pictures = checks.examples("images", images, SHAPE)
    numbers = np.empty(len(pictures), dtype=np.int64)
    distances = np.empty(len(pictures))
    portraits = gallery().reshape(len(gallery()), -1).astype(np.float32) / np.float32(255)
    # Distances do not change when a common picture is subtracted from all, and their rounding errors shrink.
    centre = portraits.mean(axis=0)
    centred = portraits - centre
    half_norms = np.einsum("ij,ij->i", centred, centred) / 2
    for start in range(0, len(pictures), IMAGES_AT_ONCE):
        block = slice(start, start + IMAGES_AT_ONCE)
        flat = pictures[block].reshape(len(pictures[block]), -1)
        # |x - p|^2 = |x|^2 + 2 (|p|^2 / 2 - x . p): the nearest portrait has the smallest bracket.
        numbers[block] = np.argmin(half_norms - (flat - centre) @ centred.T, axis=1)
        difference = flat - portraits[numbers[block]]
        distances[block] = np.sqrt(np.mean(np.square(difference, dtype=np.float64), axis=1))
    return Reading(all_looks()[numbers], distances)
