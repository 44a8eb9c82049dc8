"""Adam's and AdamW's step in one pass."""

from __future__ import annotations

import math

import numpy as np

from ...backend.compiled import loop
from ...backend.threads import parallel_slices
from ..lines import lines
from ..maths import normal


def adam(x, g, m, v, *, lr, beta1, beta2, eps, step):
    return adamw(x, g, m, v, lr=lr, beta1=beta1, beta2=beta2, eps=eps, weight_decay=0.0, step=step)


def adamw(x, g, m, v, *, lr, beta1, beta2, eps, weight_decay, step):
    arrays = lines(x, g, m, v)
    if arrays is None:
        return NotImplemented
    size = lr / (1 - beta1**step)
    root = 1 / math.sqrt(1 - beta2**step)  # sqrt(v_hat) = root sqrt(v)
    numbers = 1 - lr * weight_decay, size, beta1, 1 - beta1, beta2, 1 - beta2, root, eps
    steps(*arrays, np.array(numbers, np.float32))
    return None


@loop
def steps(x, g, m, v, numbers):
    parallel_slices(steps_slice, 1 << 13, (x, g, m, v, (numbers,)))


@loop
def steps_slice(x, g, m, v, numbers):
    a = numbers[0]
    kept, size, beta1, rest1, beta2, rest2, root, eps = a[0], a[1], a[2], a[3], a[4], a[5], a[6], a[7]
    for i in range(x.size):
        m[i] = normal(beta1 * m[i] + rest1 * g[i])
        v[i] = normal(beta2 * v[i] + rest2 * g[i] * g[i])
        x[i] = kept * x[i] - size * m[i] / (np.sqrt(v[i]) * root + eps)
