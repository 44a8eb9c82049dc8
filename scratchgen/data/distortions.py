"""Distortions that do not change what is seen: pictures shifted, turned and scaled a little.

A distorted picture takes each pixel u from a place A u + b of the given one, between its pixels by bilinear
interpolation: with (i, j) the whole parts of the place and (s, t) what is left of them,

    x'(u) = (1 - s) (1 - t) x[i, j] + (1 - s) t x[i, j + 1] + s (1 - t) x[i + 1, j] + s t x[i + 1, j + 1]
                                                                                     (bilinear-sampling)

and beyond the edge everything is 0.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import Array, RandomStream, check_rng, checks


def distorted(
    images: Any, rng: RandomStream, shift: float = 1.0, turn: float = 0.15, scale: float = 0.1
) -> Array:
    """Each picture shifted, turned and scaled by chance, anew in every call.

    Parameters
    ----------
    images : array, shape (n, channels, height, width)
        Black around what they show.
    rng : RandomStream
    shift : float
        Up to so many pixels up or down, and as many to a side, each evenly.
    turn : float
        Up to this angle to either side, in radians, about the middle.
    scale : float
        Up to this share larger or smaller; below 1.

    Returns
    -------
    array, of the shape and dtype of `images`

    Raises
    ------
    TypeError, ValueError
        If an argument is not as said above.

    Examples
    --------
    >>> distorted(np.ones((2, 1, 8, 8), np.float32), RandomStream(0)).shape
    (2, 1, 8, 8)
    """
    checks.shape("images", checks.floating("images", images), ("n", "channels", "height", "width"))
    shift = checks.number("shift", shift, "[0, inf)")
    turn = checks.number("turn", turn, "[0, inf)")
    scale = checks.number("scale", scale, "[0, 1)")
    chance = 2 * check_rng(rng).uniform((len(images), 4), images.dtype) - 1
    angle, size = turn * chance[:, 0], 1 + scale * chance[:, 1]
    turned = np.stack([np.cos(angle), -np.sin(angle), np.sin(angle), np.cos(angle)], axis=1) / size[:, None]
    return transformed(images, turned.reshape(-1, 2, 2), shift * chance[:, 2:])


def transformed(images: Array, matrices: Array, shifts: Array) -> Array:
    """Pictures whose pixel at u, seen from the middle, is the given one's at ``matrices u + shifts``.

    Parameters
    ----------
    images : array, shape (n, channels, height, width)
    matrices : array, shape (n, 2, 2)
        A, in rows and columns; what is larger than 1 makes pictures smaller.
    shifts : array, shape (n, 2)
        b, in pixels down and to the right.
    """
    n, channels, height, width = images.shape
    down = np.arange(height, like=images) - (height - 1) / 2
    right = np.arange(width, like=images) - (width - 1) / 2
    seen = [
        matrices[:, k, 0, None, None] * down[:, None]
        + matrices[:, k, 1, None, None] * right
        + shifts[:, k, None, None]
        + (side - 1) / 2
        for k, side in enumerate((height, width))
    ]
    # Black all around, wherever a place outside leads to.
    framed = np.zeros_like(images, shape=(n, channels, height + 3, width + 3), order="C")
    framed[:, :, 1:-2, 1:-2] = images
    place = [np.clip(y + 1, 0, side + 1) for y, side in zip(seen, (height, width), strict=True)]
    corner = [np.floor(y).astype(np.int64) for y in place]
    s, t = ((y - i)[:, None].astype(images.dtype) for y, i in zip(place, corner, strict=True))
    flat = framed.reshape(n, channels, (height + 3) * (width + 3))
    first = corner[0] * (width + 3) + corner[1]

    def pixel(step: int) -> Array:
        index = np.broadcast_to((first + step).reshape(n, 1, height * width), (n, channels, height * width))
        return np.take_along_axis(flat, index, axis=2).reshape(images.shape)

    below, beside = width + 3, 1
    return (  # (bilinear-sampling)
        (1 - s) * (1 - t) * pixel(0)
        + (1 - s) * t * pixel(beside)
        + s * (1 - t) * pixel(below)
        + s * t * pixel(below + beside)
    )
