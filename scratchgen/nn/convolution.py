"""Convolution of images and of sequences, and transposed convolution: learnt kernels that slide.

Each layer stands beside its function, and says what the parameters of both mean.
"""

from __future__ import annotations

from typing import Any

from ..autograd import conv, conv_transpose
from ..autograd.convolution import biased_conv, biased_conv_transpose
from ..backend import RandomStream, checks
from ..backend.convolution import transposed_size
from ..backend.convolution.geometry import Size, check_groups, numbers, pair
from .init import fan_in_, stream_or_next
from .module import Module, Parameter, parameter_like


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """What `Conv2d` computes of x (batch, in, h, w) with its weight and its bias, which may be None."""
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if bias is None:
        return conv(x, weight, **how)
    checks.shape("bias", bias, (weight.shape[0],), "one per channel")
    return biased_conv(x, weight, bias, **how)


def conv1d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """What `Conv1d` computes of x (batch, in, length): a convolution of images one column wide."""
    checks.shape("x", x, ("batch", "channels", "length"))
    checks.shape("weight", weight, ("out", "in", "taps"))
    (down,), (around,) = numbers("stride", stride, 1, 1), numbers("padding", padding, 0, 1)
    (apart,) = numbers("dilation", dilation, 1, 1)
    columns, kernels = (a.reshape((*a.shape, 1)) for a in (x, weight))
    y = conv2d(columns, kernels, bias, (down, 1), (around, 0), (apart, 1), groups)
    return y.reshape(y.shape[:3])


def conv_transpose2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    output_padding: Size = 0,
    groups: int = 1,
    dilation: Size = 1,
) -> Any:
    """What `ConvTranspose2d` computes of x (batch, in, h, w) with its weight and its bias or None."""
    checks.shape("x", x, ("batch", weight.shape[0], "height", "width"), "to fit the weight")
    size = transposed_size(x.shape[2:], weight.shape[2:], stride, padding, dilation, output_padding)
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "output_size": size}
    if bias is None:
        return conv_transpose(x, weight, **how)
    checks.shape("bias", bias, (weight.shape[1] * groups,), "one per channel")
    return biased_conv_transpose(x, weight, bias, **how)


