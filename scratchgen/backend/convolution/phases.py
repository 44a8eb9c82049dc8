"""Along one axis, the transposed convolution as convolutions of stride 1, one per remainder by the stride."""

from __future__ import annotations

import math
from dataclasses import dataclass

from .geometry import Geometry


@dataclass(frozen=True)
class Phase:
    """The output rows of one remainder, the taps that reach them, and how these taps walk over the input.

    Output row ``rows[q]`` is the sum over ``m`` of input row ``first + q + m dilation`` times ``taps[m]``.
    """

    rows: slice
    taps: slice
    first: int
    dilation: int


def phases(geometry: Geometry, length: int, axis: int) -> list[Phase]:
    """The phases of an output axis of that length.

    Output row y receives from input row o through tap i if ``y + padding = o stride + i dilation``.
    """
    stride, padding, dilation = geometry.stride[axis], geometry.padding[axis], geometry.dilation[axis]
    kernel = geometry.kernel[axis]
    every = stride // math.gcd(stride, dilation)  # taps apart by this shift the input by whole rows
    found = []
    for start in range(min(stride, length)):
        reaching = (i for i in range(min(every, kernel)) if (start + padding - i * dilation) % stride == 0)
        lowest = next(reaching, kernel)
        highest = lowest + (kernel - 1 - lowest) // every * every
        found.append(
            Phase(
                rows=slice(start, length, stride),
                taps=slice(highest, lowest - 1 if lowest else None, -every) if lowest < kernel else slice(0),
                first=(start + padding - highest * dilation) // stride,
                dilation=every * dilation // stride,
            )
        )
    return found
