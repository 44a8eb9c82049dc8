"""The semi-supervised VAE's bounds against quadrature over the style, and its loss term by term."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy import stats
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.backend import RandomStream
from scratchgen.models import SemiSupervisedVAE

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(80)
WEIGHTS = WEIGHTS / WEIGHTS.sum()  # a mean over N(0, 1)
X = np.array([[1.0, 0.0, 1.0, 1.0], [0.0, 0.0, 1.0, 0.0], [1.0, 1.0, 0.0, 0.0]])
LABELS = np.array([2, -1, 0])
LOG_VARS = np.array([-0.6, 0.3, -1.1, 0.5])  # of a normal likelihood


def build(likelihood: str = "bernoulli", alpha: float = 0.7, dtype: Any = np.float64) -> SemiSupervisedVAE:
    """A model of four numbers, three classes and one number of style, whose weights are not small."""
    model = SemiSupervisedVAE(4, 6, 1, 3, alpha, RandomStream(3), likelihood=likelihood).to(dtype)
    state = {name: 1.5 * sg.asnumpy(value) for name, value in model.state_dict().items()}
    if likelihood == "normal":
        state["decoder_log_var"] = LOG_VARS.astype(dtype)
    model.load_state_dict(state)
    return model


def network(layers: Any, x: np.ndarray) -> np.ndarray:
    """A perceptron by hand."""
    first, _, second = layers
    hidden = np.maximum(x @ sg.asnumpy(first.weight).T + sg.asnumpy(first.bias), 0)
    return hidden @ sg.asnumpy(second.weight).T + sg.asnumpy(second.bias)


def log_likelihood(model: SemiSupervisedVAE, x: np.ndarray, y: int, z: np.ndarray) -> np.ndarray:
    """Log p(x|y, z) of one example, for each of the styles `z`."""
    decoded = network(model.decoder, np.concatenate([z[:, None], np.tile(np.eye(3)[y], (len(z), 1))], axis=1))
    if model.likelihood_name == "normal":
        return stats.norm(decoded, np.exp(LOG_VARS / 2)).logpdf(x).sum(axis=1)
    return (x * decoded - np.logaddexp(0, decoded)).sum(axis=1)


def by_quadrature(model: SemiSupervisedVAE, x: np.ndarray, y: int) -> tuple[float, float]:
    """-L(x, y), and log p(x, y), which it bounds."""
    mean, log_var = network(model.encoder, np.concatenate([x, np.eye(3)[y]])[None])[0]
    kl = (mean**2 + np.exp(log_var) - log_var - 1) / 2
    bound = WEIGHTS @ log_likelihood(model, x, y, mean + np.exp(log_var / 2) * NODES) - np.log(3) - kl
    return bound, np.log(WEIGHTS @ np.exp(log_likelihood(model, x, y, NODES)) / 3)


@pytest.mark.equation("m2-labelled")
@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
def test_the_labelled_bound_is_on_average_its_integral_and_below_the_evidence(likelihood: str) -> None:
    model = build(likelihood)
    with sg.no_grad():
        repeated = sg.asarray(np.repeat(X, 4000, axis=0))
        drawn = sg.asnumpy(model.bounds(repeated, RandomStream(0))).reshape(3, 4000, 3)
    for x, samples in zip(X, drawn, strict=True):
        expected = [by_quadrature(model, x, y) for y in range(3)]
        assert_mean(samples, [bound for bound, _ in expected])
        assert all(bound < evidence for bound, evidence in expected)


@pytest.mark.equation("m2-unlabelled", "m2-loss")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_loss_has_the_given_class_where_known_and_all_of_them_where_not(dtype: Any) -> None:
    model, x = build(dtype=dtype), sg.asarray(X, dtype)
    bounds = sg.asnumpy(model.bounds(x, RandomStream(1)))
    logits = network(model.classifier, X)
    log_q = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
    q = np.exp(log_q[1])
    unlabelled = q @ bounds[1] - q @ log_q[1]
    expected = -(bounds[0, 2] + unlabelled + bounds[2, 0]) / 3
    wrong = -(log_q[0, 2] + log_q[2, 0]) / 2
    terms = model.loss_terms(x, RandomStream(1), sg.asarray(LABELS))
    rtol = 1e-11 if dtype == np.float64 else 1e-5
    assert_close(terms["bound"], np.asarray(expected, dtype), rtol=rtol)
    assert_close(terms["cross-entropy"], np.asarray(wrong, dtype), rtol=rtol)
    assert_close(terms["loss"], np.asarray(expected + 0.7 * wrong, dtype), rtol=rtol)


@pytest.mark.equation("m2-unlabelled")
def test_without_a_label_it_is_a_bound_on_the_evidence_and_tight_for_the_right_classifier() -> None:
    """Over the classifier, its maximum is the log of the sum of exp(-L): here the classifier is replaced."""
    model = build()
    for x in X:
        found = np.array([by_quadrature(model, x, y) for y in range(3)])
        evidence, best = np.log(np.exp(found[:, 1]).sum()), np.log(np.exp(found[:, 0]).sum())
        bounds, rng = found[:, 0], np.random.default_rng(0)
        for q in rng.dirichlet(np.ones(3), size=20):
            assert q @ bounds - q @ np.log(q) <= best + 1e-12 < evidence

    def no_class(x: Any) -> Any:
        logs = [[by_quadrature(model, row, y)[0] for y in range(3)] for row in sg.asnumpy(x)]
        return sg.tensor(np.array(logs))

    model.classifier.forward = no_class  # q(y|x) proportional to exp(-L(x, y))
    with sg.no_grad():
        drawn = [model.loss(sg.asarray(X), RandomStream(i)).item() for i in range(600)]
    expected = [np.log(sum(np.exp(by_quadrature(model, x, y)[0]) for y in range(3))) for x in X]
    assert_mean(np.array(drawn), -np.mean(expected))


@pytest.mark.equation("m2-loss", "m2-labelled", "m2-unlabelled")
def test_its_derivatives_by_the_weights() -> None:
    model = build()

    def loss(classify: Any, encode: Any, decode: Any) -> Any:
        model.classifier[2].weight, model.encoder[2].weight, model.decoder[2].weight = (
            classify,
            encode,
            decode,
        )
        return model.loss(sg.asarray(X), RandomStream(2), sg.asarray(LABELS))

    networks = (model.classifier, model.encoder, model.decoder)
    check_gradients(loss, *(sg.asnumpy(layers[2].weight) for layers in networks), order=1)


@pytest.mark.equation("m2-best-classifier")
def test_the_best_classifier_is_bayes_rule_with_the_bounds() -> None:
    model, x = build(), sg.asarray(X)
    bounds = sg.asnumpy(model.bounds(x, RandomStream(5)))
    best = np.exp(bounds) / np.exp(bounds).sum(axis=1, keepdims=True)

    def losses(q: np.ndarray) -> float:
        model.classifier.forward = lambda x: sg.tensor(np.log(q))
        return model.loss(x, RandomStream(5)).item()

    least = losses(best)
    assert_close(least, -np.mean(np.log(np.exp(bounds).sum(axis=1))), rtol=1e-12)
    rng = np.random.default_rng(0)
    for _ in range(20):
        assert losses(0.9 * best + 0.1 * rng.dirichlet(np.ones(3), size=3)) > least


@pytest.mark.equation("m1-m2")
def test_both_bounds_together_stay_below_the_evidence() -> None:
    """A world of one number: x ~ N(z1, 0.5^2), and z1 from M2 with a normal likelihood, by quadrature."""
    model = SemiSupervisedVAE(1, 5, 1, 2, rng=RandomStream(8), likelihood="normal").to(np.float64)
    grid = np.linspace(-9, 9, 721)
    step = grid[1] - grid[0]
    prior = np.zeros_like(grid)
    for y in range(2):
        decoded = network(
            model.decoder, np.concatenate([NODES[:, None], np.tile(np.eye(2)[y], (80, 1))], axis=1)
        )
        prior += 0.5 * (WEIGHTS[:, None] * stats.norm(decoded, 1.0).pdf(grid)).sum(axis=0)
    with sg.no_grad():
        draws = [
            model.loss_terms(sg.asarray(grid[:, None]), RandomStream(i))["loss"].item() for i in range(3)
        ]
        bounds = np.mean([_unlabelled(model, grid, i) for i in range(200)], axis=0)
    assert_close(-bounds.mean(), np.mean(draws), rtol=0.02)
    for x in (-1.0, 0.4, 1.5):
        evidence = np.log((stats.norm(grid, 0.5).pdf(x) * prior).sum() * step)
        for mean, spread in ((x, 0.5), (0.7 * x, 0.4)):
            q = stats.norm(mean, spread)
            terms = stats.norm(grid, 0.5).logpdf(x) - q.logpdf(grid) + bounds
            assert (q.pdf(grid) * terms).sum() * step < evidence


def _unlabelled(model: SemiSupervisedVAE, grid: np.ndarray, seed: int) -> np.ndarray:
    bounds = sg.asnumpy(model.bounds(sg.asarray(grid[:, None]), RandomStream(seed)))
    q = sg.asnumpy(model.classify(sg.asarray(grid[:, None])))
    return (q * bounds).sum(axis=1) - (q * np.log(q)).sum(axis=1)
