"""RMSprop's step in one pass."""

from __future__ import annotations

import numpy as np

from ...backend.compiled import loop
from ...backend.threads import parallel_slices
from ..lines import lines
from ..maths import f32, normal


def rmsprop(x, g, v, u, *, lr, alpha, eps, momentum):
    arrays = lines(x, g, v, u)
    if arrays is None:
        return NotImplemented
    steps(*arrays, f32(lr), f32(alpha), f32(1 - alpha), f32(eps), f32(momentum))
    return None


@loop
def steps(x, g, v, u, lr, alpha, rest, eps, momentum):
    parallel_slices(steps_slice, 1 << 13, (x, g, v, u, lr, alpha, rest, eps, momentum))


@loop
def steps_slice(x, g, v, u, lr, alpha, rest, eps, momentum):
    for i in range(x.size):
        v[i] = normal(alpha * v[i] + rest * g[i] * g[i])
        u[i] = normal(momentum * u[i] + g[i] / (np.sqrt(v[i]) + eps))
        x[i] -= lr * u[i]
