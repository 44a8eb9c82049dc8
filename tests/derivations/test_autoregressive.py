"""The equations of autoregressive models, each against a computation that knows nothing of the code."""

from __future__ import annotations

import numpy as np
import pytest
from models.autoregressive.worlds import every_vector, stream, strong
from tools import assert_close

import scratchgen as sg
from scratchgen.models import MADE, NADE
from scratchgen.models.autoregressive.nade import hidden_layers, nade_logits, nade_shares

rng = np.random.default_rng(0)
X = (rng.random((4, 5)) < 0.5).astype(np.float64)
W, V = rng.standard_normal((2, 5, 3))
C, B, G = rng.standard_normal(3), rng.standard_normal(5), rng.standard_normal((4, 5))


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def on_device(*arrays: np.ndarray) -> list:
    return [sg.asarray(a) for a in arrays]


@pytest.mark.equation("nade-hidden")
@pytest.mark.equation("nade-recurrence")
def test_each_hidden_layer_sums_the_columns_before_it() -> None:
    by_hand = [sigmoid(C + X[:, :d] @ W[:d]) for d in range(5)]
    for h, expected in zip(hidden_layers(*on_device(X, W, C)), by_hand, strict=True):
        assert_close(h, expected, rtol=1e-12)


@pytest.mark.equation("nade-conditional")
def test_a_logit_is_an_affine_map_of_its_hidden_layer() -> None:
    by_hand = np.stack([B[d] + sigmoid(C + X[:, :d] @ W[:d]) @ V[d] for d in range(5)], axis=1)
    assert_close(nade_logits(*on_device(X, W, C, V, B)), by_hand, rtol=1e-12)
    model = strong(NADE(5, 3, stream()))
    w, c, v, b = (sg.asnumpy(p) for p in (model.W, model.c, model.V, model.b))
    hidden = [sigmoid(c + X[:, :d] @ w[:d]) for d in range(5)]
    p = np.stack([sigmoid(b[d] + h @ v[d]) for d, h in enumerate(hidden)], axis=1)
    assert_close(sg.sigmoid(model(sg.asarray(X))), p, rtol=1e-12)
    drawn = np.stack([sg.asnumpy(logit) for logit in model.conditionals(sg.asarray(X))], axis=1)
    assert_close(sigmoid(drawn), p, rtol=1e-12)


@pytest.mark.equation("nade-gradient")
def test_the_gradient_is_that_of_the_conditionals_written_out() -> None:
    # Without the recurrence: each hidden layer by a product of its own, differentiated by the engine.
    x, w, c, v, b = (sg.tensor(a, requires_grad=True) for a in on_device(X, W, C, V, B))
    hidden = [sg.sigmoid(c + x[:, :d] @ w[:d]) for d in range(1, 5)]
    logits = [b[0] + 0 * x[:, 0] + (sg.sigmoid(c) * v[0]).sum()]
    logits += [b[d] + h @ v[d] for d, h in enumerate(hidden, start=1)]
    expected = sg.grad(sg.stack(logits, axis=1), [x, w, c, v, b], cotangent=sg.asarray(G))
    shares = nade_shares(sg.asarray(G), None, *on_device(X, W, C, V, B))
    for share, by_engine in zip(shares, expected, strict=True):
        assert_close(share, by_engine, rtol=1e-10, atol=1e-14)


@pytest.mark.equation("made-mask")
@pytest.mark.parametrize("widths", [[9], [12, 5], [6, 20, 11]])
def test_no_path_leads_from_a_number_to_itself_or_an_earlier_one(widths: list[int]) -> None:
    model = MADE(6, widths, stream())
    masks = [sg.asnumpy(value) for name, value in model.state_dict().items() if name.endswith("mask")]
    paths = np.linalg.multi_dot(masks[::-1])  # how many there are from each input to each output
    np.testing.assert_array_equal(paths > 0, np.tril(np.ones((6, 6)), -1) > 0)


@pytest.mark.equation("made-sampling")
@pytest.mark.parametrize("widths", [[9], [12, 5], [3, 20]])
def test_each_unit_computed_once_gives_the_logits_of_a_whole_pass(widths: list[int]) -> None:
    model, x = strong(MADE(6, widths, stream())), every_vector(6)
    assert np.abs(sg.asnumpy(model(x))).max() > 0.5
    for d, logit in enumerate(model.conditionals(x)):
        assert_close(logit, model(x)[:, d], rtol=1e-10, atol=1e-12)
