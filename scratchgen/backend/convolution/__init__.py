"""Convolution of arrays: one trilinear form and its three contractions.

For images x, weights w and a cotangent g, all indices summed where they meet, ::

    form(x, w, g) = sum  g[b, e, o, p]  w[e, c, i, j]  x[b, c, o q + i r - p0, p q + j r - p0]
                                                                                         (trilinear-form)

with stride s, dilation d and padding p0 (x is zero outside). `conv2d` contracts x with w, `conv2d_transpose`
g with w, and `conv2d_weight` x with g, so each is the derivative of the others and ::

    <conv2d(x, w), g>  =  <x, conv2d_transpose(g, w)>  =  <w, conv2d_weight(x, g)>     (convolution-adjoints)

Images have the shape (batch, channels, height, width) and, when they come from here, channels-last memory:
the result is a transposed view of a contiguous (batch, height, width, channels) array. Arguments may have any
strides.
"""

from __future__ import annotations

from typing import Any

from ..device import Array
from . import columns
from .exact import use_exact_convolution
from .geometry import Geometry, Pair, Size, check_arrays, check_channels, check_groups, once_per_shape, pair

Shape = tuple[int, ...]

LAST, FIRST = (0, 2, 3, 1), (0, 3, 1, 2)  # where the channels go, in a view

__all__ = ["conv2d", "conv2d_transpose", "conv2d_weight", "transposed_size", "use_exact_convolution"]


def conv2d(
    x: Array,
    w: Array,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
    bias: Array | None = None,
) -> Array:
    """Convolution (cross-correlation, as in every deep-learning library) of images with a bank of kernels.

    ::

        y[b, e, o, p] = sum_cij  w[e, c, i, j]  x[b, c, o q + i r - p0, p q + j r - p0]     (convolution)

    Parameters
    ----------
    x : array (batch, in, height, width)
    w : array (out, in / groups, kernel height, kernel width)
    stride, padding, dilation : int or two of them (vertical, horizontal)
    groups : int
        Output channels of group q see the input channels of group q only.
    bias : array (out,), optional
        Added to each pixel.

    Returns
    -------
    array (batch, out, ..., ...)
        ``floor((height + 2 padding - dilation (kernel - 1) - 1) / stride) + 1`` high, and so for the width.

    Raises
    ------
    ValueError
        If channels, groups, kernel or stride do not fit; the message names the argument.

    Examples
    --------
    >>> import numpy as np
    >>> conv2d(np.ones((1, 1, 3, 3)), np.ones((1, 1, 2, 2)))[0, 0]
    array([[4., 4.],
           [4., 4.]])
    """
    check_arrays(x=x, w=w)
    geometry, size = _fitting(x.shape, w.shape, stride, padding, dilation, groups)
    y = columns.correlate(x.transpose(LAST), w, geometry=geometry, size=size, bias=bias)
    return y.transpose(FIRST)


def conv2d_transpose(
    g: Array,
    w: Array,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
    output_size: Size | None = None,
    bias: Array | None = None,
) -> Array:
    """Transposed convolution: the adjoint of ``x -> conv2d(x, w)``, which turns few pixels into many.

    ::

        x[n, c, y, z] = sum  w[e, c, i, j]  g[b, e, o, p]     over k and all taps that meet (y, z),
                             y = o q + i r - p0,   z = p q + j r - p0              (transposed-convolution)

    Parameters
    ----------
    g : array (batch, out, height, width)
    w : array (out, in / groups, kernel height, kernel width)
        As `conv2d` takes it: what is the output there is the input here.
    stride, padding, dilation, groups
        Those of the convolution.
    output_size : int or two of them, optional
        Height and width of the result; several sizes fit where the stride is above 1 (see `transposed_size`).
        By default the smallest.
    bias : array (in,), optional
        Added to each pixel.

    Returns
    -------
    array (batch, in, ..., ...)

    Raises
    ------
    ValueError
        If channels, groups, sizes or stride do not fit; the message names the argument.

    Examples
    --------
    >>> import numpy as np
    >>> conv2d_transpose(np.ones((1, 1, 2, 2)), np.ones((1, 1, 2, 2)))[0, 0]
    array([[1., 2., 1.],
           [2., 4., 2.],
           [1., 2., 1.]])
    """
    check_arrays(g=g, w=w)
    geometry, size = _fitting_back(g.shape, w.shape, stride, padding, dilation, groups, output_size)
    x = columns.correlate_transpose(g.transpose(LAST), w, geometry=geometry, size=size, bias=bias)
    return x.transpose(FIRST)


