"""Functional forms on images (batch, channels, height, width): convolution, pooling, resizing, padding.

`scratchgen.nn.functional` offers them beside the others. Sizes are an int, or two of them (vertical,
horizontal).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from ..autograd import conv, conv_transpose, matmul, raw, shapes
from ..autograd.channels import biased_conv, biased_conv_transpose
from ..autograd.pooling import max_windows_, spread_windows_, sum_windows_, window_count
from ..backend import Array
from ..backend.convolution import transposed_size
from ..backend.convolution.geometry import Pair, Size, pair


def conv2d(
    x: Any,
    weight: Any,
    bias: Any = None,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Any:
    """Convolution (cross-correlation) of images with a bank of kernels, plus a bias for each output channel.

    Parameters
    ----------
    x : shape (batch, in, height, width)
    weight : shape (out, in / groups, kernel height, kernel width)
    bias : shape (out,), optional
    stride, padding, dilation : int or two of them
    groups : int
        The output channels of a group see the input channels of that group only.

    Returns
    -------
    shape (batch, out, ..., ...)
        ``floor((height + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`` high, and so for the width.

    Raises
    ------
    ValueError
        If channels, groups, kernel or stride do not fit.
    """
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups}
    if bias is None:
        return conv(x, weight, **how)
    _check_bias(bias, weight.shape[0])
    return biased_conv(x, weight, bias, **how)


def _check_bias(bias: Any, channels: int) -> None:
    if tuple(bias.shape) != (channels,):
        raise ValueError(f"bias: got shape {tuple(bias.shape)}, expected ({channels},), one per channel")


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
    """Transposed convolution: what the convolution of the same weight does, turned round; many pixels of few.

    Parameters
    ----------
    x : shape (batch, in, height, width)
    weight : shape (in, out / groups, kernel height, kernel width)
    bias : shape (out,), optional
    stride, padding, dilation, groups
        Those of the convolution that is turned round.
    output_padding : int or two of them
        Below the stride: which of the output sizes that fit is meant, as rows more than the smallest.

    Returns
    -------
    shape (batch, out, ..., ...)
        ``(height - 1) stride - 2 padding + dilation (kernel - 1) + 1 + output_padding`` high.

    Raises
    ------
    ValueError
        If channels, groups, kernel, stride or output_padding do not fit.
    """
    if x.ndim != 4 or x.shape[1] != weight.shape[0]:
        raise ValueError(
            f"x: got shape {tuple(x.shape)}, expected (batch, {weight.shape[0]}, height, width) "
            f"to fit the weight of shape {tuple(weight.shape)}"
        )
    size = transposed_size(x.shape[2:], weight.shape[2:], stride, padding, dilation, output_padding)
    how = {"stride": stride, "padding": padding, "dilation": dilation, "groups": groups, "output_size": size}
    if bias is None:
        return conv_transpose(x, weight, **how)
    _check_bias(bias, weight.shape[1] * groups)
    return biased_conv_transpose(x, weight, bias, **how)


def avg_pool2d(
    x: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0, count_include_pad: bool = True
) -> Any:
    """The mean of each window.

    Parameters
    ----------
    x : shape (batch, channels, height, width)
    kernel_size, stride, padding : int or two of them
        The stride is the kernel's size if left out; the padding, zeros, at most half of it.
    count_include_pad : bool
        Whether the zeros around the image count in the mean.

    Raises
    ------
    ValueError
        If the kernel is larger than the padded image, or a number is out of range.

    Examples
    --------
    >>> avg_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 2.5,  4.5],
             [10.5, 12.5]]]])
    """
    window = _window(x, kernel_size, stride, padding)
    total = sum_windows_(x, **window)
    if count_include_pad or window["padding"] == (0, 0):
        return total * (1 / math.prod(window["kernel"]))
    return total / sum_windows_(np.ones_like(raw(x)[:1, :1]), **window)


def max_pool2d(x: Any, kernel_size: Size, stride: Size | None = None, padding: Size = 0) -> Any:
    """The largest number of each window.

    Where several tie, the derivative is that of the first (in rows from the top left), as in PyTorch.

    Parameters
    ----------
    x : shape (batch, channels, height, width)
    kernel_size, stride, padding : int or two of them
        The stride is the kernel's size if left out; the padding, which never wins, at most half of it.

    Raises
    ------
    ValueError
        If the kernel is larger than the padded image, or a number is out of range.

    Examples
    --------
    >>> max_pool2d(np.arange(16.0).reshape(1, 1, 4, 4), 2)
    array([[[[ 5.,  7.],
             [13., 15.]]]])
    """
    return max_windows_(x, **_window(x, kernel_size, stride, padding))


def _window(x: Any, kernel_size: Size, stride: Size | None, padding: Size) -> dict[str, Pair]:
    """The static keywords of a pooling primitive, checked."""
    _check_images(x)
    kernel, around = pair("kernel_size", kernel_size, 1), pair("padding", padding, 0)
    step = kernel if stride is None else pair("stride", stride, 1)
    if any(2 * p > k for p, k in zip(around, kernel, strict=True)):
        raise ValueError(f"padding: got {around}, expected at most half of kernel_size {kernel}")
    window_count(x.shape[2:], kernel, step, around)
    return {"kernel": kernel, "stride": step, "padding": around}


def _check_images(x: Any) -> None:
    if x.ndim != 4 or 0 in x.shape[2:]:
        raise ValueError(
            f"x: got shape {tuple(x.shape)}, expected (batch, channels, height, width) "
            "with at least one pixel"
        )


def interpolate(
    x: Any,
    size: Size | None = None,
    scale_factor: float | tuple[float, float] | None = None,
    mode: str = "nearest",
) -> Any:
    """Images in another size; as PyTorch's with ``align_corners=False``.

    With ``scale`` the original's length by the new one, pixel o of an axis lies where this pixel of the
    original does: ::

        c = (o + 1/2) scale - 1/2,     y_o = sum_i max(0, 1 - |c - i|) x_i,   c held within the image
                                                                                 (bilinear-interpolation)

    That is "bilinear", which weighs the two pixels around c on each of the two axes; "nearest" takes original
    pixel ``floor(o scale)``.

    Parameters
    ----------
    x : shape (batch, channels, height, width)
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
    >>> interpolate(np.array([[[[1.0, 2.0]]]]), scale_factor=2)
    array([[[[1., 1., 2., 2.],
             [1., 1., 2., 2.]]]])
    >>> interpolate(np.array([[[[1.0, 2.0]]]]), size=(1, 4), mode="bilinear")
    array([[[[1.  , 1.25, 1.75, 2.  ]]]])
    """
    _check_images(x)
    if mode not in ("nearest", "bilinear"):
        raise ValueError(f"mode: got {mode!r}, expected 'nearest' or 'bilinear'")
    new, scale = _new_size(x.shape[2:], size, scale_factor)
    batch, channels, height, width = x.shape
    factor = new[0] // height, new[1] // width
    if mode == "nearest" and all(math.isclose(f * s, 1) for f, s in zip(factor, scale, strict=True)):
        return spread_windows_(x, kernel=factor, stride=factor, padding=(0, 0), size=new)
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
    if (size is None) == (scale_factor is None):
        raise ValueError(
            f"size, scale_factor: got {size} and {scale_factor}, expected exactly one of the two"
        )
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
        nearest = np.clip(np.floor(results * scale * (1 + 1e-12)), 0, old - 1)
        return (nearest[:, None] == pixels).astype(like.dtype)
    centre = np.clip((results + 0.5) * scale - 0.5, 0, old - 1)
    return np.maximum(1 - np.abs(centre[:, None] - pixels), 0).astype(like.dtype)


def pad(x: Any, pad: Sequence[int], mode: str = "constant", value: float = 0.0) -> Any:
    """`x` with more entries of a constant at the ends of its last axes.

    Parameters
    ----------
    pad : sequence of int
        Before and after, for the last axis, then for the one before it: (left, right, top, bottom) of images.
    mode : {"constant"}
    value : float

    Examples
    --------
    >>> pad(np.array([[1.0]]), (1, 2))
    array([[0., 1., 0., 0.]])
    """
    if mode != "constant":
        raise ValueError(f"mode: got {mode!r}, expected 'constant'")
    if len(pad) % 2 or len(pad) > 2 * x.ndim or any(width < 0 for width in pad):
        raise ValueError(f"pad: got {tuple(pad)}, expected a pair of numbers >= 0 for each of the last axes")
    widths = [(pad[i], pad[i + 1]) for i in range(0, len(pad), 2)][::-1]
    return shapes.pad(x, [(0, 0)] * (x.ndim - len(widths)) + widths, value)
