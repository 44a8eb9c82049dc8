"""Convolution: one trilinear form, whose three contractions are each other's derivatives.

For images x, weights w and a cotangent g, summed over all indices, the form ::

    <g, x * w>  =  sum  g[b, e, o, p]  w[e, c, i, j]  x[b, c, o q + i r - p0, p q + j r - p0]

is linear in each of the three. Leave one of them out, and the sum over the rest is an image of its shape::

    conv(x, w)            -> like g    the convolution
    conv_transpose(g, w)  -> like x    its adjoint in x: few pixels become many
    conv_weight(x, g)     -> like w    its adjoint in w

So the derivatives of each are made of the other two, for the cotangent g or u of its result::

    conv(x, w):            dx = conv_transpose(g, w)    dw = conv_weight(x, g)           (convolution-vjps)
    conv_transpose(g, w):  dg = conv(u, w)              dw = conv_weight(u, g)
                                                                              (transposed-convolution-vjps)
    conv_weight(x, g):     dx = conv_transpose(g, u)    dg = conv(x, u)           (convolution-weight-vjps)

These six lines are differentiated by themselves: every order is there. What stride, padding, dilation and
groups mean, and how it is computed fast, stands in `scratchgen.backend.convolution`.
"""

from __future__ import annotations

from typing import Any

from ..backend import Array, convolution
from .channels import sum_pixels
from .primitive import primitive


@primitive(  # (convolution-vjps)
    lambda g, y, x, w, **how: conv_transpose(g, w, output_size=tuple(x.shape[2:]), **how),
    lambda g, y, x, w, **how: conv_weight(x, g, kernel_size=tuple(w.shape[2:]), **how),
)
def conv(x: Array, w: Array, **how: Any) -> Array:
    """Convolution of images with a bank of kernels; see `scratchgen.backend.convolution.conv2d`.

    Parameters
    ----------
    x : shape (batch, in, height, width)
    w : shape (out, in / groups, kernel height, kernel width)
    **how
        ``stride``, ``padding``, ``dilation``: an int or two of them (vertical, horizontal); ``groups``: int.

    Returns
    -------
    shape (batch, out, ..., ...)

    Raises
    ------
    ValueError
        If channels, groups, kernel or stride do not fit; the message names the argument.
    """
    return convolution.conv2d(x, w, **how)


@primitive(  # (transposed-convolution-vjps)
    lambda u, y, g, w, output_size=None, **how: conv(u, w, **how),
    lambda u, y, g, w, output_size=None, **how: conv_weight(u, g, kernel_size=tuple(w.shape[2:]), **how),
)
def conv_transpose(g: Array, w: Array, **how: Any) -> Array:
    """The adjoint of ``x -> conv(x, w)``; see `scratchgen.backend.convolution.conv2d_transpose`.

    Parameters
    ----------
    g : shape (batch, out, height, width)
    w : shape (out, in / groups, kernel height, kernel width)
    **how
        As for `conv`, and ``output_size``, which of the sizes that fit the result shall have (the smallest).

    Returns
    -------
    shape (batch, in, ..., ...)
    """
    return convolution.conv2d_transpose(g, w, **how)


@primitive(  # (convolution-weight-vjps)
    lambda u, y, x, g, kernel_size, **how: conv_transpose(g, u, output_size=tuple(x.shape[2:]), **how),
    lambda u, y, x, g, kernel_size, **how: conv(x, u, **how),
)
def conv_weight(x: Array, g: Array, **how: Any) -> Array:
    """The adjoint of ``w -> conv(x, w)``; see `scratchgen.backend.convolution.conv2d_weight`.

    Parameters
    ----------
    x : shape (batch, in, height, width)
    g : shape (batch, out, ..., ...)
    **how
        As for `conv`, and ``kernel_size``, height and width of the kernels.

    Returns
    -------
    shape (out, in / groups, kernel height, kernel width)
    """
    return convolution.conv2d_weight(x, g, **how)


@primitive(  # (convolution-vjps)
    lambda g, y, x, w, b, **how: conv_transpose(g, w, output_size=tuple(x.shape[2:]), **how),
    lambda g, y, x, w, b, **how: conv_weight(x, g, kernel_size=tuple(w.shape[2:]), **how),
    lambda g, y, x, w, b, **how: sum_pixels(g, by_image=False),
)
def biased_conv(x: Array, w: Array, b: Array, **how: Any) -> Array:
    """``conv(x, w) + b`` for b (out,)."""
    return convolution.conv2d(x, w, bias=b, **how)


@primitive(  # (transposed-convolution-vjps)
    lambda u, y, g, w, b, output_size=None, **how: conv(u, w, **how),
    lambda u, y, g, w, b, output_size=None, **how: conv_weight(u, g, kernel_size=tuple(w.shape[2:]), **how),
    lambda u, y, g, w, b, **how: sum_pixels(u, by_image=False),
)
def biased_conv_transpose(g: Array, w: Array, b: Array, **how: Any) -> Array:
    """``conv_transpose(g, w) + b`` for b (in,)."""
    return convolution.conv2d_transpose(g, w, bias=b, **how)