def conv2d_weight(
    x: Array,
    g: Array,
    kernel_size: Size,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    groups: int = 1,
) -> Array:
    """The contraction of images with a cotangent: the gradient of ``<conv2d(x, w), g>`` with respect to w.

    ::

        w[e, c, i, j] = sum_bop  g[b, e, o, p]  x[b, c, o q + i r - p0, p q + j r - p0]
                                                                                     (convolution-weight)

    Parameters
    ----------
    x : array (batch, in, height, width)
    g : array (batch, out, ..., ...)
        Of the shape that `conv2d` gives for x.
    kernel_size : int or two of them
    stride, padding, dilation, groups
        Those of the convolution.

    Returns
    -------
    array (out, in / groups, kernel height, kernel width)

    Raises
    ------
    ValueError
        If shapes, groups or stride do not fit; the message names the argument.

    Examples
    --------
    >>> import numpy as np
    >>> x = np.arange(4.0).reshape(1, 1, 2, 2)
    >>> conv2d_weight(x, np.ones((1, 1, 1, 1)), kernel_size=2)[0, 0]
    array([[0., 1.],
           [2., 3.]])
    """
    check_arrays(x=x, g=g)
    geometry = _fitting_both(x.shape, g.shape, kernel_size, stride, padding, dilation, groups)
    return columns.correlate_weight(x.transpose(LAST), g.transpose(LAST), geometry=geometry)


def transposed_size(
    input_size: Size,
    kernel_size: Size,
    stride: Size = 1,
    padding: Size = 0,
    dilation: Size = 1,
    output_padding: Size = 0,
) -> tuple[int, int]:
    """The `output_size` of a transposed convolution, from `output_padding` as PyTorch's layer has it.

    ``(input - 1) stride - 2 padding + dilation (kernel - 1) + 1 + output_padding``, for height and width.

    Raises
    ------
    ValueError
        If `output_padding` is not below the stride, or nothing is left of the output.

    Examples
    --------
    >>> transposed_size(7, kernel_size=4, stride=2, padding=1)
    (14, 14)
    """
    geometry = Geometry.of(kernel_size, stride, padding, dilation, groups=1)
    return geometry.transposed_size(pair("input_size", input_size, 1), output_padding)


@once_per_shape
def _fitting(x: Shape, w: Shape, *how: Any) -> tuple[Geometry, Pair]:
    """For `conv2d` of arrays of these shapes: the geometry, and the size of what comes out."""
    geometry = Geometry.of(w[2:], *how)
    groups = geometry.groups
    check_groups(groups, input=x[1], output=w[0])
    check_channels("x", x[1], w[1] * groups, f"w has {w[1]} in each of {groups} groups")
    return geometry, geometry.output_size(x[2:])


@once_per_shape
def _fitting_back(g: Shape, w: Shape, *how: Any) -> tuple[Geometry, Pair]:
    """For `conv2d_transpose`, the last argument being the size that is wanted, or None."""
    geometry, wanted = Geometry.of(w[2:], *how[:-1]), how[-1]
    check_groups(geometry.groups, **{"w.shape[0], the convolution's output": w[0]})
    check_channels("g", g[1], w[0], f"w has shape {w}")
    if wanted is None:
        return geometry, geometry.transposed_size(g[2:])
    return geometry, geometry.check_output_size(g[2:], wanted)


@once_per_shape
def _fitting_both(x: Shape, g: Shape, *how: Any) -> Geometry:
    """For `conv2d_weight`."""
    geometry = Geometry.of(*how)
    check_groups(geometry.groups, input=x[1], output=g[1])
    expected = x[0], g[1], *geometry.output_size(x[2:])
    if g != expected:
        raise ValueError(f"g: got shape {g}, expected {expected} for x of shape {x}")
    return geometry
