"""Configurations of convolutions, and their three contractions: fast, and twice as they are defined."""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

import hypothesis.strategies as st
import numpy as np

import scratchgen as sg
from scratchgen.backend.convolution import conv2d, conv2d_transpose, conv2d_weight

Pair = tuple[int, int]


class Case(NamedTuple):
    """One convolution; `spare` is how far the padded input exceeds the kernel."""

    batch: int
    channels: Pair  # in and out, of one group
    kernel: Pair
    stride: Pair
    padding: Pair
    dilation: Pair
    groups: int
    spare: Pair

    @property
    def options(self) -> tuple[Any, ...]:
        return self.stride, self.padding, self.dilation, self.groups

    @property
    def size(self) -> Pair:
        axes = zip(self.dilation, self.kernel, self.spare, self.padding, strict=True)
        height, width = (max(1, d * (k - 1) + 1 + more - 2 * p) for d, k, more, p in axes)
        return height, width

    def arrays(self, dtype: Any = np.float64) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """x, w and g: normal, on the host."""
        rng = np.random.default_rng(0)
        (channels_in, channels_out), q = self.channels, self.groups
        x = rng.standard_normal((self.batch, q * channels_in, *self.size))
        w = rng.standard_normal((q * channels_out, channels_in, *self.kernel))
        axes = zip(self.size, self.padding, self.dilation, self.kernel, self.stride, strict=True)
        output = [(n + 2 * p - d * (k - 1) - 1) // s + 1 for n, p, d, k, s in axes]
        g = rng.standard_normal((self.batch, q * channels_out, *output))
        return x.astype(dtype), w.astype(dtype), g.astype(dtype)


def pairs(low: int, high: int) -> st.SearchStrategy[Pair]:
    return st.tuples(st.integers(low, high), st.integers(low, high))


cases = st.builds(
    Case,
    batch=st.integers(0, 3),
    channels=pairs(1, 6),
    kernel=pairs(1, 4),
    stride=pairs(1, 3),
    padding=pairs(0, 3),
    dilation=pairs(1, 3),
    groups=st.integers(1, 3),
    spare=pairs(0, 9),
)
# Every way in which the host computes: 1 x 1, im2col, dilation, groups, minimal filtering without and with a
# stride.
EXAMPLES = [
    Case(2, (3, 5), (1, 1), (1, 1), (0, 0), (1, 1), 1, (4, 6)),
    Case(2, (3, 5), (4, 4), (2, 2), (1, 1), (1, 1), 1, (10, 10)),
    Case(2, (8, 2), (3, 2), (1, 1), (1, 0), (1, 2), 1, (5, 6)),
    Case(2, (1, 2), (3, 3), (1, 2), (1, 1), (1, 1), 4, (7, 8)),
    Case(2, (3, 2), (1, 2), (3, 3), (0, 0), (1, 1), 1, (7, 7)),
    Case(3, (9, 8), (3, 3), (1, 1), (1, 1), (1, 1), 1, (7, 7)),
    Case(2, (6, 7), (3, 3), (1, 1), (3, 0), (1, 1), 1, (6, 4)),
    Case(2, (5, 1), (4, 4), (2, 2), (1, 1), (1, 1), 1, (10, 11)),
    Case(2, (5, 6), (3, 5), (2, 1), (0, 2), (1, 1), 1, (13, 3)),
]


def seven_loops(case: Case, x: np.ndarray, w: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, ...]:
    """The definition: y, and the gradients of <y, g> for x and for w."""
    (channels_in, channels_out), (kh, kw) = case.channels, case.kernel
    (sh, sw), (dh, dw), (top, left) = case.stride, case.dilation, case.padding
    y, x_bar, w_bar = np.zeros_like(g), np.zeros_like(x), np.zeros_like(w)
    for n, k, o, p, c, i, j in itertools.product(
        *(range(len(x)), range(len(w)), range(g.shape[2]), range(g.shape[3])),
        *(range(channels_in), range(kh), range(kw)),
    ):
        row, column = o * sh + i * dh - top, p * sw + j * dw - left
        channel = k // channels_out * channels_in + c
        if 0 <= row < x.shape[2] and 0 <= column < x.shape[3]:
            y[n, k, o, p] += w[k, c, i, j] * x[n, channel, row, column]
            x_bar[n, channel, row, column] += w[k, c, i, j] * g[n, k, o, p]
            w_bar[k, c, i, j] += x[n, channel, row, column] * g[n, k, o, p]
    return y, x_bar, w_bar


def with_einsum(case: Case, x: np.ndarray, w: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, ...]:
    """The same with one-hot arrays that say which input position meets which tap and output position."""
    meets = []
    for axis in (0, 1):
        o, i, y = np.ogrid[: g.shape[2 + axis], : case.kernel[axis], : x.shape[2 + axis]]
        met = o * case.stride[axis] + i * case.dilation[axis] - case.padding[axis]
        meets.append((met == y).astype(x.dtype))
    (channels_in, channels_out), q = case.channels, case.groups
    operands = {
        "nqcyz": x.reshape(len(x), q, channels_in, *x.shape[2:]),
        "qkcij": w.reshape(q, channels_out, channels_in, *case.kernel),
        "nqkop": g.reshape(len(g), q, channels_out, *g.shape[2:]),
    }
    results = []
    for wanted, like in (("nqkop", g), ("nqcyz", x), ("qkcij", w)):
        terms = {letters: array for letters, array in operands.items() if letters != wanted}
        subscripts = ",".join([*terms, "oiy", "pjz"]) + "->" + wanted
        results.append(np.einsum(subscripts, *terms.values(), *meets, optimize=True).reshape(like.shape))
    return tuple(results)


def contractions(case: Case, x: np.ndarray, w: np.ndarray, g: np.ndarray) -> tuple[np.ndarray, ...]:
    """The functions under test, through the current device."""
    on_device = [sg.asarray(array) for array in (x, w, g)]
    x_, w_, g_ = on_device
    results = (
        conv2d(x_, w_, *case.options),
        conv2d_transpose(g_, w_, *case.options, output_size=case.size),
        conv2d_weight(x_, g_, case.kernel, *case.options),
    )
    assert all(type(result) is type(x_) for result in results)
    return tuple(sg.asnumpy(result) for result in results)


def assert_close(ours: tuple[np.ndarray, ...], expected: tuple[np.ndarray, ...], error: float) -> None:
    for a, b in zip(ours, expected, strict=True):
        assert a.shape == b.shape
        if b.size:
            assert np.abs(a - b).max() <= error * max(1, np.abs(b).max())
