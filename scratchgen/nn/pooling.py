"""Pooling: images made smaller, a window of pixels to one. Each layer stands beside its function."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ..autograd import raw
from ..autograd.pooling import max_windows, sum_windows, window_count
from ..backend.convolution.geometry import Pair, Size, check_images, pair
from .module import Module


def avg_pool2d(
    x: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, count_include_pad: bool = True
) -> Any:
    """What `AvgPool2d` computes of x (batch, channels, height, width)."""
    window = _window(x, kernel_size, stride, padding)
    total = sum_windows(x, **window)
    if count_include_pad or window["padding"] == (0, 0):
        return total * (1 / math.prod(window["kernel"]))  # (average-pooling)
    return total / sum_windows(np.ones_like(raw(x)[:1, :1]), **window)


def max_pool2d(x: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> Any:
    """What `MaxPool2d` computes of x (batch, channels, height, width)."""
    return max_windows(x, **_window(x, kernel_size, stride, padding))


def _window(x: Any, kernel_size: Size, stride: Size | None, padding: Size) -> dict[str, Pair]:
    """The static keywords of a pooling primitive, checked."""
    check_images(x)
    kernel, around = pair("kernel_size", kernel_size, 1), pair("padding", padding, 0)
    step = kernel if stride is None else pair("stride", stride, 1)
    if any(2 * p > k for p, k in zip(around, kernel, strict=True)):
        raise ValueError(f"padding: got {around}, expected at most half of kernel_size {kernel}")
    window_count(x.shape[2:], kernel, step, around)
    return {"kernel": kernel, "stride": step, "padding": around}


class _Pooling(Module):
    """What both kinds of pooling share: kernel, stride (the kernel's size if left out) and padding."""

    def __init__(self, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> None:
        self.kernel_size = pair("kernel_size", kernel_size, 1)
        self.stride = self.kernel_size if stride is None else pair("stride", stride, 1)
        self.padding = pair("padding", padding, 0)

    def extra_repr(self) -> str:
        return f"{self.kernel_size}, stride={self.stride}, padding={self.padding}"


class AvgPool2d(_Pooling):
    """The mean of each window: ``(batch, channels, h, w) -> (batch, channels, h', w')``.

    ``h' = floor((h + 2 padding - kernel_size) / stride) + 1``.

    ::

        y_op = 1/m^2 sum_ij x_(o s + i - p0, p s + j - p0)                                 (average-pooling)

    Parameters
    ----------
    kernel_size, stride, padding : int or two of them
        The stride is the kernel's size if left out; the padding, zeros, at most half of it.
    count_include_pad : bool
        Whether the zeros around the image count in the mean.

    Examples
    --------
    >>> import numpy as np
    >>> AvgPool2d(2)(np.array([[[[1.0, 2.0], [3.0, 6.0]]]]))
    array([[[[3.]]]])
    """

    def __init__(
        self, kernel_size: Size, stride: Size | None = None, padding: Size = 0, count_include_pad: bool = True
    ) -> None:
        super().__init__(kernel_size, stride, padding)
        self.count_include_pad = count_include_pad

    def forward(self, x: Any) -> Any:
        return avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.count_include_pad)


class MaxPool2d(_Pooling):
    """The largest number of each window: ``(batch, channels, h, w) -> (batch, channels, h', w')``.

    ``h' = floor((h + 2 padding - kernel_size) / stride) + 1``. Where several numbers tie, the derivative goes
    to the first of them, in rows from the top left. NaN counts as the largest, the last one where there are
    several. Both as in PyTorch.

    Parameters
    ----------
    kernel_size, stride, padding : int or two of them
        The stride is the kernel's size if left out; the padding, which never wins, at most half of it.

    Examples
    --------
    >>> import numpy as np
    >>> MaxPool2d(2)(np.array([[[[1.0, 2.0], [3.0, 6.0]]]]))
    array([[[[6.]]]])
    """

    def forward(self, x: Any) -> Any:
        return max_pool2d(x, self.kernel_size, self.stride, self.padding)
