"""Rows of pixels laid out one after another, so that all windows along them are rows of a matrix.

In channels-last memory the pixels under a kernel's row of taps are neighbours: a window is one run of
``taps * channels`` numbers. A matrix whose rows are these windows needs no copy, only strides, except that
BLAS does not take rows that overlap. With stride s every ``ceil(taps / s)``-th window is free of that, so all
windows are that many matrices. Windows that run on from one row of pixels into the next are
computed too, and left out; the zeros at the beginning of a row serve as those at the end of the row before.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache


@dataclass(frozen=True)
class Lines:
    """How long such a row is, for what is to be computed from it.

    Attributes
    ----------
    left : int
        Zeros before the first pixel.
    pixels : slice
        The pixels of the image that are there.
    windows : int
        How many windows begin in a row; the first ones are the wanted ones.
    length : int
        Of a row, in pixels: `windows` times the stride.
    tail : int
        Pixels of zeros after the last row, for the windows that run on.
    """

    left: int
    pixels: slice
    windows: int
    length: int
    tail: int

    @classmethod
    @lru_cache(maxsize=256)
    def of(cls, width: int, wanted: int, stride: int, begin: int, end: int) -> Lines:
        """For images of that `width` and `wanted` windows; the first one sees pixels ``begin .. end - 1``."""
        tail = end - begin
        needed = stride * (wanted - 1) + tail
        left, start = max(0, -begin), max(0, begin)
        there = min(left + max(0, width - start), needed)
        windows = -(-max(stride * wanted, there, needed - left) // stride)
        stop = min(width, start + windows * stride - left)
        return cls(left, slice(start, max(start, stop)), windows, windows * stride, tail)
