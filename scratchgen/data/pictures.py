"""Checks on pictures that are common to everything that takes some."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backend import asnumpy


def check_images(
    images: Any, *, shape: tuple[int, ...] | None = None, name: str = "images", unit_range: bool = False
) -> NDArray[np.floating]:
    """Return images as a finite host array of shape (n, ...), of a floating dtype.

    Parameters
    ----------
    images : array
        Shape (n, ...), float32 or float64.
    shape : tuple of int, optional
        The shape of one image, where only one will do.
    name : str
        What the caller calls the argument, for the messages.
    unit_range : bool
        Whether values must lie in [0, 1].

    Raises
    ------
    ValueError
        If the shape or the dtype is wrong, a value is not finite, or lies outside the range.

    Examples
    --------
    >>> check_images(np.zeros((2, 3, 32, 32), dtype=np.uint8))
    Traceback (most recent call last):
    ...
    ValueError: images must be float32 or float64 in [0, 1] (divide bytes by 255); got uint8
    """
    array = np.asarray(asnumpy(images))
    if shape is not None and array.shape[1:] != shape:
        sizes = ", ".join(str(size) for size in shape)
        raise ValueError(f"{name} must have shape (n, {sizes}); got {array.shape}")
    if array.ndim < 2:
        raise ValueError(
            f"{name} must have an axis of images and at least one of pixels; got shape {array.shape}"
        )
    if array.dtype not in (np.float32, np.float64):
        raise ValueError(
            f"{name} must be float32 or float64 in [0, 1] (divide bytes by 255); got {array.dtype}"
        )
    if not np.isfinite(array).all():
        raise ValueError(
            f"{name} must be finite; {int((~np.isfinite(array)).sum())} values are NaN or infinite"
        )
    if unit_range and array.size and (array.min() < 0 or array.max() > 1):
        raise ValueError(f"{name} must lie in [0, 1]; got values from {array.min():g} to {array.max():g}")
    return array
