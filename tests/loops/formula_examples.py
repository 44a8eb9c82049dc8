"""For every formula that claims a loop, the calls at which the tests hold the two against each other.

Primitives have their examples in `primitive_examples.py`; a formula that is none needs a line here.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np
from primitive_examples import EXAMPLES, positive, real

from scratchgen.backend.convolution.geometry import Geometry

Call = tuple[tuple[Any, ...], dict[str, Any]]

CHANNELS_LAST = (0, 3, 1, 2)


def images(shape: tuple[int, ...], position: int = 0) -> np.ndarray:
    """(batch, channels, height, width) with channels-last memory."""
    batch, channels, *rest = shape
    x = real((batch, *rest, channels), position)
    return x.transpose(0, x.ndim - 1, *range(1, x.ndim - 1))


def _shares(static: dict[str, Any], with_bias: bool = True) -> Iterator[Call]:
    for shape in ((2, 4, 3, 3), (0, 4, 2, 2), (3, 4), (17, 4, 40, 41)):
        weight, bias = positive((4,)), real((4,), 1)
        for make in (real, images) if len(shape) == 4 else (real,):
            yield (make(shape, 1), None, make(shape), weight, bias), static


def _statistics() -> Iterator[Call]:
    for shape in ((2, 4, 3, 3), (3, 4), (17, 4, 40, 41)):
        yield (real(shape),), {}


def _two(*more: Any) -> Iterator[Call]:
    for shape in ((3, 3), (), (0, 3), (2, 1, 3), (301, 400)):
        yield (real(shape, 1), real(shape), *more), {}


def _optimiser(**static: Any) -> Iterator[Call]:
    for shape in ((5,), (0,), (100_003,)):
        yield (real(shape), real(shape, 1), real(shape, 2), positive(shape)), static


def _convolutions(which: str) -> Iterator[Call]:
    """Pixels (batch, height, width, channels): minimal filtering and other ways, large and small."""
    cases = [((3, 3), 1, 1, 1, 1), ((4, 4), 2, 1, 1, 1), ((3, 2), (2, 1), 0, 1, 1), ((3, 3), 1, 2, 2, 2)]
    for size, (kernel, *how) in itertools.product([(2, 7, 8, 4), (0, 7, 8, 4), (9, 20, 20, 16)], cases):
        geometry = Geometry.of(kernel, *how)
        x = real(size)
        w = real((6, size[3] // geometry.groups, *kernel), 1)
        g = real((size[0], *geometry.output_size(size[1:3]), 6), 2)
        if which == "correlate":
            yield (x, w), {"geometry": geometry, "size": g.shape[1:3]}
        elif which == "correlate_transpose":
            yield (g, w), {"geometry": geometry, "size": size[1:3]}
        else:
            yield (x, g), {"geometry": geometry}


def _pooled() -> Iterator[Call]:
    x = real((2, 3, 4, 6))
    largest = x.reshape(2, 3, 2, 2, 3, 2).max(axis=(3, 5))
    yield (x, largest), {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0)}


def _densities(arrays: int) -> Iterator[Call]:
    for shape in ((2, 3), (0, 3), (301, 40)):
        parts = [real(shape, i) for i in range(arrays)]
        yield from (((*parts, np.array(log_var)), {}) for log_var in (0.7, -3.0, 90.0))


def _components(shares: bool) -> Iterator[Call]:
    for n, k, d in ((2, 3, 2), (0, 3, 2), (70, 7, 3), (130, 41, 50)):
        parts = [real((n, d), 1), real((k, d)), real((k, d), 2)]
        yield ([real((n, k), 3), None] if shares else []) + parts, {}


def _gates() -> Iterator[Call]:
    for shape in ((4, 4), (2, 6, 1, 2), (0, 2), (5, 64, 20, 20)):
        a = real(shape)
        half = shape[1] // 2
        y = np.tanh(a[:, :half]) / (1 + np.exp(-a[:, half:]))
        yield (real(y.shape, 1), y, a), {}


def _autoregressive() -> Iterator[Call]:
    for batch, dim, hidden in ((3, 4, 5), (0, 4, 5), (130, 20, 30)):
        weights = real((dim, hidden), 1) / 4, real((hidden,), 2), real((dim, hidden), 3) / 4, real((dim,), 4)
        yield (real((batch, dim), 5), None, real((batch, dim)), *weights), {}


FORMULAS: dict[str, list[Call]] = {
    "autograd.backward:added": list(_two()),
    "autograd.fused:leaky_relu_share": list(_two(0.2)),
    "autograd.fused:relu_share": list(_two()),
    "autograd.fused:silu_share": list(_two()),
    "autograd.fused:gelu_share": list(_two()),
    "autograd.pooling:chosen_tap": list(_pooled()),
    "autograd.shapes:cut": [
        ((make((4, 8, 64, 64)), start, 7), {"axis": 1}) for make in (real, images) for start in (0, 3)
    ],
    "distributions.normal:normal_log_prob": list(_densities(2)),
    "distributions.normal:pull_to_mean": list(_densities(3)),
    "distributions.components:component_log_probs": list(_components(shares=False)),
    "distributions.components:component_shares": list(_components(shares=True)),
    "models.autoregressive.nade:nade_shares": list(_autoregressive()),
    "networks.gated:gate_share": list(_gates()),
    "autograd.normalisation:batch_norm_shares": list(_shares({"eps": 0.1})),
    "autograd.normalisation:batch_statistics": list(_statistics()),
    "autograd.normalisation:group_norm_shares": [
        call for silu in (False, True) for call in _shares({"groups": 2, "eps": 0.1, "silu": silu})
    ],
    **{
        f"backend.convolution.columns:{name}": list(_convolutions(name))
        for name in ("correlate", "correlate_transpose", "correlate_weight")
    },
    "optim.adam:adam": list(_optimiser(lr=0.1, beta1=0.7, beta2=0.9, eps=0.01, step=3)),
    "optim.adam:adamw": list(_optimiser(lr=0.1, beta1=0.7, beta2=0.9, eps=0.01, weight_decay=0.3, step=3)),
    "optim.average:move": [(call[:2], {"decay": 0.7}) for call, _ in _optimiser()],
    "optim.rmsprop:rmsprop": [
        ((x, g, v, u), {"lr": 0.1, "alpha": 0.7, "eps": 0.01, "momentum": 0.6})
        for (x, g, u, v), _ in _optimiser()
    ],
    "optim.sgd:sgd": [
        (call[:3], {"lr": 0.1, "momentum": 0.6, "nesterov": nesterov})
        for nesterov in (False, True)
        for call, _ in _optimiser()
    ],
}

LARGE: dict[str, list[Call]] = {
    "add": [((real((300, 400)), images((2, 10, 60, 100)).reshape(300, 400)), {})],
    "mul": [((images((2, 10, 60, 100)), images((2, 10, 60, 100), 1)), {})],
    "concatenate": [((images((4, 8, 64, 64)), images((4, 3, 64, 64), 1)), {"axis": 1})],
    "matrix_product": [((real((200, 70)), real((70, 90), 1)), {}), ((real((600, 70)), real((90, 70)).T), {})],
    "linear": [((real((n, 70)), real((90, 70), 1), real((90,))), {}) for n in (128, 600)],
    "binary_cross_entropy_sum": [((real((130, 784)), positive((130, 784)) / 4), {"leading": 1})],
    "binary_cross_entropy_slope": [((real((130, 1)), real((130, 784)), positive((130, 784)) / 4), {})],
    "group_norm": [
        ((images((9, 8, 20, 20)), positive((8,)), real((8,))), {"groups": 2, "eps": 0.1, "silu": silu})
        for silu in (False, True)
    ],
    "batch_norm": [((images((9, 8, 20, 20)), positive((8,)), real((8,))), {"eps": 0.1})],
    "sum_pixels": [((images((9, 8, 20, 20)),), {"by_image": by_image}) for by_image in (False, True)],
    "add_channels": [((images((9, 8, 20, 20)), real(shape)), {}) for shape in ((8,), (9, 8))],
    **{
        name: [((real((300, 400)),), {}), ((images((4, 8, 40, 40)),), {})]
        for name in ["relu", "silu", "gelu", "softplus", "sigmoid", "tanh"]
    },
    "leaky_relu": [((real((300, 400)),), {"negative_slope": 0.2})],
}


def calls(key: str) -> list[Call]:
    """The calls of a formula, float64; an empty list where it has none."""
    name = key.partition(":")[2]
    if key in FORMULAS:
        return FORMULAS[key]
    static = [(e.inputs, e.static) for e in EXAMPLES.get(name, ()) if not e.constants]
    return [*static, *LARGE.get(name, [])]
