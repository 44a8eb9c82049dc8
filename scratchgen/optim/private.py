"""Gradients that give away little about any one example: each clipped by itself, summed, drowned in noise.

The gradient of a layer's weight is a sum over examples of what its input and its output's cotangent make
together. Of an affine map y = x W^T + b with cotangent g, row i of a batch has the gradient g_i x_i^T, so

    |g_i x_i^T| = |g_i| |x_i|,      sum_i c_i g_i x_i^T = (c g)^T x:                    (private-linear)

neither norms nor the sum of clipped gradients need any single example's gradient. Of a convolution, whose
windows are many rows of one example, each example's gradient is formed: the product of its cotangents and its
windows, for many examples at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, NamedTuple, Protocol

import numpy as np

from ..autograd import Tensor, grad, raw
from ..autograd.convolution import biased_conv, conv
from ..autograd.linear_algebra import linear
from ..backend import Array, RandomStream, asarray, check_rng, checks
from ..backend.convolution.columns import im2col
from ..backend.convolution.geometry import Geometry
from ..data.poisson import PoissonBatch

AT_ONCE = 64
"""Examples whose windows are written out together: few enough for the processor's caches."""


class Model(Protocol):
    """What has parameters."""

    def parameters(self) -> Iterable[Tensor]:
        """All of them."""
        ...


class _Use(NamedTuple):
    """An affine map or a convolution that parameters take part in: its input, its result, and how."""

    x: Any
    weight: Tensor
    bias: Tensor | None
    y: Tensor
    how: dict[str, Any] | None  # None: an affine map


def private_gradients(
    loss: Callable[..., Any],
    model: Model,
    batch: PoissonBatch,
    rng: RandomStream,
    clip_norm: float,
    noise_multiplier: float,
) -> float:
    """Set the ``.grad`` of a model's parameters to what differentially private training may use.

    ::

        g = (sum_i g_i min(1, C / |g_i|) + sigma C xi) / (q n),    xi ~ N(0, I)         (private-gradient)

    where g_i is the gradient of example i of the n with respect to all parameters together (Abadi et al.
    2016, algorithm 1). What T such steps cost is `scratchgen.metrics.privacy_spent(sigma, q, T, delta)`.

    Parameters
    ----------
    loss : callable
        ``loss(examples, rng)``, a mean over independent examples; a Tensor. Labels come as a second array of
        the batch: ``loss((x, labels), rng)``.
    model : Module
        Every parameter belongs to one affine map (`Linear`) or convolution (`Conv2d`), used once.
    batch : PoissonBatch
        Of `scratchgen.data.poisson_batches`; it may be empty. Batches cut from a shuffled list have another
        guarantee, and are refused.
    rng : RandomStream
        Of what the loss draws. The noise comes from the system's entropy instead: whoever can repeat it can
        subtract it.
    clip_norm : float
        C.
    noise_multiplier : float
        sigma; 0 adds no noise, and protects nothing.

    Returns
    -------
    float
        The loss of the batch, to look at in secret: it is not protected. NaN of an empty batch.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as said above: a batch of another kind, a parameter used by batch normalisation
        (which mixes examples) or by anything else but the two, or used twice.
    """
    checks.instance("batch", batch, PoissonBatch, "of sg.data.poisson_batches: a shuffled one is not private")
    clip = checks.number("clip_norm", clip_norm, "(0, inf)")
    sigma = checks.number("noise_multiplier", noise_multiplier, "[0, inf)")
    check_rng(rng)
    parameters = list(model.parameters())
    sums, value = {id(p): np.zeros_like(p.data) for p in parameters}, float("nan")
    if len(batch):
        mean = loss(batch.examples, rng)
        value = float(raw(mean))
        uses = _uses(mean, parameters)
        # Of each example's own loss, which the mean has divided by their number.
        cotangents = [g * len(batch) for g in grad(mean, [use.y for use in uses])]
        each = [_weight_gradients(use, g) for use, g in zip(uses, cotangents, strict=True)]
        squares = sum(map(_squared_norms, uses, cotangents, each))
        factors = clip / np.maximum(clip, np.sqrt(squares))  # (private-gradient)
        for use, g, weights in zip(uses, cotangents, each, strict=True):
            _add_clipped(use, g, weights, factors.astype(g.dtype), sums)
    entropy = np.random.default_rng()
    for parameter in parameters:
        noise = asarray(entropy.standard_normal(parameter.shape), parameter.dtype)
        parameter.grad = (sums[id(parameter)] + sigma * clip * noise) / batch.expected  # (private-gradient)
    return value


