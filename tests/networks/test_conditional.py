"""Networks that are told a label: where it goes in, and what it is worth."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.networks import MLP, ConditionalGenerator, ProjectionDiscriminator
from scratchgen.nn import Linear

X = np.random.default_rng(0).normal(size=(4, 3))
LABELS = np.array([2, 0, 2, 1])


def generator() -> ConditionalGenerator:
    return ConditionalGenerator(Linear(5, 6, rng=RandomStream(0)), 3, 2, rng=RandomStream(1)).to(np.float64)


def discriminator(classes: int | None = 3) -> ProjectionDiscriminator:
    features = MLP([3, 4], rng=RandomStream(0))
    return ProjectionDiscriminator(features, 4, classes, rng=RandomStream(1)).to(np.float64)


def test_a_generator_sees_the_labels_vector_beside_the_noise() -> None:
    model = generator()
    vectors = sg.asnumpy(model.embedding.weight)[LABELS]
    expected = model.network(sg.asarray(np.concatenate([X, vectors], axis=1)))
    assert_close(model(sg.asarray(X), sg.asarray(LABELS)), expected, rtol=1e-12)


@pytest.mark.equation("gan-projection")
def test_a_projection_discriminators_logit_term_by_term() -> None:
    model = discriminator()
    state = model.state_dict()
    phi = X @ state["features.0.weight"].T + state["features.0.bias"]
    without = phi @ state["linear.weight"][0] + state["linear.bias"]
    with_label = without + (state["embedding.weight"][LABELS] * phi).sum(axis=1)
    assert_close(model(sg.asarray(X), sg.asarray(LABELS)), with_label, rtol=1e-12)
    assert_slopes(lambda: model(sg.asarray(X), sg.asarray(LABELS)), model.parameters())
    unlabelled = discriminator(None)
    unlabelled.load_state_dict({name: x for name, x in state.items() if not name.startswith("embedding")})
    assert_close(unlabelled(sg.asarray(X)), without, rtol=1e-12)


@pytest.mark.equation("gan-projection")
def test_the_best_logit_of_two_labelled_gaussian_worlds_is_a_projection() -> None:
    """p(x, c) = N(x; m_c, I) / 3 against q(x, c) = N(x; k_c, I) / 3: with phi(x) = x the third term is exact.

    log p(x, c) - log q(x, c) = x . (m_c - k_c) - |m_c|^2 / 2 + |k_c|^2 / 2; means of equal lengths leave the
    product only.
    """
    rng = np.random.default_rng(1)
    of_p, of_q = (m / np.linalg.norm(m, axis=1, keepdims=True) for m in rng.normal(size=(2, 3, 3)))
    model = ProjectionDiscriminator(sg.nn.Identity(), 3, 3).to(np.float64)
    state = {"linear.weight": np.zeros((1, 3)), "linear.bias": np.zeros(1), "embedding.weight": of_p - of_q}
    model.load_state_dict(state)
    log_p, log_q = (-((X - means[LABELS]) ** 2).sum(axis=1) / 2 for means in (of_p, of_q))
    assert_close(model(sg.asarray(X), sg.asarray(LABELS)), log_p - log_q, rtol=1e-12)


def test_the_streams_fix_the_weights() -> None:
    for make in (generator, discriminator):
        one, same = make().state_dict(), make().state_dict()
        assert all((one[name] == same[name]).all() for name in one)


@pytest.mark.parametrize("labels", [LABELS[:3], LABELS[:, None]])
def test_labels_of_a_wrong_form(labels: Any) -> None:
    given = sg.asarray(labels)
    for model in (generator(), discriminator()):
        with pytest.raises(ValueError, match=r"labels: got shape .*, expected \(4,\), one for each example"):
            model(sg.asarray(X), given)


@pytest.mark.host_only
def test_a_label_out_of_range() -> None:
    for model in (generator(), discriminator()):
        with pytest.raises(IndexError, match="expected 0 to 2"):
            model(sg.asarray(X), sg.asarray(LABELS + 1))


def test_labels_that_are_missing_or_superfluous() -> None:
    with pytest.raises(ValueError, match="labels: got none, expected one of 3 classes for each example"):
        discriminator()(sg.asarray(X))
    with pytest.raises(ValueError, match="labels: got some, expected none"):
        discriminator(None)(sg.asarray(X), sg.asarray(LABELS))
