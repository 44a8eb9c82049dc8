"""What loops of elementwise operations share."""

from __future__ import annotations

from typing import Any

import numpy as np

from .lines import alike, lines
from .maths import f32

SLICE = 1 << 14  # numbers
LARGE = 1 << 16  # numbers, below which NumPy adds and multiplies as fast
SMALL = 1 << 10  # numbers, up to which calling a loop takes longer than NumPy's passes


def mapped(work: Any, x: np.ndarray, *others: np.ndarray, number: float = 0.0) -> Any:
    """What ``work(*lines, number, result)`` writes, of arrays of one shape; small ones go to the formula."""
    if x.size <= SMALL:
        return NotImplemented
    y = np.empty_like(x)
    flat = lines(x, *others, y)
    if flat is None:  # of several layouts
        arrays = alike(x, *others)
        y = np.empty_like(arrays[0])
        flat = lines(*arrays, y)
    work(*flat[:-1], f32(number), flat[-1])
    return y
