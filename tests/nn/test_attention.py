"""Scaled dot-product attention and the layer of several heads."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import special
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.backend import RandomStream
from scratchgen.nn import MultiheadAttention, functional as F


def normal(*shape: int) -> np.ndarray:
    return sg.asnumpy(RandomStream(0, *shape).normal(shape, np.float64))


Q, K, V = normal(2, 4, 3), normal(2, 5, 3), normal(2, 5, 2)


def attended(scores: np.ndarray) -> np.ndarray:
    return special.softmax(scores, axis=-1) @ V


def test_a_query_takes_the_values_of_keys_like_itself() -> None:
    scores = Q @ K.transpose(0, 2, 1)
    found = F.scaled_dot_product_attention(sg.asarray(Q), sg.asarray(K), sg.asarray(V))
    assert_close(found, attended(scores / np.sqrt(3)), rtol=1e-12)
    found = F.scaled_dot_product_attention(sg.asarray(Q), sg.asarray(K), sg.asarray(V), scale=2.0)
    assert_close(found, attended(2 * scores), rtol=1e-12)


def test_masks_of_truth_values_of_numbers_and_of_order() -> None:
    q, k, v = map(sg.asarray, (Q, K, V))
    scores = Q @ K.transpose(0, 2, 1) / np.sqrt(3)
    causal = np.tri(4, 5, dtype=bool)
    expected = attended(np.where(causal, scores, -np.inf))
    assert_close(F.scaled_dot_product_attention(q, k, v, is_causal=True), expected, rtol=1e-12)
    assert_close(F.scaled_dot_product_attention(q, k, v, sg.asarray(causal)), expected, rtol=1e-12)
    numbers = normal(4, 5)
    found = F.scaled_dot_product_attention(q, k, v, sg.asarray(numbers))
    assert_close(found, attended(scores + numbers), rtol=1e-12)
    check_gradients(lambda *a: F.scaled_dot_product_attention(*a, is_causal=True), Q[:1], K[:1], V[:1])


def test_what_does_not_fit_is_named() -> None:
    q, k, v = map(sg.asarray, (Q, K, V))
    with pytest.raises(ValueError, match=r"key: got shape \(2, 5, 2\), expected \(..., length, 3\)"):
        F.scaled_dot_product_attention(q, v, v)
    with pytest.raises(ValueError, match=r"value: got shape \(2, 4, 3\), expected \(..., 5, features\)"):
        F.scaled_dot_product_attention(q, k, q)
    with pytest.raises(ValueError, match="attn_mask: got one with is_causal=True"):
        F.scaled_dot_product_attention(q, k, v, sg.asarray(np.ones((4, 5), bool)), is_causal=True)


def plain(layer: MultiheadAttention, q: np.ndarray, k: np.ndarray, v: np.ndarray) -> tuple[Any, Any]:
    """The layer's definition, head by head, on (batch, length, features)."""
    state, size = layer.state_dict(), layer.embed_dim // layer.num_heads
    weights, biases = np.split(state["in_proj_weight"], 3), np.split(state["in_proj_bias"], 3)
    q, k, v = (x @ w.T + b for x, w, b in zip((q, k, v), weights, biases, strict=True))
    heads, shares = [], []
    for i in range(0, layer.embed_dim, size):
        own = slice(i, i + size)
        shares.append(special.softmax(q[..., own] @ k[..., own].transpose(0, 2, 1) / np.sqrt(size), axis=-1))
        heads.append(shares[-1] @ v[..., own])
    joined = np.concatenate(heads, axis=-1)
    return joined @ state["out_proj.weight"].T + state["out_proj.bias"], np.mean(shares, axis=0)


@pytest.fixture
def layer() -> MultiheadAttention:
    layer = MultiheadAttention(6, 3, batch_first=True, rng=RandomStream(0)).to(np.float64)
    for parameter in layer.parameters():
        parameter.data[...] = sg.asarray(normal(*parameter.shape))
    return layer


