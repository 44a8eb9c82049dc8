"""Pictures with holes: what every model that fills them asks of its arguments."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import raw
from ..backend import Array, asarray, checks


def check_images(name: str, images: Any) -> Array:
    """Raw pictures, if they are a batch of finite floating-point numbers with four axes."""
    checks.shape(name, checks.floating(name, images), ("batch", "channels", "height", "width"))
    return raw(checks.batch(name, images))


def check_masks(masks: Any, images: Any) -> Array:
    """Raw masks (batch, 1, height, width) for `images`, if they are truth values with a hole each.

    Raises
    ------
    TypeError, ValueError
        Naming what was given and what is accepted.
    """
    if checks.array("masks", masks).dtype.kind != "b":
        raise TypeError(f"masks: got an array of {masks.dtype}, expected bool, True in the hole")
    batch, _, *size = images.shape
    masks = raw(masks)
    if masks.shape == (batch, *size):
        masks = masks[:, None]
    checks.shape("masks", masks, (batch, 1, *size), f"or {(batch, *size)}: one for each image")
    if isinstance(masks, np.ndarray) and not (holes := masks.any(axis=(1, 2, 3))).all():
        first = int(np.argmin(holes))
        raise ValueError(
            f"masks: got {int((~holes).sum())} without a hole, the first at {first}, expected True somewhere"
        )
    return asarray(masks)
