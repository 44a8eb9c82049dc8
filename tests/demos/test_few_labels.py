"""The lesson on few labels: draws are balanced, learnt weights are carried over, the page has its curves."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from demos import _few_labels_choice, _few_labels_page, _few_labels_ways, _lesson, _weights, few_labels
from scratchgen.backend import RandomStream
from scratchgen.models import VAE, Autoencoder
from scratchgen.training import Run


def test_labels_are_drawn_evenly_and_anew() -> None:
    labels = np.random.default_rng(0).integers(0, 10, 600)
    first, again, other = (few_labels.balanced(labels, 50, RandomStream(seed)) for seed in (0, 0, 1))
    assert (np.bincount(labels[first]) == 5).all()
    assert len(set(first.tolist())) == 50
    assert (first == again).all()
    assert (first != other).any()


def test_the_classifier_begins_with_what_the_autoencoder_has_learnt() -> None:
    options = few_labels.Options(hidden_dim=8, code_dim=4)
    trained = Autoencoder.dense((1, 2, 3), 8, 4, rng=RandomStream(5))
    layers = few_labels.encoder(trained, options, 6, seed=0)
    x = np.random.default_rng(0).random((3, 6)).astype(np.float32)
    code = layers[2](layers[1](layers[0](sg.asarray(x))))
    np.testing.assert_allclose(
        sg.asnumpy(code), sg.asnumpy(trained.encode(sg.asarray(x.reshape(3, 1, 2, 3)))), rtol=1e-6
    )
    fresh = few_labels.encoder(None, options, 6, seed=0)
    assert (sg.asnumpy(fresh[0].weight) != sg.asnumpy(layers[0].weight)).any()


def test_the_interval_of_a_mean_is_students() -> None:
    errors = np.array([[0.1, 0.2, 0.3], [0.2, 0.2, 0.2]])
    assert _few_labels_page.reach(errors) == pytest.approx([4.302653 * 0.1 / np.sqrt(3), 0], abs=1e-6)


def test_the_page_has_all_ways(tmp_path: Path) -> None:
    run = Run("few_labels", root=tmp_path)
    options = few_labels.Options(out=tmp_path, quick=True, steps=2, hidden_dim=16)
    outcome = few_labels.lesson(options, run)
    page = run.write_report().read_text(encoding="utf-8")
    for known in (
        "network from scratch",
        "M1+M2",
        "naive Bayes",
        "logistic regression",
        "What the curves say",
    ):
        assert known in page
    assert outcome.sample(2, RandomStream(0)).shape == (2, 1, 8, 8)


def test_a_learning_rate_is_held_and_then_falls() -> None:
    rate = few_labels.Recipe(held=0.5).rate(2.0, 8)
    assert [rate(step) for step in (0, 3, 4, 6, 8)] == pytest.approx([2, 2, 2, 1, 0])
    assert few_labels.Recipe().rate(2.0, 8)(4) == pytest.approx(1)


def test_the_published_setting_uses_active_codes_and_says_what_each_draw_gave(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On small digits, and with a small VAE of which one latent is idle."""
    vae, seen = VAE.dense((1, 8, 8), 16, 4, rng=RandomStream(0)), []
    vae.encoder[-1].mean.weight.data[...] *= 9
    vae.encoder[-1].mean.weight.data[1] = 0
    monkeypatch.setattr(_weights, "load", lambda name: vae)
    monkeypatch.setattr(_lesson, "images", lambda options: sg.data.digits())
    learn = few_labels.m2
    monkeypatch.setattr(few_labels, "m2", lambda x, *rest: seen.append(x.shape[1]) or learn(x, *rest))
    run = Run("few_labels", root=tmp_path)
    options = few_labels.Options(data="mnist", out=tmp_path, quick=True, steps=2)
    outcome = few_labels.lesson(options, run)
    page = run.write_report().read_text(encoding="utf-8")
    assert seen == [3, 3]
    assert "alone: 3 of them" in page
    assert "3.33" in page
    assert outcome is not None
    assert outcome.sample(2, RandomStream(0)).shape == (2, 1, 8, 8)


def test_settings_are_chosen_without_the_test_images() -> None:
    data, options = sg.data.digits(), few_labels.Options()
    part = _few_labels_choice.left_out(data, options)
    assert len(part.test) == len(data.train) // 5
    assert len(part.train) + len(part.test) == len(data.train)
    train = {image.tobytes() for image in data.train}
    assert all(image.tobytes() in train for image in part.test)
    assert set(_few_labels_choice.GRID) == set(_few_labels_ways.Settings._fields)
    for name, (ways, candidates) in _few_labels_choice.GRID.items():
        assert getattr(_few_labels_ways.DIGITS, name) in candidates
        assert ways


def test_settings_are_chosen_on_the_digits_only() -> None:
    with pytest.raises(SystemExit, match="--choose: got --data mnist"):
        few_labels.Options(data="mnist", choose=True).check()


def test_the_choice_keeps_the_best_candidate_of_each_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grid = {
        "components": (("PCA, nearest neighbour",), (1, 16)),
        "linear_lr": (("logistic regression",), (1e-2,)),
    }
    monkeypatch.setattr(_few_labels_choice, "GRID", grid)
    run = Run("few_labels", root=tmp_path)
    options = few_labels.Options(out=tmp_path, quick=True, steps=2, hidden_dim=16, choose=True)
    assert few_labels.lesson(options, run) is None
    page = run.write_report().read_text(encoding="utf-8")
    assert "No test image was looked at" in page
    assert "components" in page
    assert ">16<" in page