def test_heads_see_slices_of_the_features(layer: MultiheadAttention) -> None:
    q, k = normal(2, 4, 6), normal(2, 5, 6)
    for y, expected in zip(layer(*map(sg.asarray, (q, k, k))), plain(layer, q, k, k), strict=True):
        assert_close(y, expected, rtol=1e-11)
    x = sg.asarray(q)
    for y, expected in zip(layer(x, x, x), plain(layer, q, q, q), strict=True):
        assert_close(y, expected, rtol=1e-11)


def test_the_batch_is_the_second_axis_by_default(layer: MultiheadAttention) -> None:
    other = MultiheadAttention(6, 3).to(np.float64)
    other.load_state_dict(layer.state_dict())
    q, k = normal(2, 4, 6), normal(2, 5, 6)
    y, weights = other(*(sg.asarray(x.transpose(1, 0, 2)) for x in (q, k, k)))
    expected, shares = plain(layer, q, k, k)
    assert_close(y, expected.transpose(1, 0, 2), rtol=1e-11)
    assert_close(weights, shares, rtol=1e-11)


def test_what_the_mask_names_is_not_seen(layer: MultiheadAttention) -> None:
    x = sg.asarray(normal(2, 4, 6))
    y, weights = layer(x, x, x, attn_mask=sg.asarray(~np.tri(4, dtype=bool)))
    assert_close(np.triu(sg.asnumpy(weights), 1), np.zeros((2, 4, 4)))
    first, none = layer(x[:, :1], x[:, :1], x[:, :1], need_weights=False)
    assert none is None
    assert_close(y[:, :1], sg.asnumpy(first), rtol=1e-11)
    numbers = np.where(np.tri(4, dtype=bool), 0.0, -np.inf)
    assert_close(layer(x, x, x, attn_mask=sg.asarray(numbers))[0], sg.asnumpy(y), rtol=1e-12)


def test_gradients_by_input_and_parameters(layer: MultiheadAttention) -> None:
    def function(x: Any, weight: Any, bias: Any) -> Any:
        layer.in_proj_weight, layer.in_proj_bias = weight, bias
        return layer(x, x, x)[0]

    state = layer.state_dict()
    check_gradients(
        function, normal(1, 2, 6) / 2, state["in_proj_weight"] / 2, state["in_proj_bias"], order=1
    )
    parts = MultiheadAttention(2, 1, rng=RandomStream(3)).to(np.float64)
    check_gradients(lambda q, k, v: parts(q, k, v)[0], normal(2, 1, 2), normal(3, 1, 2), normal(3, 1, 2))


def test_dropout_leaves_out_weights_in_training_only() -> None:
    layer = MultiheadAttention(4, 2, dropout=0.5, rng=RandomStream(0))
    x = sg.asarray(normal(3, 1, 4).astype(np.float32))
    once, again = (sg.asnumpy(layer(x, x, x)[0]) for _ in range(2))
    assert not np.allclose(once, again)
    layer.eval()
    assert_close(layer(x, x, x)[0], sg.asnumpy(layer(x, x, x)[0]), rtol=0)


def test_parameters_and_first_weights() -> None:
    layer = MultiheadAttention(32, 4)
    names = ["in_proj_weight", "in_proj_bias", "out_proj.weight", "out_proj.bias"]
    assert list(layer.state_dict()) == names
    assert layer.in_proj_weight.shape == (96, 32)
    bound = np.abs(sg.asnumpy(layer.in_proj_weight)).max()
    assert 0.95 < bound / np.sqrt(6 / 128) <= 1
    assert_close(layer.in_proj_bias, np.zeros(96))
    assert list(MultiheadAttention(4, 2, bias=False).state_dict()) == ["in_proj_weight", "out_proj.weight"]


def test_errors_of_the_layer(layer: MultiheadAttention) -> None:
    x = sg.asarray(normal(2, 4, 6))
    with pytest.raises(ValueError, match="num_heads: got 4, expected a divisor of embed_dim 6"):
        MultiheadAttention(6, 4)
    with pytest.raises(ValueError, match=r"key: got shape \(2, 4, 5\), expected \(batch, length, 6\)"):
        layer(x, x[:, :, :5], x)
    with pytest.raises(ValueError, match=r"query: got shape \(4, 6\)"):
        layer(x[0], x, x)
