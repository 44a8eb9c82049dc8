"""The equations of the layers beside the convolution, each written out in NumPy."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy import special, stats
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.autograd.normalisation import batch_norm
from scratchgen.backend import RandomStream
from scratchgen.nn import (
    BatchNorm2d,
    GroupNorm,
    LayerNorm,
    MultiheadAttention,
    SinusoidalEmbedding,
    functional as F,
)
from scratchgen.nn.upsample import _resizing

DTYPES = pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-11), (np.float32, 2e-4)])
X = 3 + 2 * sg.asnumpy(RandomStream(0, "layers").normal((4, 6, 3, 2), np.float64))
EPS = 0.3


def normalised(x: np.ndarray, axes: tuple[int, ...]) -> np.ndarray:
    mean = x.mean(axes, keepdims=True)
    return (x - mean) / np.sqrt(((x - mean) ** 2).mean(axes, keepdims=True) + EPS)


@pytest.mark.equation("batch-norm")
@DTYPES
def test_a_channel_is_normalised_over_batch_and_pixels(dtype: Any, rtol: float) -> None:
    layer = BatchNorm2d(6, eps=EPS).to(dtype)
    weight, bias = np.arange(1.0, 7), np.arange(6.0)
    layer.weight.data[...], layer.bias.data[...] = sg.asarray(weight), sg.asarray(bias)
    expected = normalised(X, (0, 2, 3)) * weight[:, None, None] + bias[:, None, None]
    assert_close(layer(sg.asarray(X.astype(dtype))), expected, rtol=rtol, atol=rtol / 100)


@pytest.mark.equation("batch-norm-shares")
@DTYPES
def test_its_derivative_passes_through_mean_and_variance(dtype: Any, rtol: float) -> None:
    layer, weight = BatchNorm2d(6, eps=EPS).to(dtype), np.arange(1.0, 7)
    layer.weight.data[...], layer.bias.data[...] = sg.asarray(weight), sg.asarray(np.arange(6.0))
    x = sg.tensor(sg.asarray(X.astype(dtype)), requires_grad=True)
    g = sg.asarray(sg.asnumpy(RandomStream(1).normal(X.shape, np.float64)).astype(dtype))
    axes, cotangent = (0, 2, 3), sg.asnumpy(g)
    u, root = normalised(X, axes), np.sqrt(X.var(axes, keepdims=True) + EPS)
    through = cotangent.mean(axes, keepdims=True) + u * (cotangent * u).mean(axes, keepdims=True)
    expected = (cotangent - through) * weight[:, None, None] / root
    share, for_weight, for_bias = sg.grad(layer(x), [x, layer.weight, layer.bias], g)
    assert_close(share, expected, rtol=rtol, atol=rtol / 10)
    assert_close(for_weight, (cotangent * u).sum(axes), rtol=rtol, atol=rtol / 10)
    assert_close(for_bias, cotangent.sum(axes), rtol=rtol, atol=rtol / 10)


@pytest.mark.equation("batch-norm-shares")
def test_and_so_does_the_derivative_of_that() -> None:
    def normalise(x: Any, weight: Any, bias: Any) -> Any:
        return batch_norm(x, weight, bias, eps=EPS)

    assert check_gradients(normalise, X[:3, :2, :2], [1.5, -0.5], [0.3, 2.0]) < 1e-7


@pytest.mark.equation("batch-norm-statistics")
def test_running_statistics_forget_geometrically() -> None:
    layer = BatchNorm2d(6, momentum=0.25).to(np.float64)
    for _ in range(5):
        layer(sg.asarray(X))
    kept = 0.75**5  # of the start, mean 0 and variance 1
    axes = (0, 2, 3)
    assert_close(layer.running_mean, (1 - kept) * X.mean(axes), rtol=1e-12)
    assert_close(layer.running_var, kept + (1 - kept) * X.var(axes, ddof=1), rtol=1e-12)


@pytest.mark.equation("layer-norm")
@DTYPES
def test_an_example_is_normalised_over_its_own_features(dtype: Any, rtol: float) -> None:
    layer = LayerNorm((3, 2), eps=EPS).to(dtype)
    assert_close(layer(sg.asarray(X.astype(dtype))), normalised(X, (2, 3)), rtol=rtol, atol=rtol / 10)
    weight, bias = np.random.default_rng(0).normal(size=(2, 3, 2))
    layer.weight.data[...], layer.bias.data[...] = sg.asarray(weight), sg.asarray(bias)
    expected = normalised(X, (2, 3)) * weight + bias
    assert_close(layer(sg.asarray(X.astype(dtype))), expected, rtol=rtol, atol=rtol / 10)


@pytest.mark.equation("layer-norm")
def test_its_derivatives_by_input_weight_and_bias() -> None:
    numbers = X[:2, :2], *np.random.default_rng(0).normal(size=(2, 3, 2))
    assert check_gradients(lambda *x: F.layer_norm(x[0], (3, 2), *x[1:], eps=EPS), *numbers) < 1e-7
    no_bias = F.layer_norm(sg.asarray(X), 2, sg.asarray(np.array([2.0, -1.0])), eps=EPS)
    assert_close(no_bias, normalised(X, (3,)) * [2.0, -1.0], rtol=1e-11)


@pytest.mark.equation("group-norm")
@pytest.mark.parametrize("groups", [1, 2, 6])
@DTYPES
def test_a_group_of_channels_is_normalised_in_each_image(groups: int, dtype: Any, rtol: float) -> None:
    layer = GroupNorm(groups, 6, eps=EPS).to(dtype)
    weight, bias = np.random.default_rng(0).normal(size=(2, 6))
    layer.weight.data[...], layer.bias.data[...] = sg.asarray(weight), sg.asarray(bias)
    expected = normalised(X.reshape(4, groups, -1), (2,)).reshape(X.shape)
    expected = expected * weight[:, None, None] + bias[:, None, None]
    assert_close(layer(sg.asarray(X.astype(dtype))), expected, rtol=rtol, atol=rtol / 10)


@pytest.mark.equation("group-norm")
@pytest.mark.equation("group-norm-shares")
@pytest.mark.parametrize("silu", [False, True])
@DTYPES
def test_the_shares_of_group_normalisation(silu: bool, dtype: Any, rtol: float) -> None:
    groups, (weight, bias) = 3, np.random.default_rng(0).normal(size=(2, 6))
    g = sg.asnumpy(RandomStream(1).normal(X.shape, np.float64))
    variables = [sg.tensor(sg.asarray(a.astype(dtype)), requires_grad=True) for a in (X, weight, bias)]
    y = F.group_norm(variables[0], groups, *variables[1:], eps=EPS, silu=silu)
    grouped = X.reshape(4, groups, -1)
    u = normalised(grouped, (2,)).reshape(X.shape)
    column = u * weight[:, None, None] + bias[:, None, None]
    assert_close(y, column * special.expit(column) if silu else column, rtol=rtol, atol=rtol / 10)
    if silu:
        s = special.expit(column)
        q = g * s * (1 + column * (1 - s))
    else:
        q = g

    def mean(a: np.ndarray) -> np.ndarray:
        means = a.reshape(grouped.shape).mean(2, keepdims=True)
        return np.broadcast_to(means, grouped.shape).reshape(X.shape)

    scaled = q * weight[:, None, None]
    root = np.sqrt(np.broadcast_to(grouped.var(2, keepdims=True) + EPS, grouped.shape)).reshape(X.shape)
    expected = (scaled - mean(scaled) - u * mean(u * scaled)) / root, (q * u).sum((0, 2, 3)), q.sum((0, 2, 3))
    for share, right in zip(sg.grad(y, variables, sg.asarray(g.astype(dtype))), expected, strict=True):
        assert_close(share, right, rtol=rtol, atol=rtol / 10)


@pytest.mark.equation("group-norm-shares")
@pytest.mark.parametrize("silu", [False, True])
def test_the_second_derivatives_of_group_normalisation(silu: bool) -> None:
    def normalise(x: Any, weight: Any, bias: Any) -> Any:
        return F.group_norm(x, 2, weight, bias, eps=EPS, silu=silu)

    numbers = X[:2, :4, :2, :1], *np.random.default_rng(0).normal(size=(2, 4))
    assert check_gradients(normalise, *numbers) < 1e-7


@pytest.mark.equation("batch-norm")
@pytest.mark.equation("group-norm")
def test_far_from_the_origin_the_variance_keeps_its_digits() -> None:
    # Since sum (x - mean) = 0, sum (x - mean) x would do as well, but for what the mean lost by rounding.
    x = (1000 + X).astype(np.float32)
    found = BatchNorm2d(6, eps=EPS)(sg.asarray(x)), GroupNorm(2, 6, eps=EPS)(sg.asarray(x))
    exact = x.astype(np.float64)
    in_groups = normalised(exact.reshape(4, 2, -1), (2,)).reshape(X.shape)
    for y, expected in zip(found, (normalised(exact, (0, 2, 3)), in_groups), strict=True):
        assert_close(y, expected, atol=1e-4)


@pytest.mark.equation("attention")
def test_attention_is_a_mean_of_values_weighted_by_likeness() -> None:
    q, k, v = (sg.asnumpy(RandomStream(2, i).normal((2, n, 3), np.float64)) for i, n in enumerate((4, 5, 5)))
    for scale in (None, 0.3):
        expected = np.zeros((2, 4, 3))
        for batch, row in np.ndindex(2, 4):
            likeness = k[batch] @ q[batch, row] * (1 / np.sqrt(3) if scale is None else scale)
            expected[batch, row] = np.exp(likeness) / np.exp(likeness).sum() @ v[batch]
        found = F.scaled_dot_product_attention(*map(sg.asarray, (q, k, v)), scale=scale)
        assert_close(found, expected, rtol=1e-12)
    assert check_gradients(F.scaled_dot_product_attention, q[:, :2], k[:, :3], v[:, :3]) < 1e-7


@pytest.mark.equation("multi-head-attention")
def test_heads_attend_in_slices_of_the_features() -> None:
    layer = MultiheadAttention(6, 2, batch_first=True, rng=RandomStream(3)).to(np.float64)
    x = sg.asnumpy(RandomStream(4).normal((1, 5, 6), np.float64))
    state = layer.state_dict()
    q, k, v = np.split(x[0] @ state["in_proj_weight"].T + state["in_proj_bias"], 3, axis=1)
    heads = [
        special.softmax(q[:, part] @ k[:, part].T / np.sqrt(3), axis=1) @ v[:, part]
        for part in (slice(0, 3), slice(3, 6))
    ]
    expected = np.concatenate(heads, axis=1) @ state["out_proj.weight"].T + state["out_proj.bias"]
    found, weights = layer(*[sg.asarray(x)] * 3)
    assert_close(found[0], expected, rtol=1e-11)
    likeness = [special.softmax(q[:, p] @ k[:, p].T / np.sqrt(3), axis=1) for p in np.split(np.arange(6), 2)]
    assert_close(weights[0], sum(likeness) / 2, rtol=1e-11)
    assert layer(*[sg.asarray(x)] * 3, need_weights=False)[1] is None
    assert check_gradients(lambda x: layer(x, x, x)[0], x[:, :3], order=1) < 1e-7


@pytest.mark.equation("multi-head-attention")
@pytest.mark.parametrize("kind", ["no mask", "truth values", "numbers"])
def test_queries_ask_for_values_by_keys_that_a_mask_may_hide(kind: str) -> None:
    layer = MultiheadAttention(4, 2, rng=RandomStream(5)).to(np.float64)
    layer.in_proj_bias.data[...] = sg.asarray(np.linspace(-1, 1, 12))
    rng = np.random.default_rng(6)
    query, key, value = (rng.normal(size=(length, 2, 4)) for length in (3, 5, 5))  # (length, batch, features)
    hidden = rng.random((3, 5)) < 0.4
    mask = {"no mask": None, "truth values": hidden, "numbers": rng.normal(size=(3, 5))}[kind]
    added = 0.0 if mask is None else np.where(hidden, -np.inf, 0.0) if kind == "truth values" else mask
    maps = zip(
        (query, key, value),
        np.split(sg.asnumpy(layer.in_proj_weight), 3),
        np.split(sg.asnumpy(layer.in_proj_bias), 3),
        strict=True,
    )
    q, k, v = (x @ weight.T + bias for x, weight, bias in maps)
    found, weights = layer(*map(sg.asarray, (query, key, value)), None if mask is None else sg.asarray(mask))
    for n in range(2):
        heads, shares = [], []
        for part in (slice(0, 2), slice(2, 4)):
            scores = q[:, n, part] @ k[:, n, part].T / np.sqrt(2) + added
            shares.append(special.softmax(scores, axis=1))
            heads.append(shares[-1] @ v[:, n, part])
        right = np.concatenate(heads, axis=1) @ sg.asnumpy(layer.out_proj.weight).T
        assert_close(sg.asnumpy(found)[:, n], right + sg.asnumpy(layer.out_proj.bias), rtol=1e-10, atol=1e-13)
        assert_close(sg.asnumpy(weights)[n], np.mean(shares, axis=0), rtol=1e-10)


@pytest.mark.equation("sinusoidal-embedding")
def test_waves_and_the_likeness_of_two_times() -> None:
    t = np.array([0, 3, 250, 999])
    y = sg.asnumpy(SinusoidalEmbedding(8)(sg.asarray(t), np.float64))
    frequency = 10_000 ** (-2 * np.arange(4) / 8)
    assert_close(y[:, :4], np.sin(t[:, None] * frequency), atol=1e-12)
    assert_close(y[:, 4:], np.cos(t[:, None] * frequency), atol=1e-12)
    # cos a cos b + sin a sin b = cos(a - b): the inner product knows the difference of times only.
    expected = np.cos((t[:, None] - t)[..., None] * frequency).sum(-1)
    assert_close(y @ y.T, expected, atol=1e-11)


@pytest.mark.equation("dropout")
def test_dropout_keeps_the_mean_and_what_it_lets_through_is_scaled() -> None:
    x = np.array([1.0, -2.0, 0.5])
    drawn = sg.asnumpy(F.dropout(sg.asarray(np.tile(x, (20_000, 1))), 0.3, RandomStream(5)))
    kept = drawn != 0
    assert_close(drawn[kept], np.broadcast_to(x / 0.7, drawn.shape)[kept], rtol=1e-12)
    assert_mean(drawn, x)
    assert_mean(kept.astype(float), np.full(3, 0.7))


@pytest.mark.equation("silu")
def test_the_slope_of_silu() -> None:
    x = np.array([-20.0, -1.3, 0.0, 0.4, 20.0])
    g, s = np.array([2.0, -1.0, 0.5, 3.0, 7.0]), special.expit(x)
    for dtype, rtol in ((np.float64, 1e-13), (np.float32, 1e-5)):
        v = sg.tensor(sg.asarray(np.tile(x, 300).astype(dtype)), requires_grad=True)
        assert_close(F.silu(v), np.tile(x * s, 300), rtol=rtol)
        (share,) = sg.grad(F.silu(v), v, sg.asarray(np.tile(g, 300).astype(dtype)))
        assert_close(share, np.tile(g * s * (1 + x * (1 - s)), 300), rtol=rtol, atol=rtol * 1e-3)
    assert check_gradients(F.silu, [-1.3, 0.4, 2.0]) < 1e-7


@pytest.mark.equation("gelu")
def test_gelu_weighs_by_the_normal_distribution() -> None:
    x = np.array([-3.0, -0.5, 0.0, 0.5, 3.0])
    g, below = np.array([2.0, -1.0, 0.5, 3.0, 7.0]), stats.norm.cdf(x)
    for dtype, rtol in ((np.float64, 1e-12), (np.float32, 1e-6)):
        v = sg.tensor(sg.asarray(np.tile(x, 300).astype(dtype)), requires_grad=True)
        assert_close(F.gelu(v), np.tile(x * below, 300), rtol=rtol, atol=rtol)
        (share,) = sg.grad(F.gelu(v), v, sg.asarray(np.tile(g, 300).astype(dtype)))
        assert_close(share, np.tile(g * (below + x * stats.norm.pdf(x)), 300), rtol=rtol, atol=rtol)
    assert check_gradients(F.gelu, [-1.3, 0.4, 2.0]) < 1e-7


@pytest.mark.equation("bilinear-interpolation")
def test_a_pixel_lies_between_the_two_around_it_on_each_axis() -> None:
    image = X[:1, :1]
    found = sg.asnumpy(F.interpolate(sg.asarray(image), size=(5, 4), mode="bilinear"))[0, 0]
    expected = np.zeros((5, 4))
    for o in range(5):
        for p in range(4):
            c, d = np.clip((o + 0.5) * 3 / 5 - 0.5, 0, 2), np.clip((p + 0.5) * 2 / 4 - 0.5, 0, 1)
            for i in range(3):
                for j in range(2):
                    expected[o, p] += max(0, 1 - abs(c - i)) * max(0, 1 - abs(d - j)) * image[0, 0, i, j]
    assert_close(found, expected, rtol=1e-12)
    rows = _resizing(3, 5, 3 / 5, "bilinear", sg.asarray(image))
    assert_close(rows.sum(axis=1), np.ones(5), rtol=1e-14)  # each is a mean of its neighbours
