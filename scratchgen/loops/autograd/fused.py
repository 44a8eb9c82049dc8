"""Loops of the fused forms."""

from __future__ import annotations

import math

import numpy as np

from ...backend.compiled import loop
from ...backend.threads import parallel_slices
from ..elementwise import SLICE, mapped
from ..maths import below, exp, f32, log1p01, sigmoid, softplus as softplus_of


def relu(x):
    return mapped(relus, x)


def relu_share(g, x):
    return mapped(relu_shares, x, g)


def leaky_relu(x, *, negative_slope):
    return mapped(leaky_relus, x, number=negative_slope)


def leaky_relu_share(g, x, negative_slope):
    return mapped(leaky_relu_shares, x, g, number=negative_slope)


def silu(x):
    return mapped(silus, x)


def silu_share(g, x):
    return mapped(silu_shares, x, g)


def gelu(x):
    return mapped(gelus, x)


def gelu_share(g, x):
    return mapped(gelu_shares, x, g)


def softplus(x):
    return mapped(softpluses, x)


def binary_cross_entropy_sum(logits, target, *, leading):
    shape = logits.shape[:leading]
    out = np.empty(shape, np.float32)
    rows = math.prod(shape), math.prod(logits.shape[leading:])
    logits, target = np.ascontiguousarray(logits).reshape(rows), np.ascontiguousarray(target).reshape(rows)
    cross_entropies(logits, target, out.reshape(-1))
    return out


def binary_cross_entropy_slope(g, logits, target):
    if logits.shape != target.shape:
        return NotImplemented
    if g.shape == logits.shape:
        return mapped(slopes, logits, target, g)
    examples = next((i for i, n in enumerate(g.shape) if n == 1), g.ndim)
    if g.shape != logits.shape[:examples] + (1,) * (logits.ndim - examples):
        return NotImplemented
    rows = g.size, math.prod(logits.shape[examples:])
    out = np.empty(logits.shape, np.float32)
    logits, target = (np.ascontiguousarray(a).reshape(rows) for a in (logits, target))
    row_slopes(logits, target, np.ascontiguousarray(g).reshape(-1), out.reshape(rows))
    return out


@loop
def relus(x, _, y):
    parallel_slices(relus_slice, 2 * SLICE, (x, y))


@loop
def relus_slice(x, y):
    for i in range(x.size):
        y[i] = f32(0) if x[i] <= f32(0) else x[i]  # NaN stays


@loop
def relu_shares(x, g, _, y):
    parallel_slices(relu_shares_slice, 2 * SLICE, (x, g, y))


@loop
def relu_shares_slice(x, g, y):
    for i in range(x.size):
        y[i] = g[i] * (f32(1) if x[i] > f32(0) else f32(0))


@loop
def leaky_relus(x, slope, y):
    parallel_slices(leaky_relus_slice, 2 * SLICE, (x, slope, y))


@loop
def leaky_relus_slice(x, slope, y):
    for i in range(x.size):
        y[i] = x[i] if x[i] > f32(0) else slope * x[i]


@loop
def leaky_relu_shares(x, g, slope, y):
    parallel_slices(leaky_relu_shares_slice, 2 * SLICE, (x, g, slope, y))


@loop
def leaky_relu_shares_slice(x, g, slope, y):
    for i in range(x.size):
        y[i] = g[i] if x[i] > f32(0) else slope * g[i]


@loop
def silus(x, _, y):
    parallel_slices(silus_slice, SLICE, (x, y))


@loop
def silus_slice(x, y):
    for i in range(x.size):
        y[i] = x[i] * sigmoid(x[i])


@loop
def silu_shares(x, g, _, y):
    parallel_slices(silu_shares_slice, SLICE, (x, g, y))


@loop
def silu_shares_slice(x, g, y):
    for i in range(x.size):
        s = sigmoid(x[i])
        y[i] = g[i] * s * (f32(1) + x[i] * (f32(1) - s))


@loop
def gelus(x, _, y):
    parallel_slices(gelus_slice, SLICE, (x, y))


@loop
def gelus_slice(x, y):
    for i in range(x.size):
        y[i] = x[i] * below(x[i])


@loop
def gelu_shares(x, g, _, y):
    parallel_slices(gelu_shares_slice, SLICE, (x, g, y))


@loop
def gelu_shares_slice(x, g, y):
    for i in range(x.size):
        density = exp(f32(-0.5) * x[i] * x[i]) * f32(1 / math.sqrt(2 * math.pi))
        y[i] = g[i] * (below(x[i]) + x[i] * density)


@loop
def softpluses(x, _, y):
    parallel_slices(softpluses_slice, SLICE, (x, y))


@loop
def softpluses_slice(x, y):
    for i in range(x.size):
        y[i] = softplus_of(x[i])


@loop
def slopes(logits, target, g, _, y):
    parallel_slices(slopes_slice, SLICE, (logits, target, g, y))


@loop
def slopes_slice(logits, target, g, y):
    for i in range(logits.size):
        y[i] = g[i] * (sigmoid(logits[i]) - target[i])


@loop
def row_slopes(logits, target, g, y):
    parallel_slices(row_slopes_slice, SLICE, (logits, target, g, y))


@loop
def row_slopes_slice(logits, target, g, y):
    for r in range(logits.shape[0]):
        row, t, out, weight = logits[r], target[r], y[r], g[r]
        for i in range(row.size):
            out[i] = weight * (sigmoid(row[i]) - t[i])


@loop
def cross_entropies(logits, target, y):
    parallel_slices(cross_entropies_slice, SLICE, (logits, target, y))


@loop
def cross_entropies_slice(logits, target, y):
    for r in range(logits.shape[0]):
        y[r] = cross_entropy(logits[r], target[r])


@loop
def cross_entropy(logits, target):
    """The sum over a row: eight factors 1 + e^-|l| (of 1 to 2 each) before one logarithm."""
    lanes, factors = 64, 8
    total = 0.0
    block = lanes * factors
    product, linear = np.empty((2, lanes), np.float32)
    whole = logits.size // block * block
    for start in range(0, whole, block):
        product[:] = f32(1)
        linear[:] = f32(0)
        for r in range(factors):
            row = logits[start + r * lanes : start + (r + 1) * lanes]
            t = target[start + r * lanes : start + (r + 1) * lanes]
            for j in range(lanes):
                a = abs(row[j])
                linear[j] += f32(0.5) * a + row[j] * (f32(0.5) - t[j])
                product[j] *= f32(1) + exp(-a)
        part = f32(0)
        for j in range(lanes):
            part += linear[j] + log_of_product(product[j])
        total += part
    row, t = logits[whole:], target[whole:]
    part = f32(0)
    for j in range(row.size):
        a = abs(row[j])
        part += f32(0.5) * a + row[j] * (f32(0.5) - t[j]) + log1p01(exp(-a))
    return total + part


@loop
def log_of_product(x):
    """log x for x in [1, 256]: the exponent by bits, the rest by `log1p01`."""
    bits = f32(x).view(np.int32)
    exponent = (bits >> 23) - 127
    mantissa = np.int32((bits & 0x7FFFFF) | 0x3F800000).view(np.float32)
    return f32(exponent) * f32(math.log(2)) + log1p01(mantissa - f32(1))
