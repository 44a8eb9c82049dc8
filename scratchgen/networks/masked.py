"""Masked layers: networks in which no output can see the inputs that come after it.

Every unit has a degree. An input of degree m is the m-th number of the data; a hidden unit of degree m sees
inputs of degree m at most; output m sees only what is below it, the inputs 1 .. m - 1. A weight between two
units stays only where the degrees allow it.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backend import RandomStream, checks
from ..nn import Buffer, Conv2d, Linear, functional as F

Degrees = NDArray[np.int64]


def spread_degrees(units: int, dim: int) -> Degrees:
    """The degrees of a hidden layer: spread evenly over ``1 .. dim - 1``, in ascending order.

    ::

        m_i = 1 + floor(i (D - 1) / units),     i = 0 .. units - 1                              (made-degrees)

    Germain et al. (2015) draw them at random. Spread evenly, every degree occurs wherever there are as many
    units, and in ascending order the units of a degree lie side by side, which sampling makes use of.

    Examples
    --------
    >>> spread_degrees(6, dim=5)
    array([1, 1, 2, 3, 3, 4])
    """
    return 1 + np.arange(units) * max(dim - 1, 1) // units  # (made-degrees)


class MaskedLinear(Linear):
    """Affine map with some of its weights taken out: ``(batch, in) -> (batch, out)``.

    ::

        M_ij = 1 if out_degree_i >= in_degree_j, else 0       (in the last layer: >)            (made-mask)
        y = x (W * M)^T + b                                                           (masked-linear-layer)

    Parameters
    ----------
    in_degrees, out_degrees : sequence of int
        One for each input and each output.
    strict : bool
        Whether an output sees lower degrees only, as the last layer's do.
    rng : RandomStream, optional
        Of the initial weights.

    Attributes
    ----------
    weight : Parameter, shape (out, in)
        Only what the mask leaves of it counts.
    bias : Parameter, shape (out,)
    mask : Buffer, shape (out, in)

    Examples
    --------
    >>> MaskedLinear([1, 2, 3], [1, 2]).mask.data
    array([[1., 0., 0.],
           [1., 1., 0.]], dtype=float32)
    """

    def __init__(
        self,
        in_degrees: Sequence[int] | Degrees,
        out_degrees: Sequence[int] | Degrees,
        strict: bool = False,
        rng: RandomStream | None = None,
    ) -> None:
        super().__init__(len(in_degrees), len(out_degrees), rng=rng)
        self.in_degrees, self.out_degrees = np.asarray(in_degrees), np.asarray(out_degrees)
        behind = np.greater if strict else np.greater_equal
        self.mask = Buffer(behind.outer(self.out_degrees, self.in_degrees).astype(np.float32))  # (made-mask)

    def forward(self, x: Any) -> Any:
        checks.shape("x", x, ("batch", self.in_features))
        return F.linear(x, self.weight * self.mask, self.bias)  # (masked-linear-layer)


class MaskedConv2d(Conv2d):
    """Convolution with some of its weights taken out, on images that keep their size.

    Parameters
    ----------
    in_channels, out_channels : int
    mask : array of bool
        Which weights stay, (kernel height, kernel width) or (out, in, kernel height, kernel width); height
        and width are odd.
    rng : RandomStream, optional
        Of the initial weights.

    Attributes
    ----------
    weight : Parameter, shape (out_channels, in_channels, kernel height, kernel width)
        Only what the mask leaves of it counts.
    bias : Parameter, shape (out_channels,)
    mask : Buffer, of the shape of the weight

    Examples
    --------
    >>> import numpy as np
    >>> MaskedConv2d(1, 8, taps_before(3, here=True)[None])(np.zeros((4, 1, 28, 28), np.float32)).shape
    (4, 8, 28, 28)
    """

    def __init__(
        self, in_channels: int, out_channels: int, mask: NDArray[np.bool_], rng: RandomStream | None = None
    ) -> None:
        height, width = mask.shape[-2:]
        middle = height // 2, width // 2
        super().__init__(in_channels, out_channels, (height, width), padding=middle, rng=rng)
        self.mask = Buffer(np.broadcast_to(mask, self.weight.shape).astype(np.float32))

    @property
    def masked(self) -> Any:
        """The weight as it counts."""
        return self.weight * self.mask  # (pixelcnn-mask)

    def forward(self, x: Any) -> Any:
        return F.conv2d(x, self.masked, self.bias, padding=self.padding)


def taps_before(kernel_size: int, here: bool) -> NDArray[np.bool_]:
    """Of the taps along one axis of a kernel, those before the middle, and the middle itself if `here`.

    ::

        M_i = 1 if i < m // 2 (or i = m // 2 too, if `here`), else 0,     i = 0 .. m - 1  (pixelcnn-mask)

    Examples
    --------
    >>> taps_before(5, here=False)
    array([ True,  True, False, False, False])
    """
    return np.arange(kernel_size) < kernel_size // 2 + here  # (pixelcnn-mask)
