"""The equations of autoregressive models, each against a computation that knows nothing of the code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from models.autoregressive.worlds import every_vector, stream, strong
from scipy import special
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.data import avatars
from scratchgen.data.tables import enumerate_rows
from scratchgen.metrics import exact_kl
from scratchgen.models import MADE, NADE, CategoricalChain, CategoricalNaiveBayes, JointMultinomial
from scratchgen.models.autoregressive.chain import missing_information
from scratchgen.models.autoregressive.nade import hidden_layers, nade_logits, nade_shares
from scratchgen.networks.gated import GatedLayer, gate
from scratchgen.networks.masked import MaskedConv2d, taps_before

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
    assert_close(paths > 0, np.tril(np.ones((6, 6)), -1) > 0, rtol=0)


@pytest.mark.equation("made-sampling")
@pytest.mark.parametrize("widths", [[9], [12, 5], [3, 20]])
def test_each_unit_computed_once_gives_the_logits_of_a_whole_pass(widths: list[int]) -> None:
    model, x = strong(MADE(6, widths, stream())), every_vector(6)
    assert np.abs(sg.asnumpy(model(x))).max() > 0.5
    for d, logit in enumerate(model.conditionals(x)):
        assert_close(logit, model(x)[:, d], rtol=1e-10, atol=1e-12)


@pytest.mark.equation("pixelcnn-mask")
@pytest.mark.parametrize("size", [1, 3, 5, 7])
def test_a_mask_leaves_the_taps_before_the_middle(size: int) -> None:
    middle = (size - 1) / 2
    for here in (False, True):
        expected = [i <= middle if here else i < middle for i in range(size)]
        assert_close(taps_before(size, here), expected, rtol=0)
    # A convolution with it is the sum over the pixels that are left, and no other.
    layer = strong(MaskedConv2d(2, 3, taps_before(size, here=True)[None], stream(size)))
    x, w = rng.standard_normal((2, 2, 4, 9)), sg.asnumpy(layer.weight)[:, :, 0]
    by_hand = np.zeros((2, 3, 4, 9)) + sg.asnumpy(layer.bias)[:, None, None]
    for column in range(9):
        for tap in range(size // 2 + 1):
            source = column + tap - size // 2
            if source >= 0:
                by_hand[:, :, :, column] += np.einsum("oi,nih->noh", w[:, :, tap], x[:, :, :, source])
    assert_close(layer(sg.asarray(x)), by_hand, rtol=1e-10, atol=1e-12)
    assert_slopes(lambda: layer(sg.asarray(x)), layer.parameters())


@pytest.mark.equation("pixelcnn-gate")
def test_the_gate_is_tanh_times_sigmoid_and_so_is_its_derivative() -> None:
    a = rng.standard_normal((2, 6, 3)) * 2
    by_hand = np.tanh(a[:, :3]) / (1 + np.exp(-a[:, 3:]))
    assert_close(gate(sg.asarray(a)), by_hand, rtol=1e-12)
    assert_close(gate(sg.asarray(a.astype(np.float32))), by_hand, rtol=1e-5)
    for dtype, rtol in ((np.float64, 1e-10), (np.float32, 1e-4)):
        x = sg.tensor(sg.asarray(a.astype(dtype)), requires_grad=True)
        g = sg.asarray(rng.standard_normal((2, 3, 3)).astype(dtype))
        (fused,) = sg.grad(gate(x), [x], cotangent=g)
        (plain,) = sg.grad(sg.tanh(x[:, :3]) * sg.sigmoid(x[:, 3:]), [x], cotangent=g)
        assert_close(fused, plain, rtol=rtol, atol=1e-6 if dtype == np.float32 else 1e-14)


@pytest.mark.equation("pixelcnn-stacks")
@pytest.mark.equation("pixelcnn-residual")
@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("labels", [None, np.array([2, 0])])
def test_a_layer_is_two_masked_convolutions_a_gate_and_a_residual(first: bool, labels: Any) -> None:
    inside = 2 if first else 4
    layer = strong(GatedLayer(inside, 4, first, 3).initialise(stream("layer")), 2.0)
    v, h = rng.standard_normal((2, 2, inside, 5, 6))
    numbers = {name: value.astype(np.float64) for name, value in layer.state_dict().items()}

    def conv(x: np.ndarray, name: str) -> np.ndarray:
        w = numbers[f"{name}.weight"]
        up, across = w.shape[2] // 2, w.shape[3] // 2
        padded = np.pad(x, ((0, 0), (0, 0), (up, up), (across, across)))
        y = np.zeros((2, len(w), 5, 6)) + numbers[f"{name}.bias"][:, None, None]
        rows = range(up + (not first)) if up else range(1)
        columns = range(w.shape[3]) if up else range(across + (not first)) if across else range(1)
        for i in rows:
            for j in columns:
                y += np.einsum("oc,nchw->nohw", w[:, :, i, j], padded[:, :, i : i + 5, j : j + 6])
        return y

    def gated(x: np.ndarray) -> np.ndarray:
        return np.tanh(x[:, :4]) * sigmoid(x[:, 4:])

    a = conv(v, "vertical")
    if labels is not None:
        a = a + numbers["label_v.weight"][labels][:, :, None, None]
    b = conv(h, "horizontal") + conv(a, "down")
    if labels is not None:
        b = b + numbers["label_h.weight"][labels][:, :, None, None]
    new = conv(gated(b), "out")
    given = None if labels is None else sg.asarray(labels)
    v_next, h_next = layer(sg.asarray(v), sg.asarray(h), given)
    assert_close(v_next, gated(a), rtol=1e-10, atol=1e-12)
    assert_close(h_next, new if first else h + new, rtol=1e-10, atol=1e-12)
    learnt = [p for name, p in layer.named_parameters() if labels is not None or "label" not in name]
    assert_slopes(lambda: sg.stack(layer(sg.asarray(v), sg.asarray(h), given)), learnt)


def parents_of(d: int, parents: int) -> tuple[int, ...]:
    return tuple(range(max(0, d - parents), d))


@pytest.mark.equation("chain-parents")
@pytest.mark.parametrize("alpha", [0, 0.7])
@pytest.mark.parametrize("parents", [0, 1, 2, 5])
def test_a_row_has_the_product_of_its_frequencies_given_the_parents(parents: int, alpha: float) -> None:
    levels = (3, 2, 4)
    rows = np.random.default_rng(1).integers(0, levels, (60, 3))
    looks = enumerate_rows(levels)
    p = np.ones(len(looks))
    for i, look in enumerate(looks):
        for d, level in enumerate(levels):
            known = list(parents_of(d, parents))
            same = (rows[:, known] == look[known]).all(axis=1)
            counts = np.sum(rows[same, d] == look[d])
            p[i] *= (counts + alpha) / (same.sum() + alpha * level)
    model = CategoricalChain(levels, parents, alpha).fit(sg.asarray(rows))
    assert_close(np.exp(model.log_prob(looks)), p, rtol=1e-12, atol=1e-300)


@pytest.mark.equation("chain-parents")
def test_no_parent_is_naive_bayes_and_all_parents_are_the_full_joint() -> None:
    people, looks = avatars.observations(), avatars.all_looks()
    for parents, other in ((0, CategoricalNaiveBayes(avatars.LEVELS)), (4, JointMultinomial(avatars.LEVELS))):
        chain = CategoricalChain(avatars.LEVELS, parents).fit(people)
        assert_close(np.exp(chain.log_prob(looks)), np.exp(other.fit(people).log_prob(looks)), rtol=1e-12)
    assert CategoricalChain(avatars.LEVELS, 0).fit(people).parameter_count == 23
    assert CategoricalChain(avatars.LEVELS, 4).fit(people).parameter_count == 4031


@pytest.mark.equation("chain-missing")
@pytest.mark.parametrize("parents", range(5))
def test_what_the_best_chain_misses(parents: int) -> None:
    best = CategoricalChain(avatars.LEVELS, parents).fit_weights(avatars.joint())
    missing = missing_information(avatars.joint(), parents)
    assert_close(exact_kl(best.log_prob), missing, rtol=1e-9, atol=1e-12)
    known = [0.7315, 0.1861, 0.0872, 0.0, 0.0]
    assert_close(missing, known[parents], atol=5e-5)


@pytest.mark.equation("chain-divergence")
@pytest.mark.parametrize("parents", range(5))
def test_the_divergence_is_what_is_missing_and_what_each_table_lacks(parents: int) -> None:
    P, model = avatars.joint(), CategoricalChain(avatars.LEVELS, parents, 0.5).fit(avatars.observations())
    lacking = 0.0
    for d, theta in enumerate(model.theta):
        family = P.sum(axis=tuple(axis for axis in range(5) if axis not in (*parents_of(d, parents), d)))
        given = family / np.maximum(family.sum(axis=-1, keepdims=True), 1e-300)
        lacking += (family.sum(axis=-1) * special.rel_entr(given, theta).sum(axis=-1)).sum()
    missing = missing_information(P, parents)
    assert_close(exact_kl(model.log_prob), missing + lacking, rtol=1e-10)
