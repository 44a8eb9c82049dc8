"""A 32x32 colour portrait of every look.

A portrait is a stack of transparent sheets, back to front: background, hair behind, garment, head,
eyebrows, hair in front (a beard, if there is none), smile, glasses. Only 127 sheets are painted; all 4,032
portraits are then laid together from them by ``top + (1 - opacity) * below`` (Porter & Duff 1984, "over").
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from . import parts
from .hair import hair_before, hair_behind
from .looks import LEVELS, NAMES, look_numbers
from .sheet import SIZE

SHAPE = (3, SIZE, SIZE)


def over(top: NDArray[np.float32], below: NDArray[np.float32]) -> NDArray[np.float32]:
    """Lay a sheet over another, shapes (..., 4, 32, 32), or over an opaque picture of 3 channels."""
    return top[..., : below.shape[-3], :, :] + (1 - top[..., 3:, :, :]) * below


@cache
def gallery() -> NDArray[np.uint8]:
    """Return the portraits of all 4,032 looks in 256 levels, shape (4032, 3, 32, 32) (read-only)."""
    styles, hair_colours, glasses, garments, dyes = NAMES
    hairs = [parts.HAIR_COLOURS[name] for name in hair_colours]
    cloths = [parts.CLOTHING_COLOURS[name] for name in dyes]
    background = np.array(parts.BACKGROUND, dtype=np.float32)[:, None, None]
    eyebrows = np.stack([parts.eyebrows(hair).pixels() for hair in hairs])
    worn = np.stack([parts.glasses(kind).pixels() for kind in glasses])
    dressed = np.stack([[parts.garment(kind, cloth).pixels() for cloth in cloths] for kind in garments])
    faces = over(eyebrows, parts.head().pixels())

    portraits = np.empty((*LEVELS, *SHAPE), dtype=np.uint8)
    for style, portraits_of_style in zip(styles, portraits, strict=True):
        # Axes: hair colour, glasses, garment, its colour, then channel, row and column.
        behind = np.stack([hair_behind(style, hair).pixels() for hair in hairs])
        before = np.stack([hair_before(style, hair).pixels() for hair in hairs])
        heads = over(worn, over(over(parts.smile().pixels(), before), faces)[:, None])
        bodies = over(dressed, over(behind, background)[:, None, None])
        portraits_of_style[:] = np.rint(over(heads[:, :, None, None], bodies[:, None]))
    portraits = portraits.reshape(-1, *SHAPE)
    portraits.setflags(write=False)
    return portraits


def draw(rows: Any) -> NDArray[np.float32]:
    """Return the portrait of each look.

    Parameters
    ----------
    rows : array of int
        Looks, shape (n, 5).

    Returns
    -------
    array
        Shape (n, 3, 32, 32), red, green and blue, float32 in [0, 1]: multiples of 1 / 255.

    Raises
    ------
    ValueError
        If a row is no look.

    Examples
    --------
    >>> draw([[3, 4, 1, 2, 7]]).shape
    (1, 3, 32, 32)
    """
    return gallery()[look_numbers(rows)].astype(np.float32) / np.float32(255)
