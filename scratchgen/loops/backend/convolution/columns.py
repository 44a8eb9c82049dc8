"""The three contractions for float32 NumPy arrays: which of two ways serves which shape.

Minimal filtering (`filtered.py`) is faster where it applies; windows written out (`windows.py`) serve every
shape, a block that stays in the cache at a time.
"""

from __future__ import annotations

import functools
from typing import Any

import numpy as np

from ....backend.blas import USABLE
from ....backend.convolution import minimal
from ....backend.convolution.exact import exact_convolution
from ....backend.convolution.geometry import Geometry, Pair
from . import filtered, windows
from .windows import plain

FEW_CHANNELS = 4
"""Of so many, a window is short, and writing it out costs less than evaluating it."""


def correlate(x: np.ndarray, w: np.ndarray, *, geometry: Geometry, size: Pair, bias: Any = None) -> Any:
    """The convolution of x with w (out, in / groups, kh, kw), plus the bias."""
    if not USABLE:
        return NotImplemented
    x = plain(x)
    y = np.empty((len(x), *size, len(w)), x.dtype)
    if y.size and _filters(x, geometry) and len(w) > FEW_CHANNELS:
        spoilt = filtered.correlate(x, w, y, geometry, bias)
        if spoilt.any():
            y[spoilt] = _written_out(x[spoilt], w, y[spoilt], geometry, bias)
        return y
    return _written_out(x, w, y, geometry, bias)


def _written_out(x: np.ndarray, w: np.ndarray, y: np.ndarray, geometry: Geometry, bias: Any) -> np.ndarray:
    turned = _turned(geometry)
    if turned is not None and len(w) <= FEW_CHANNELS < x.shape[3]:
        windows.correlate_transpose(x, _flipped(w), y, turned, bias)
    else:
        windows.correlate(x, w, y, geometry, bias)
    return y


def correlate_transpose(
    g: np.ndarray, w: np.ndarray, *, geometry: Geometry, size: Pair, bias: Any = None
) -> Any:
    """The transposed convolution of g with w (channels of g, of the result / groups, kh, kw), plus bias."""
    if not USABLE:
        return NotImplemented
    g = plain(g)
    x = np.empty((len(g), *size, w.shape[1] * geometry.groups), g.dtype)
    if x.size and _filters(g, geometry) and x.shape[3] > FEW_CHANNELS:
        spoilt = filtered.correlate_transpose(g, w, x, geometry, bias)
        if spoilt.any():
            part = x[spoilt]
            windows.correlate_transpose(g[spoilt], w, part, geometry, bias)
            x[spoilt] = part
        return x
    turned = _turned(geometry)
    if turned is not None and g.shape[3] <= FEW_CHANNELS < x.shape[3]:
        windows.correlate(g, _flipped(w), x, turned, bias)
    else:
        windows.correlate_transpose(g, w, x, geometry, bias)
    return x


def correlate_weight(x: np.ndarray, g: np.ndarray, *, geometry: Geometry) -> Any:
    """The weights' contraction (out, in / groups, kh, kw) of x and g."""
    if not USABLE:
        return NotImplemented
    x, g = plain(x), plain(g)
    if _filters(x, geometry) and g.shape[3] > FEW_CHANNELS:
        return filtered.correlate_weight(x, g, geometry)
    turned = _turned(geometry)
    if turned is not None and g.shape[3] <= FEW_CHANNELS < x.shape[3]:
        return np.ascontiguousarray(_flipped(windows.correlate_weight(g, x, turned)))
    return windows.correlate_weight(x, g, geometry)


def _filters(images: np.ndarray, geometry: Geometry) -> bool:
    """Whether minimal filtering is allowed, possible, and faster, for the images seen through windows."""
    return (
        not exact_convolution()
        and geometry.groups == 1
        and geometry.dilation == (1, 1)
        and minimal.applies(geometry.kernel[0], geometry.stride[0])
        and geometry.stride[1] <= geometry.kernel[1]
        and images.shape[3] > FEW_CHANNELS
        and len(images) > 0
    )


@functools.lru_cache(maxsize=256)
def _turned(geometry: Geometry) -> Geometry | None:
    """The transposed convolution which, with the flipped kernel, is the convolution of this geometry.

    That is there where the stride is one: ``conv(x, w) = conv_transpose(x, flipped w)``, with padding
    ``dilation (kernel - 1) - padding``. The other way round it holds too.
    """
    padding = tuple(e - 1 - p for e, p in zip(geometry.extent, geometry.padding, strict=True))
    if geometry.stride != (1, 1) or geometry.groups != 1 or min(padding) < 0:
        return None
    return Geometry(geometry.kernel, (1, 1), padding, geometry.dilation, 1)


def _flipped(w: np.ndarray) -> np.ndarray:
    """Taps in reverse, and in and out swapped."""
    return w[:, :, ::-1, ::-1].transpose(1, 0, 2, 3)
