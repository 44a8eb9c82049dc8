"""Upsample: images made larger without learning."""

from __future__ import annotations

from typing import Any

from ..backend.convolution.geometry import Size
from . import functional as F
from .module import Module


class Upsample(Module):
    """Images in another size: ``(batch, channels, h, w) -> (batch, channels, h', w')``.

    Parameters
    ----------
    size : int or two of them, optional
        Height and width of the result; this or `scale_factor` is needed.
    scale_factor : float or two of them, optional
        New lengths by old ones, the new ones rounded down.
    mode : {"nearest", "bilinear"}
        As `scratchgen.nn.functional.interpolate` has them.

    Examples
    --------
    >>> import numpy as np
    >>> Upsample(scale_factor=2)(np.array([[[[1.0, 2.0]]]]))
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]]])
    """

    def __init__(
        self,
        size: Size | None = None,
        scale_factor: float | tuple[float, float] | None = None,
        mode: str = "nearest",
    ) -> None:
        if (size is None) == (scale_factor is None):
            raise ValueError(
                f"size, scale_factor: got {size} and {scale_factor}, expected exactly one of the two"
            )
        if mode not in ("nearest", "bilinear"):
            raise ValueError(f"mode: got {mode!r}, expected 'nearest' or 'bilinear'")
        self.size = size
        self.scale_factor = scale_factor
        self.mode = mode

    def forward(self, x: Any) -> Any:
        return F.interpolate(x, self.size, self.scale_factor, self.mode)

    def extra_repr(self) -> str:
        given = f"size={self.size}" if self.scale_factor is None else f"scale_factor={self.scale_factor}"
        return f"{given}, mode={self.mode!r}"
