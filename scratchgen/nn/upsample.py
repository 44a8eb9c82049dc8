"""Upsample and its function `interpolate`: images in another size, without learning."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import matmul, raw
from ..autograd.pooling import spread_windows
from ..backend import Array, checks
from ..backend.convolution.geometry import Pair, Size, check_images, pair
from .module import Module


def interpolate(
    x: Any,
    size: Size | None = None,
    scale_factor: float | tuple[float, float] | None = None,
    mode: str = "nearest",
) -> Any:
    """What `Upsample` makes of x (batch, channels, height, width)."""
    check_images(x)
    _check(size, scale_factor, mode)
    new, scale = _new_size(x.shape[2:], size, scale_factor)
    batch, channels, height, width = x.shape
    factor = new[0] // height, new[1] // width
    if mode == "nearest" and all(math.isclose(f * s, 1) for f, s in zip(factor, scale, strict=True)):
        return spread_windows(x, kernel=factor, stride=factor, padding=(0, 0), size=new)
    # Both modes are linear on each axis: rows by one matrix, columns by another, with channels last.
    like = raw(x)
    rows = _resizing(height, new[0], scale[0], mode, like)
    columns = _resizing(width, new[1], scale[1], mode, like)
    pixels = x.transpose((0, 2, 3, 1)).reshape((batch, height, width * channels))
    pixels = matmul(rows, pixels).reshape((batch * new[0], width, channels))
    pixels = matmul(columns, pixels).reshape((batch, *new, channels))
    return pixels.transpose((0, 3, 1, 2))


def _new_size(
    old: Sequence[int], size: Size | None, scale_factor: float | tuple[float, float] | None
) -> tuple[Pair, tuple[float, float]]:
    """Height and width of the result, and how many original pixels one of its pixels stands for."""
    if size is not None:
        new = pair("size", size, 1)
        return new, (old[0] / new[0], old[1] / new[1])
    assert scale_factor is not None
    both = scale_factor if isinstance(scale_factor, tuple | list) else (scale_factor, scale_factor)
    if len(both) != 2 or any(not 0 < f < math.inf for f in both):
        raise ValueError(f"scale_factor: got {scale_factor}, expected a positive number, or two of them")
    new = int(old[0] * both[0]), int(old[1] * both[1])
    if min(new) < 1:
        raise ValueError(f"scale_factor: got {scale_factor}, which leaves {new} of an image of {tuple(old)}")
    return new, (1 / both[0], 1 / both[1])


def _resizing(old: int, new: int, scale: float, mode: str, like: Array) -> Array:
    """The matrix (new, old) that resizes one axis."""
    pixels, results = (np.arange(n, dtype=np.float64, like=like) for n in (old, new))
    if mode == "nearest":
        # A little more than the product, lest 11 * (30 / 22) fall below 15.
        nearest = np.floor(results * scale * (1 + 1e-12))  # (nearest-resizing)
        return (nearest[:, None] == pixels).astype(like.dtype)
    centre = np.clip((results + 0.5) * scale - 0.5, 0, old - 1)
    return np.maximum(1 - np.abs(centre[:, None] - pixels), 0).astype(like.dtype)  # (bilinear-interpolation)


def _check(size: Any, scale_factor: Any, mode: str) -> None:
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"size, scale_factor: got {size} and {scale_factor}, expected exactly one of the two"
        )
    checks.one_of("mode", mode, ("nearest", "bilinear"))


class Upsample(Module):
    """Images in another size: ``(batch, channels, h, w) -> (batch, channels, h', w')``.

    As PyTorch's with ``align_corners=False``. With ``scale`` the original's length by the new one, pixel o of
    an axis lies where this pixel of the original does: ::

        c = (o + 1/2) scale - 1/2,     y_o = sum_i max(0, 1 - |c - i|) x_i,   c held within the image
                                                                                 (bilinear-interpolation)

    That is "bilinear", which weighs the two pixels around c on each of the two axes; "nearest" takes original
    pixel ``floor(o scale)``.

    Parameters
    ----------
    size : int or two of them, optional
        Height and width of the result; this or `scale_factor` is needed.
    scale_factor : float or two of them, optional
        New lengths by old ones, the new ones rounded down.
    mode : {"nearest", "bilinear"}

    Raises
    ------
    ValueError
        If not exactly one of `size` and `scale_factor` is given, or nothing would be left.

    Examples
    --------
    >>> import numpy as np
    >>> Upsample(scale_factor=2)(np.array([[[[1.0, 2.0]]]]))
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]]])
    >>> Upsample(size=(1, 4), mode="bilinear")(np.array([[[[1.0, 2.0]]]]))
    array([[[[1.  , 1.25, 1.75, 2.  ]]]])
    """

    def __init__(
        self,
        size: Size | None = None,
        scale_factor: float | tuple[float, float] | None = None,
        mode: str = "nearest",
    ) -> None:
        _check(size, scale_factor, mode)
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode

    def forward(self, x: Any) -> Any:
        return interpolate(x, self.size, self.scale_factor, self.mode)

    def extra_repr(self) -> str:
        given = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{given}, mode={self.mode!r}"
