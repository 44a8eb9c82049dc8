"""The moving average's step in one pass."""

from __future__ import annotations

from ...backend.compiled import loop
from ...backend.threads import parallel_slices
from ..lines import lines
from ..maths import f32


def move(average, x, *, decay):
    arrays = lines(average, x)
    if arrays is None:
        return NotImplemented
    moves(*arrays, f32(1 - decay))
    return None


@loop
def moves(average, x, share):
    parallel_slices(moves_slice, 1 << 14, (average, x, share))


@loop
def moves_slice(average, x, share):
    for i in range(x.size):
        average[i] += share * (x[i] - average[i])
