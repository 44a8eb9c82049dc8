"""Layers without weights, or with a table of them: rectifiers, pooling, resizing, embeddings, masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import leaky_relu, relu
from scratchgen.autograd.pooling import put_chosen, take_chosen
from scratchgen.backend.convolution.minimal import filtering, matrices
from scratchgen.nn import AvgPool2d, Embedding, MaxPool2d, functional as F

RNG = np.random.default_rng(0)
DTYPES = pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])


def share(f: Any, x: np.ndarray, g: np.ndarray, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """The result of `f`, and the share of its argument for the cotangent `g`."""
    v = sg.tensor(sg.asarray(x.astype(dtype)), requires_grad=True)
    y = f(v)
    return sg.asnumpy(y), sg.asnumpy(sg.grad(y, v, sg.asarray(g.astype(dtype)))[0])


def share_of_many(f: Any, x: np.ndarray, g: np.ndarray, dtype: Any) -> tuple[np.ndarray, np.ndarray]:
    """The same, of a thousand equal rows: small arrays are left to the formula, and large ones are not."""
    found = share(f, np.tile(x, (1000, 1)), np.tile(g, (1000, 1)), dtype)
    assert all((rows == rows[0]).all() for rows in found)
    return found[0][0], found[1][0]


@pytest.mark.equation("relu")
@DTYPES
def test_the_rectifier_and_its_slope(dtype: Any, rtol: float) -> None:
    x, g = np.array([-2.0, -0.5, 0.0, 0.5, 3.0]), np.array([5.0, 2.0, 6.0, 9.0, 7.0])
    y, of_x = share_of_many(relu, x, g, dtype)
    assert_close(y, [0.0, 0.0, 0.0, 0.5, 3.0])
    assert_close(of_x, [0.0, 0.0, 0.0, 9.0, 7.0])


@pytest.mark.equation("leaky-relu")
@DTYPES
def test_the_leaky_rectifier_and_its_slope(dtype: Any, rtol: float) -> None:
    x, g = np.array([-2.0, -0.5, 0.0, 0.5, 3.0]), np.array([5.0, 2.0, 6.0, 9.0, 7.0])
    y, of_x = share_of_many(lambda x: leaky_relu(x, 0.25), x, g, dtype)
    assert_close(y, [-0.5, -0.125, 0.0, 0.5, 3.0], rtol=rtol)
    assert_close(of_x, [1.25, 0.5, 1.5, 9.0, 7.0], rtol=rtol)


def windows(x: np.ndarray, kernel: int, stride: int, padding: int, outside: float) -> np.ndarray:
    """All windows of images, by indexing: (batch, channels, rows, columns, kernel, kernel)."""
    around = ((0, 0), (0, 0), (padding, padding), (padding, padding))
    padded = np.pad(x, around, constant_values=outside)
    every = np.lib.stride_tricks.sliding_window_view(padded, (kernel, kernel), axis=(2, 3))
    return every[:, :, ::stride, ::stride]


@pytest.mark.equation("average-pooling")
@DTYPES
@pytest.mark.parametrize("padded", [True, False])
def test_the_mean_of_each_window_and_its_share(padded: bool, dtype: Any, rtol: float) -> None:
    x, g = RNG.normal(size=(2, 3, 7, 7)), RNG.normal(size=(2, 3, 4, 4))
    layer = AvgPool2d(3, stride=2, padding=1, count_include_pad=padded)
    y, of_x = share(layer, x, g, dtype)
    counts = windows(np.ones_like(x), 3, 2, 1, 0).sum((4, 5)) if not padded else 9
    assert_close(y, windows(x, 3, 2, 1, 0).sum((4, 5)) / counts, rtol=rtol, atol=rtol)
    expected = np.zeros((2, 3, 9, 9))
    for o in range(4):
        for p in range(4):
            weight = g[:, :, o, p] / (counts if padded else counts[:, :, o, p])
            expected[:, :, 2 * o : 2 * o + 3, 2 * p : 2 * p + 3] += weight[:, :, None, None]
    assert_close(of_x, expected[:, :, 1:8, 1:8], rtol=rtol, atol=rtol)


@pytest.mark.equation("average-pooling")
@DTYPES
def test_a_pixel_between_windows_gets_nothing(dtype: Any, rtol: float) -> None:
    x, g = RNG.normal(size=(2, 3, 8, 8)), RNG.normal(size=(2, 3, 3, 3))
    _, of_x = share(AvgPool2d(2, stride=3), x, g, dtype)
    expected = np.zeros_like(x)
    for i, j in np.ndindex(2, 2):
        expected[:, :, i::3, j::3] = g / 4
    assert_close(of_x, expected, rtol=rtol)


@pytest.mark.equation("max-pooling")
@pytest.mark.equation("max-pooling-vjp")
@DTYPES
def test_the_largest_of_each_window_gets_all_of_its_cotangent(dtype: Any, rtol: float) -> None:
    x, g = (
        RNG.normal(size=(2, 3, 7, 7)) - 3,
        RNG.normal(size=(2, 3, 4, 4)),
    )  # all below 0, the padding's value
    y, of_x = share(MaxPool2d(3, stride=2, padding=1), x, g, dtype)
    every = windows(x, 3, 2, 1, -np.inf)
    assert_close(y, every.max((4, 5)).astype(dtype), rtol=1e-6)
    expected = np.zeros((2, 3, 9, 9))
    for (n, c, o, p), value in np.ndenumerate(g):
        i, j = np.unravel_index(every[n, c, o, p].argmax(), (3, 3))
        expected[n, c, 2 * o + i, 2 * p + j] += value
    assert_close(of_x, expected[:, :, 1:8, 1:8], rtol=rtol, atol=rtol)


@pytest.mark.equation("max-pooling-vjp")
@DTYPES
def test_of_equal_numbers_the_first_gets_it_and_taking_is_the_adjoint_of_putting(
    dtype: Any, rtol: float
) -> None:
    _, of_x = share(MaxPool2d(2), np.ones((1, 1, 2, 4)), np.array([[[[3.0, 5.0]]]]), dtype)
    assert_close(of_x, [[[[3.0, 0, 5.0, 0], [0, 0, 0, 0]]]])
    how = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0)}
    choice = sg.asarray(RNG.integers(0, 4, (1, 2, 2, 3)).astype(np.int32))
    g, x = RNG.normal(size=(1, 2, 2, 3)), RNG.normal(size=(1, 2, 4, 6))
    put = sg.asnumpy(put_chosen(sg.asarray(g.astype(dtype)), choice=choice, size=(4, 6), **how))
    taken = sg.asnumpy(take_chosen(sg.asarray(x.astype(dtype)), choice=choice, **how))
    assert_close((put * x).sum(), (g * taken).sum(), rtol=100 * rtol)
    assert_close(np.sort(put[put != 0]), np.sort(g.ravel()).astype(dtype))


@pytest.mark.equation("max-pooling-vjp")
@DTYPES
def test_taps_are_counted_row_by_row_and_padding_is_lost(dtype: Any, rtol: float) -> None:
    choice, g = RNG.integers(0, 6, (2, 3, 4, 5)).astype(np.int32), RNG.normal(size=(2, 3, 4, 5))
    how = {"kernel": (2, 3), "stride": (1, 2), "padding": (1, 1), "size": (3, 9)}
    put = put_chosen(sg.asarray(g.astype(dtype)), choice=sg.asarray(choice), **how)
    expected = np.zeros((2, 3, 5, 11))
    for (n, c, o, p), tap in np.ndenumerate(choice):
        expected[n, c, o + tap // 3, 2 * p + tap % 3] += g[n, c, o, p]
    assert_close(put, expected[:, :, 1:-1, 1:-1], rtol=rtol, atol=rtol)


@pytest.mark.equation("nearest-resizing")
@pytest.mark.parametrize(("old", "new"), [(4, 8), (5, 3), (30, 22), (3, 7)])
def test_each_new_pixel_is_the_old_one_below_it(old: int, new: int) -> None:
    x = RNG.normal(size=(1, 1, old, old))
    index = [(o * old) // new for o in range(new)]  # in whole numbers: no rounding
    y = F.interpolate(sg.asarray(x), size=(new, new), mode="nearest")
    assert_close(y, x[:, :, index][:, :, :, index])


@pytest.mark.equation("embedding")
def test_an_embedding_is_a_product_with_unit_vectors() -> None:
    layer = Embedding(5, 3).to(np.float64)
    rows, g = np.array([4, 0, 4]), RNG.normal(size=(3, 3))
    unit = np.eye(5)[rows]
    y = layer(sg.asarray(rows))
    assert_close(y, unit @ sg.asnumpy(layer.weight.data), rtol=1e-14)
    assert_close(sg.grad(y, layer.weight, sg.asarray(g))[0], unit.T @ g, rtol=1e-14)
    assert_close(layer(sg.tensor(sg.asarray(rows))), y, rtol=0)  # a Tensor of indices


@pytest.mark.equation("causal-attention")
def test_no_position_attends_to_a_later_one() -> None:
    q, k, v = RNG.normal(size=(3, 4, 2))
    y = F.scaled_dot_product_attention(sg.asarray(q), sg.asarray(k), sg.asarray(v), is_causal=True)
    for i in range(4):
        weights = np.exp(k[: i + 1] @ q[i] / np.sqrt(2))
        assert_close(y[i], weights @ v[: i + 1] / weights.sum(), rtol=1e-12)
    seen = np.tril(np.ones((4, 4), bool))
    by_mask = F.scaled_dot_product_attention(*map(sg.asarray, (q, k, v)), sg.tensor(sg.asarray(seen)))
    assert_close(by_mask, y, rtol=1e-14)
    added = np.log(RNG.uniform(0.5, 2, (4, 4)))  # a mask of numbers is added to the scores
    y = F.scaled_dot_product_attention(sg.asarray(q), sg.asarray(k), sg.asarray(v), sg.asarray(added))
    weights = np.exp(q @ k.T / np.sqrt(2) + added)
    assert_close(y, weights @ v / weights.sum(1, keepdims=True), rtol=1e-12)


@pytest.mark.host_only
@pytest.mark.equation("minimal-filtering")
@pytest.mark.parametrize(("outputs", "taps"), [(2, 3), (4, 3), (3, 5), (2, 2), (7, 3)])
def test_fewer_products_give_the_same_outputs(outputs: int, taps: int) -> None:
    a, b, g = matrices(outputs, taps)
    assert len(a) == outputs + taps - 1  # instead of outputs * taps
    w, d = RNG.normal(size=taps), RNG.normal(size=outputs + taps - 1)
    expected = [w @ d[o : o + taps] for o in range(outputs)]
    assert_close(a.T @ ((g @ w) * (b.T @ d)), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.host_only
@pytest.mark.equation("minimal-filtering")
def test_with_a_stride_too() -> None:
    f = filtering(5, 4, 2, np.dtype(np.float64))
    w, d = RNG.normal(size=4), RNG.normal(size=2 * (f.outputs - 1) + 4)
    expected = [w @ d[2 * o : 2 * o + 4] for o in range(f.outputs)]
    assert_close(f.a.T @ ((f.g @ w) * (f.b.T @ d)), expected, rtol=1e-9, atol=1e-9)