def _uses(loss: Tensor, parameters: list[Tensor]) -> list[_Use]:
    """Every use of a parameter on the way to the loss."""
    own = {id(p): i for i, p in enumerate(parameters)}
    uses: list[_Use] = []
    met: set[int] = set()
    seen, waiting = {id(loss)}, [loss]
    while waiting:
        y = waiting.pop()
        if y.origin is None:
            continue
        operation, args, static = y.origin
        mine = [a for a in args if id(a) in own]
        if mine:
            uses.append(_use(operation, args, static, y, [own[id(a)] for a in mine]))
            twice = [own[id(a)] for a in mine if id(a) in met]
            if twice:
                raise ValueError(f"model: parameter {twice[0]} is used twice, expected once")
            met |= {id(a) for a in mine}
        for a in args:
            if isinstance(a, Tensor) and a.requires_grad and id(a) not in seen and id(a) not in own:
                seen.add(id(a))
                waiting.append(a)
    return uses


def _use(operation: Any, args: Any, static: dict[str, Any], y: Tensor, numbers: list[int]) -> _Use:
    x, weight, bias = [*list(args), None, None, None][:3]
    fits = operation in (linear, conv, biased_conv) and isinstance(weight, Tensor) and weight.origin is None
    if not fits:
        raise TypeError(
            f"model: parameter {numbers[0]} is used by {operation.__name__}, expected Linear and Conv2d "
            "only, of which the gradients of single examples are known"
        )
    return _Use(raw(x), weight, bias, y, None if operation is linear else dict(static))


def _squared_norms(use: _Use, g: Array, each: Array | None) -> Array:
    """|g_i|^2 of weight and bias, of each example: (batch,), in float64."""
    squares = _of_each(g) * _of_each(use.x) if each is None else _of_each(each)  # (private-linear)
    if use.bias is not None:
        over = tuple(range(1, g.ndim - 1)) if use.how is None else (2, 3)
        squares = squares + _of_each(g.sum(axis=over))
    return squares


def _of_each(x: Array) -> Array:
    """The sum of squares of each example."""
    flat = x.reshape(len(x), -1).astype(np.float64)
    return (flat * flat).sum(axis=1)


def _weight_gradients(use: _Use, g: Array) -> Array | None:
    """Each example's gradient of the weight, (batch, *weight.shape); None where it is not needed."""
    if use.how is None:
        if g.ndim == 2:
            return None
        rows, inputs = (a.reshape(len(a), -1, a.shape[-1]) for a in (g, use.x))
        return np.matmul(rows.transpose(0, 2, 1), inputs)
    out, channels, *kernel = use.weight.shape
    geometry = Geometry.of(kernel, **{"groups": 1, "stride": 1, "padding": 0, "dilation": 1, **use.how})
    groups, size = geometry.groups, g.shape[2:]
    each = np.empty_like(g, shape=(len(g), *use.weight.shape), order="C")
    for start in range(0, len(g), AT_ONCE):
        x, y = (a[start : start + AT_ONCE].transpose(0, 2, 3, 1) for a in (use.x, g))
        windows = im2col(x, geometry, size).reshape(groups, len(x), size[0] * size[1], -1)
        rows = y.reshape(len(y), size[0] * size[1], groups, out // groups).transpose(2, 0, 3, 1)
        products = np.matmul(rows, windows).reshape(groups, len(x), out // groups, *kernel, channels)
        each[start : start + AT_ONCE] = products.transpose(1, 0, 2, 5, 3, 4).reshape(len(x), *each.shape[1:])
    return each


def _add_clipped(use: _Use, g: Array, each: Array | None, factors: Array, sums: dict[int, Array]) -> None:
    """Add the sum over examples of factor times gradient."""
    g = g * factors.reshape((-1,) + (1,) * (g.ndim - 1))
    if each is None:
        sums[id(use.weight)] += g.T @ use.x  # (private-linear)
    else:
        sums[id(use.weight)] += np.tensordot(factors, each, 1)
    if use.bias is not None:
        over = tuple(range(g.ndim - 1)) if use.how is None else (0, 2, 3)
        sums[id(use.bias)] += g.sum(axis=over)
