"""The semi-supervised VAE: labels that are unknown, samples of a class, and what it refuses."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import SemiSupervisedVAE
from scratchgen.training import fit

X = (np.random.default_rng(0).random((6, 1, 2, 3)) < 0.5).astype(np.float32)


def small(**settings: Any) -> SemiSupervisedVAE:
    return SemiSupervisedVAE((1, 2, 3), 8, 2, 4, rng=RandomStream(0), **settings)


def test_no_labels_are_labels_that_are_all_unknown() -> None:
    model, x = small(), sg.asarray(X)
    unknown = sg.asarray(np.full(6, -1))
    assert model.loss(x, RandomStream(1)).item() == model.loss(x, RandomStream(1), unknown).item()
    assert model.loss_terms(x, RandomStream(1), unknown)["cross-entropy"].item() == 0


def test_probabilities_are_raw_and_add_up_to_one() -> None:
    model, x = small(), sg.asarray(X)
    q = model.classify(x)
    assert type(q) is type(x)
    assert q.shape == (6, 4)
    assert_close(q.sum(axis=1), np.ones(6, np.float32), rtol=1e-5)


def test_samples_of_a_class_differ_from_those_of_another_by_the_class_alone() -> None:
    model = small()
    some, same, others = (sg.asnumpy(model.sample(5, RandomStream(2), labels=y)) for y in (1, [1] * 5, 3))
    assert some.shape == (5, 1, 2, 3)
    np.testing.assert_array_equal(some, same)
    assert (some != others).any()
    assert ((some > 0) & (some < 1)).all()
    assert sg.asnumpy(model.sample(0, RandomStream(0))).shape == (0, 1, 2, 3)
    assert (
        sg.asnumpy(small(likelihood="normal").sample(200, RandomStream(0))).min() < 0
    )  # a mean, no probability


def test_fit_takes_examples_with_and_without_labels() -> None:
    model, labels = small(), np.array([0, -1, 3, -1, -1, 1])
    rows = fit(
        model.loss, (X, labels), sg.optim.Adam(model.parameters(), 1e-2), steps=60, batch_size=6, quiet=True
    )
    assert rows[-1]["loss"] < rows[0]["loss"]


def test_two_clouds_and_two_labels_are_enough() -> None:
    """Four examples of five have no label: the classes are what explains the data best."""
    rng = np.random.default_rng(1)
    truth = np.arange(200) % 2
    x = (rng.random((200, 12)) < np.where(truth[:, None] == (np.arange(12) < 6), 0.9, 0.1)).astype(np.float32)
    labels = np.where(np.arange(200) < 2, truth, -1)
    model = SemiSupervisedVAE(12, 16, 1, 2, alpha=5.0, rng=RandomStream(1))
    fit(
        model.loss,
        (x, labels),
        sg.optim.Adam(model.parameters(), 1e-2),
        steps=150,
        batch_size=200,
        quiet=True,
    )
    found = sg.asnumpy(model.classify(sg.asarray(x))).argmax(axis=1)
    assert np.mean(found == truth) > 0.95


@pytest.mark.host_only  # of arrays on a device the values are not looked at
@pytest.mark.parametrize(("label", "found"), [(4, "0 to 4"), (-2, "-2 to 0")])
def test_a_label_is_a_class_or_minus_one(label: int, found: str) -> None:
    labels = np.array([0, 0, 0, 0, label, 0])
    with pytest.raises(
        ValueError, match=f"labels: got numbers from {found}, expected -1 to 3; -1 is unknown"
    ):
        small().loss(sg.asarray(X), RandomStream(0), labels)


def test_bad_input() -> None:
    model, x = small(), sg.asarray(X)
    with pytest.raises(ValueError, match="labels: got shape"):
        model.loss(x, RandomStream(0), np.array([0, 1]))
    with pytest.raises(TypeError, match="labels"):
        model.loss(x, RandomStream(0), np.zeros(6))
    with pytest.raises(ValueError, match="x: got shape"):
        model.classify(x[:, :, :1])
    with pytest.raises(TypeError, match="rng"):
        model.loss(x)
    for settings, message in (
        ({"shape": 0}, "shape: got 0"),
        ({"classes": 1}, "classes: got 1"),
        ({"hidden_dim": 0}, "hidden_dim: got 0"),
        ({"alpha": -1.0}, "alpha: got"),
        ({"likelihood": "poisson"}, "likelihood: got"),
    ):
        with pytest.raises(ValueError, match=message):
            SemiSupervisedVAE(**{"shape": 4, "hidden_dim": 4, "latent_dim": 2, "classes": 3} | settings)
