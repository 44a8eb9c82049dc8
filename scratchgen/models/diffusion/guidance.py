"""Labels: one network that knows the label of an image, or none, and guidance by the difference of the two.

While training, some of the labels are replaced by one that means "none". So the same network learns the noise
in images of a class and in images in general, and their difference says what is typical of the class.
Classifier-free guidance exaggerates it (Ho & Salimans 2022, eq. 6):

    eps = (1 + w) eps(x_t, t, label) - w eps(x_t, t, none)                                        (guidance)

With w = 0 the label is merely given; with w = -1 it is ignored; w > 0 makes images more typical, and less
various. (Elsewhere the weight is 1 + w.)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ...backend import Array, RandomStream


def guided(with_label: Any, without: Any, weight: float) -> Any:
    """Equation guidance: ``(1 + w) with_label - w without``."""
    return with_label * (1 + weight) - without * weight


def drop_labels(labels: Array, none: int, probability: float, rng: RandomStream) -> Array:
    """`labels` (batch,), each replaced by `none` with a probability."""
    dropped = rng.uniform(labels.shape) < probability
    return np.where(dropped, none, labels)
