"""Convolution on the CPU: which of three ways serves which shape.

`blocked` (im2col) serves every shape, `winograd` the 3 x 3 convolutions of stride 1, where it needs a quarter
of the multiplications, and `scattered` few output channels. All functions take and give
(batch, height, width, channels) arrays.
"""

from __future__ import annotations

import numpy as np

from . import blocked, scattered, winograd
from .geometry import Geometry, Pair

FEW_CHANNELS = 4
"""Up to so many outputs, products of whole pixels that are then shifted and added beat im2col."""

WINOGRAD_CHANNELS = 16
"""From so many channels on both sides, the products saved are worth Winograd's transforms. At 28 x 28,
batch 64, one thread: 16 to 16 channels 6.7 ms (im2col 8.5), 32 to 32 12.4 (19.1), 64 to 64 27.3 (53.8); at
7 x 7, where tiles of 4 overhang, 64 to 64 3.0 (3.6)."""


def correlate(x: np.ndarray, w: np.ndarray, geometry: Geometry, size: Pair) -> np.ndarray:
    """The convolution of x with w (out, in / groups, kh, kw), of that height and width."""
    y = np.empty((len(x), *size, len(w)), x.dtype)
    if _winograd_pays(geometry, x.dtype, w.shape[:2]):
        winograd.correlate(x, w, y, geometry.padding)
    elif geometry.stride == (1, 1) and geometry.groups == 1 and len(w) <= FEW_CHANNELS < w.shape[1]:
        scattered.correlate(x, w, y, geometry)
    else:
        blocked.correlate(x, w, y, geometry)
    return y


def correlate_transpose(g: np.ndarray, w: np.ndarray, geometry: Geometry, size: Pair) -> np.ndarray:
    """The transposed convolution of g with w (channels of g, channels of the result / groups, kh, kw)."""
    x = np.empty((len(g), *size, w.shape[1] * geometry.groups), g.dtype)
    if _winograd_pays(geometry, g.dtype, w.shape[:2]):
        # At stride 1 the adjoint is the convolution with mirrored taps and the complementary padding.
        mirrored = w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
        top, left = geometry.padding
        winograd.correlate(g, mirrored, x, (2 - top, 2 - left))
    elif geometry.groups == 1 and w.shape[1] <= FEW_CHANNELS < w.shape[0]:
        scattered.correlate_transpose(g, w, x, geometry)
    else:
        blocked.correlate_transpose(g, w, x, geometry)
    return x


def correlate_weight(x: np.ndarray, g: np.ndarray, geometry: Geometry) -> np.ndarray:
    """The weights' contraction (out, in / groups, kh, kw) of x and g."""
    if len(x) and _winograd_pays(geometry, x.dtype, (x.shape[3], g.shape[3])):
        return winograd.correlate_weight(x, g, geometry.padding)
    return blocked.correlate_weight(x, g, geometry)


def _winograd_pays(geometry: Geometry, dtype: np.dtype, channels: tuple[int, ...]) -> bool:
    """Whether a convolution is a 3 x 3 one with channels enough; float64 keeps its last digits instead."""
    return (
        dtype == np.float32
        and geometry == Geometry((3, 3), (1, 1), geometry.padding, (1, 1), 1)
        and min(channels) >= WINOGRAD_CHANNELS
    )
