"""SGD's step in one pass."""

from __future__ import annotations

from ...backend.compiled import loop
from ...backend.threads import parallel_slices
from ..lines import lines
from ..maths import f32, normal


def sgd(x, g, v, *, lr, momentum, nesterov):
    arrays = lines(x, g, v)
    if arrays is None:
        return NotImplemented
    steps(*arrays, f32(lr), f32(momentum), nesterov)
    return None


@loop
def steps(x, g, v, lr, momentum, nesterov):
    parallel_slices(steps_slice, 1 << 13, (x, g, v, lr, momentum, nesterov))


@loop
def steps_slice(x, g, v, lr, momentum, nesterov):
    for i in range(x.size):
        v[i] = normal(momentum * v[i] + g[i])
        x[i] -= lr * (g[i] + momentum * v[i] if nesterov else v[i])
