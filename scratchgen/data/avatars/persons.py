"""A person in two pictures: hair and glasses stay, clothes change, and so does the pose.

A picture in a pose shows at the pixel p what the portrait shows at the place where p came from. With the
centre c, a tilt by the angle a (clockwise, as seen) and a shift s, in pixels to the right and down,

    x'(p) = x(c + R(-a) (p - c - s)),   R(a) = [[cos a, -sin a], [sin a, cos a]]               (avatar-pose)

between pixels (places are rounded to 1e-9) by the two nearest in each direction, and beyond the edge by the
pixel at the edge.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backend import RandomStream, asnumpy, check_rng, checks
from .drawing import SHAPE, draw, gallery
from .looks import ATTRIBUTES, LEVELS
from .sheet import SIZE
from .world import joint

Floats = NDArray[np.float32]

REACH = 3
"""The largest shift of a second picture, in pixels."""


def pose(images: Any, shifts: Any = 0.0, tilts: Any = 0.0, mirrored: Any = False) -> Floats:
    """Return pictures mirrored, then tilted about their middle, then shifted: equation avatar-pose.

    Parameters
    ----------
    images : array
        Shape (n, channels, height, width).
    shifts : array
        Pixels to the right and down, shape (n, 2), or (2,) or one number for all.
    tilts : array
        Degrees clockwise, shape (n,), or one number for all.
    mirrored : array of bool
        Whether left and right change places, shape (n,), or one for all.

    Examples
    --------
    >>> picture = np.arange(9, dtype=np.float32).reshape(1, 1, 3, 3)
    >>> pose(picture, shifts=[1, 0])[0, 0]
    array([[0., 0., 1.],
           [3., 3., 4.],
           [6., 6., 7.]], dtype=float32)
    """
    x = checks.shape("images", checks.floating("images", asnumpy(images)), ("n", "channels", "h", "w"))
    n, _, height, width = x.shape
    try:
        shift = np.broadcast_to(np.asarray(shifts, np.float64), (n, 2))
        angle = np.radians(np.broadcast_to(np.asarray(tilts, np.float64), (n,)))[:, None, None]
        turned = np.broadcast_to(np.asarray(mirrored, bool), (n,))
    except ValueError as error:
        raise ValueError(
            f"shifts, tilts, mirrored: got the shapes {np.shape(shifts)}, {np.shape(tilts)} and "
            f"{np.shape(mirrored)}, expected ({n}, 2), ({n},) and ({n},)"
        ) from error
    x = np.where(turned[:, None, None, None], x[..., ::-1], x)
    middle_x, middle_y = (width - 1) / 2, (height - 1) / 2
    right = np.arange(width) - middle_x - shift[:, :1, None]
    down = np.arange(height)[:, None] - middle_y - shift[:, 1:, None]
    from_x = middle_x + np.cos(angle) * right + np.sin(angle) * down  # (avatar-pose)
    from_y = middle_y - np.sin(angle) * right + np.cos(angle) * down  # (avatar-pose)
    return _between(x, from_x.round(9).clip(0, width - 1), from_y.round(9).clip(0, height - 1))


def _between(x: Floats, across: Any, down: Any) -> Floats:
    """The pictures at places between pixels, both (n, h, w): weighted by nearness."""
    left, top = (np.floor(place).astype(int) for place in (across, down))
    right, bottom = np.minimum(left + 1, x.shape[3] - 1), np.minimum(top + 1, x.shape[2] - 1)
    which = np.arange(len(x))[:, None, None]
    channels_last = np.ascontiguousarray(x.transpose(0, 2, 3, 1))
    far_x, far_y = (
        (place - near)[..., None].astype(x.dtype) for place, near in ((across, left), (down, top))
    )
    upper = (1 - far_x) * channels_last[which, top, left] + far_x * channels_last[which, top, right]
    lower = (1 - far_x) * channels_last[which, bottom, left] + far_x * channels_last[which, bottom, right]
    return ((1 - far_y) * upper + far_y * lower).transpose(0, 3, 1, 2)


def columns(attributes: Sequence[str]) -> list[int]:
    """The columns of some attributes, named as in `ATTRIBUTES`."""
    if isinstance(attributes, str) or not attributes:
        raise ValueError(f"attributes: got {attributes!r}, expected some of {', '.join(ATTRIBUTES)}")
    return [ATTRIBUTES.index(checks.one_of("attributes", name, ATTRIBUTES)) for name in attributes]


def region(attributes: Sequence[str]) -> NDArray[np.bool_]:
    """Return where portraits depend on some attributes: (32, 32), True at all pixels that they can change.

    Without these pixels a portrait says nothing of the attributes but what the others let expect.

    Examples
    --------
    >>> int(region(["accessoriesType"]).sum()), int(region(["topType", "hairColor"]).sum())
    (71, 528)
    """
    axes = tuple(columns(attributes))
    portraits = gallery().reshape(*LEVELS, *SHAPE)
    spread = portraits.max(axis=axes) != portraits.min(axis=axes)
    return spread.reshape(-1, SIZE, SIZE).any(axis=0)


def second_pictures(rows: Any, rng: RandomStream) -> Floats:
    """Return another picture of each person: the same hair and glasses, other clothes, another pose.

    The clothes are any of the 31 others; the shift is -3 to 3 pixels each way, and every second picture is
    mirrored. All of these are equally likely, and independent.

    Parameters
    ----------
    rows : array of int
        The looks of the first pictures, shape (n, 5).
    rng : RandomStream

    Returns
    -------
    array, shape (n, 3, 32, 32)
    """
    rows = np.array(rows)
    n, kinds, dyes = len(rows), *LEVELS[3:]
    check_rng(rng)
    others = asnumpy(rng.child("clothes").integers(1, kinds * dyes, (n,)))
    clothes = (rows[:, 3] * dyes + rows[:, 4] + others) % (kinds * dyes)
    rows[:, 3], rows[:, 4] = clothes // dyes, clothes % dyes
    shifts = asnumpy(rng.child("shift").integers(-REACH, REACH + 1, (n, 2)))
    return pose(draw(rows), shifts, 0.0, asnumpy(rng.child("mirror").integers(0, 2, (n,))) == 1)


def best_guess(attributes: Sequence[str]) -> float:
    """Return how often the best guess of some attributes is right for one who knows the others.

    Whoever sees v and not h guesses the likeliest h, and nobody does better:

        P(right) = sum_v max_h P_data(h, v)                                                    (best-guess)

    Examples
    --------
    >>> round(best_guess(["accessoriesType"]), 3)
    0.586
    """
    hidden = columns(attributes)
    return float(joint().max(axis=tuple(hidden)).sum())  # (best-guess)
