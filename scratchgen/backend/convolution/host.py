"""Convolution on the CPU: which of two ways serves which shape.

`blocked` (im2col) serves every shape, `winograd` those where it is faster. All functions take and give
(batch, height, width, channels) arrays.
"""

from __future__ import annotations

from types import ModuleType

import numpy as np

from . import blocked, minimal, winograd
from .geometry import Geometry, Pair

FEW_CHANNELS = 4
"""Up to so many channels of the images that are seen through windows, im2col copies little: a first layer
from 1 to 64 channels, kernel 4, stride 2, takes 0.25 ms by it and 0.55 by `winograd`, from 8 to 8, kernel 3,
1.06 and 0.50 (28 x 28, batch 16, one thread)."""


def correlate(x: np.ndarray, w: np.ndarray, geometry: Geometry, size: Pair) -> np.ndarray:
    """The convolution of x with w (out, in / groups, kh, kw), of that height and width."""
    y = np.empty((len(x), *size, len(w)), x.dtype)
    way(x, geometry).correlate(x, w, y, geometry)
    return y


def correlate_transpose(g: np.ndarray, w: np.ndarray, geometry: Geometry, size: Pair) -> np.ndarray:
    """The transposed convolution of g with w (channels of g, channels of the result / groups, kh, kw)."""
    x = np.empty((len(g), *size, w.shape[1] * geometry.groups), g.dtype)
    way(g, geometry).correlate_transpose(g, w, x, geometry)
    return x


def correlate_weight(x: np.ndarray, g: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The weights' contraction (out, in / groups, kh, kw) of x and g."""
    return way(x, geometry).correlate_weight(x, g, geometry)


def way(images: np.ndarray, geometry: Geometry) -> ModuleType:
    """The faster way for the images that are seen through windows."""
    suits = (
        images.dtype == np.float32  # float64 is for who wants the last digits
        and geometry.groups == 1
        and geometry.dilation == (1, 1)
        and minimal.applies(geometry.kernel[0], geometry.stride[0])
        and geometry.stride[1] <= geometry.kernel[1]
        and images.shape[3] > FEW_CHANNELS
        and len(images) > 0
    )
    return winograd if suits else blocked