class _Convolution(Module):
    """What all convolutions share: everything but the function, and the order of the weight's channels."""

    axes = 2
    transposed = False

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        dilation: Size = 1,
        groups: int = 1,
        bias: bool = True,
        rng: RandomStream | None = None,
    ) -> None:
        self.in_channels = checks.whole("in_channels", in_channels)
        self.out_channels = checks.whole("out_channels", out_channels)
        check_groups(checks.whole("groups", groups), input=in_channels, output=out_channels)
        self.kernel_size = numbers("kernel_size", kernel_size, 1, self.axes)
        self.stride = numbers("stride", stride, 1, self.axes)
        self.padding = numbers("padding", padding, 0, self.axes)
        self.dilation = numbers("dilation", dilation, 1, self.axes)
        self.groups = groups
        first, second = (in_channels, out_channels) if self.transposed else (out_channels, in_channels)
        self.weight = parameter_like((first, second // groups, *self.kernel_size))
        self.bias: Parameter | None = parameter_like((out_channels,)) if bias else None
        self.reset_parameters(stream_or_next(rng))

    def reset_parameters(self, rng: RandomStream) -> None:
        fan_in_([self.weight, self.bias], self.weight[0].size, rng)

    def extra_repr(self) -> str:
        parts = [f"{self.in_channels}, {self.out_channels}, kernel_size={self.kernel_size}"]
        usual = {"stride": 1, "padding": 0, "output_padding": 0, "dilation": 1}
        shown = {name: (value,) * self.axes for name, value in usual.items()} | {"groups": 1}
        for name, default in shown.items():
            value = getattr(self, name, default)
            parts += [f"{name}={value}"] if value != default else []
        return ", ".join([*parts, *(["bias=False"] if self.bias is None else [])])


class Conv2d(_Convolution):
    r"""Convolution of images: ``(batch, in_channels, h, w) -> (batch, out_channels, h', w')``.

    .. math:: y_{beop} = v_e + \sum_{cij} w_{ecij} \, x_{b,\,c,\,o q + i r - p_0,\,p q + j r - p_0}

    with stride s, dilation d and padding p0, so that
    ``h' = floor((h + 2 padding - dilation (kernel_size - 1) - 1) / stride) + 1``.

    On the CPU, in float32, several rows are computed together by minimal filtering, whose rounding errors are
    about 2e-6 of the largest number that any of them sees; a plain sum's are 3e-7 of its own. Images with
    NaN, infinity or numbers of very different size are added up term by term, as all are under
    `scratchgen.use_exact_convolution`.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int or two of them (vertical, horizontal)
    groups : int
        Divides both numbers of channels; the outputs of a group see the inputs of that group only.
    bias : bool
        Whether to add b.
    rng : RandomStream, optional
        Of the initial weights.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kernel height, kernel width)
    bias : Parameter, shape (out_channels,), or None

    Raises
    ------
    ValueError
        If channels, groups, kernel or stride do not fit each other, or the images.

    Examples
    --------
    >>> import numpy as np
    >>> Conv2d(3, 8, kernel_size=3, stride=2, padding=1)(np.zeros((4, 3, 28, 28), np.float32)).shape
    (4, 8, 14, 14)
    """

    def forward(self, x: Any) -> Any:
        return conv2d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class Conv1d(_Convolution):
    """Convolution of sequences: ``(batch, in_channels, length) -> (batch, out_channels, length')``.

    As `Conv2d`, along one axis.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding, dilation : int
    groups, bias, rng
        As `Conv2d` has them.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels / groups, kernel_size)
    bias : Parameter, shape (out_channels,), or None

    Examples
    --------
    >>> import numpy as np
    >>> Conv1d(3, 8, kernel_size=3, stride=2, padding=1)(np.zeros((4, 3, 28), np.float32)).shape
    (4, 8, 14)
    """

    axes = 1

    def forward(self, x: Any) -> Any:
        return conv1d(x, self.weight, self.bias, self.stride, self.padding, self.dilation, self.groups)


class ConvTranspose2d(_Convolution):
    """Transposed convolution: ``(batch, in_channels, h, w) -> (batch, out_channels, h', w')``.

    The adjoint of a convolution from `out_channels` to `in_channels`, plus a bias. A stride above 1 makes
    images larger: ``h' = (h - 1) stride - 2 padding + dilation (kernel_size - 1) + 1 + output_padding``.

    Parameters
    ----------
    in_channels, out_channels : int
    kernel_size, stride, padding : int or two of them (vertical, horizontal)
    output_padding : int or two of them
        Below the stride: how many rows and columns more than the smallest output that fits.
    groups : int
        Divides both numbers of channels.
    bias : bool
        Whether to add one.
    dilation : int or two of them
    rng : RandomStream, optional
        Of the initial weights.

    Attributes
    ----------
    weight : Parameter, shape (in_channels, out_channels / groups, kernel height, kernel width)
    bias : Parameter, shape (out_channels,), or None

    Raises
    ------
    ValueError
        If channels, groups, kernel, stride or output_padding do not fit each other, or the images.

    Examples
    --------
    >>> import numpy as np
    >>> ConvTranspose2d(8, 3, kernel_size=4, stride=2, padding=1)(np.zeros((4, 8, 14, 14), np.float32)).shape
    (4, 3, 28, 28)
    """

    transposed = True

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: Size,
        stride: Size = 1,
        padding: Size = 0,
        output_padding: Size = 0,
        groups: int = 1,
        bias: bool = True,
        dilation: Size = 1,
        rng: RandomStream | None = None,
    ) -> None:
        super().__init__(in_channels, out_channels, kernel_size, stride, padding, dilation, groups, bias, rng)
        self.output_padding = pair("output_padding", output_padding, 0)
        if any(more >= step for more, step in zip(self.output_padding, self.stride, strict=True)):
            raise ValueError(
                f"output_padding: got {self.output_padding}, expected less than the stride {self.stride}"
            )

    def forward(self, x: Any) -> Any:
        return conv_transpose2d(
            x,
            self.weight,
            self.bias,
            self.stride,
            self.padding,
            self.output_padding,
            self.groups,
            self.dilation,
        )
