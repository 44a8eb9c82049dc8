"""AvgPool2d and MaxPool2d: images made smaller, a window of pixels to one."""

from __future__ import annotations

from typing import Any

from ..backend.convolution.geometry import Size, pair
from . import functional as F
from .module import Module


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
        self,
        kernel_size: Size,
        stride: Size | None = None,
        padding: Size = 0,
        count_include_pad: bool = True,
    ) -> None:
        super().__init__(kernel_size, stride, padding)
        self.count_include_pad = count_include_pad

    def forward(self, x: Any) -> Any:
        return F.avg_pool2d(x, self.kernel_size, self.stride, self.padding, self.count_include_pad)


class MaxPool2d(_Pooling):
    """The largest number of each window: ``(batch, channels, h, w) -> (batch, channels, h', w')``.

    ``h' = floor((h + 2 padding - kernel_size) / stride) + 1``. Where several numbers tie, the derivative goes
    to the first of them, in rows from the top left, as in PyTorch.

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
        return F.max_pool2d(x, self.kernel_size, self.stride, self.padding)
