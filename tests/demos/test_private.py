"""The lesson on privacy: noise as large as promised, members' scores, verdicts that follow the numbers."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from demos import _private_mnist, _private_models, _private_page, _private_sources, private
from scratchgen.backend import RandomStream
from scratchgen.data import Images, digits
from scratchgen.metrics import noise_needed
from scratchgen.metrics.bootstrap import Estimate
from scratchgen.networks import MLP
from scratchgen.nn import functional as F
from scratchgen.training import Run

BLACK = np.zeros((40, 1, 2, 2), np.float32)
FEW = Images("black", BLACK, np.arange(40) % 10, BLACK, np.arange(40) % 10, levels=17)


def test_counts_have_the_noise_that_epsilon_needs(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of black pictures no pixel is white: what is drawn white is noise of sigma times the longest row."""
    monkeypatch.setattr(_private_sources, "FRESH", 20_000)
    images, labels = _private_sources.naive_bayes(FEW, np.inf, private.Options(), 0)
    assert images.shape == (20_000, 4)
    assert abs(images.mean() - 0.02) < 0.005  # probabilities are kept within 0.02 and 0.98
    seen = []

    class Entropy:
        def standard_normal(self, shape: tuple[int, ...]) -> np.ndarray:
            seen.append(shape)
            return np.full(shape, 1.0)

    monkeypatch.setattr(np.random, "default_rng", Entropy)
    images, labels = _private_sources.naive_bayes(FEW, 2.0, private.Options(), 0)
    noise = noise_needed(2.0, 1.0, 1, 1e-5) * 0.75 * np.sqrt(5)
    assert seen == [(10, 5)]
    assert abs(images.mean() - noise / (4 + noise)) < 0.01  # of four pictures a class
    assert (np.bincount(labels) == 2000).all()


def test_nobody_can_repeat_who_was_in_which_batch() -> None:
    seen: list[list[float]] = []
    for _ in range(2):
        network = MLP([1, 2], rng=RandomStream(0))
        rows: list[float] = []

        def loss(batch: Any, rng: RandomStream, network: Any = network, rows: list[float] = rows) -> Any:
            rows.extend(sg.asnumpy(batch[0])[:, 0])
            return F.cross_entropy(network(batch[0]), batch[1])

        data = np.arange(200, dtype=np.float32)[:, None], np.zeros(200, np.int64)
        optimiser = sg.optim.SGD(network.parameters(), 0.1)
        private.train_privately(loss, network, optimiser, data, (0.3, 3, np.inf), private.Options())
        seen.append(rows)
    assert seen[0] != seen[1]
    assert 100 < len(seen[0]) < 260  # of 180 expected


def test_what_no_noise_can_promise_is_said_in_a_line() -> None:
    with pytest.raises(SystemExit, match=r"--epsilon: got 1e-09, expected more"):
        private.noise(1e-9, 0.2, 100, 1e-5)
    with pytest.raises(SystemExit, match=r"--delta: got 2\.0, expected"):
        private.noise(1.0, 0.2, 100, 2.0)


def test_a_longer_row_is_clipped() -> None:
    """A white picture of 4 pixels has a row of length sqrt(5): it counts for three quarters."""
    white = Images("white", BLACK + 1, FEW.train_labels, BLACK, FEW.test_labels, levels=17)
    images, _ = _private_sources.naive_bayes(white, np.inf, private.Options(), 0)
    assert images.mean() > 0.9  # and the number of pictures with it


def test_the_score_is_the_log_probability_of_the_label() -> None:
    network = MLP([3, 4], rng=RandomStream(0))
    x = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    labels = np.array([0, 1, 2, 3, 0])
    logits = np.asarray(sg.asnumpy(network(sg.asarray(x)).data), np.float64)
    expected = [np.log(np.exp(row)[y] / np.exp(row).sum()) for row, y in zip(logits, labels, strict=True)]
    np.testing.assert_allclose(_private_models.losses(network)(x, labels), expected, rtol=1e-5)


def test_chance_is_below_few_scores_and_near_nothing_for_many() -> None:
    assert _private_page.by_chance(50, 50) > 0.15
    assert _private_page.by_chance(20_000, 20_000, draws=40) < 0.02


def private_row(accuracy: float, learnt: float, advantage: float) -> _private_page.Private:
    two = np.array([0.99, 1.01])
    return _private_page.Private(
        accuracy * two, advantage * two, {"naive Bayes": learnt * two, "a VAE": (0.9 - learnt) * two}
    )


def test_verdicts_follow_the_numbers() -> None:
    found = {
        1.0: private_row(0.7, 0.8, 0.1),
        8.0: private_row(0.9, 0.4, 0.2),
        np.inf: private_row(0.95, 0.3, 0.6),
    }
    said = _private_page.verdicts(found, private.Options(seeds=2))
    assert "25.0 with epsilon 1; 5.0 with epsilon 8" in said
    assert (
        "naive Bayes is the better source with epsilon 1; a VAE is the better source with epsilon 8" in said
    )
    assert "in 2 of 3 rows" in said
    assert "advantage is below it" in said
    assert "epsilon of 54 in his hands" in said  # 3 models, twice, 1 + 8
    found[1.0] = private_row(0.7, 0.8, 0.7)
    assert "advantage is above it with epsilon 1;" in _private_page.verdicts(found, private.Options())


def test_what_the_attacks_say_is_of_the_numbers(tmp_path: Path) -> None:
    attack = _private_models.Attack("VAE", "bound", lambda x, y: x[:, 0])
    leak = _private_page.Leak(attack, Estimate(0.5, 0.4, 0.6), None)
    nothing = leak._replace(advantage=Estimate(0.05, 0.0, 0.1))
    run = Run("private", root=tmp_path)
    numbers = _private_page.said({100: [leak], 1000: [nothing]}, {100: 0.2, 1000: 0.1}, run)
    page = run.write_report().read_text(encoding="utf-8")
    assert "Of 100 pictures: more than chance is found out of 1 of 1: VAE (bound) 0.50." in page
    assert "Of 1,000 pictures: more than chance is found out of 0 of 1. Not of VAE (bound)." in page
    assert "More pictures protect" in page
    assert numbers["worst leak of 100"] == "0.50"


def test_the_page_of_a_quick_run(tmp_path: Path) -> None:
    run = Run("private", root=tmp_path)
    options = private.Options(out=tmp_path, quick=True, steps=2, seeds=2).settled()
    private.lesson(options, run)
    page = run.write_report().read_text(encoding="utf-8")
    for known in ("What leaks", "useless scores", "no guarantee", "epsilon 0.5", "For whom", "a VAE"):
        assert known in page
    assert len(digits().test) == 297
    assert re.search(r"297 real\s+test pictures", page)


def test_mnist_is_trained_for_the_guarantee_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    images = np.random.default_rng(0).random((64, 1, 28, 28)).astype(np.float32)
    tiny = Images("mnist", images, np.arange(64) % 10, images[:20], np.arange(20) % 10, levels=256)
    monkeypatch.setattr(private._lesson, "images", lambda options: tiny)
    monkeypatch.setattr(_private_mnist, "LOT", 16)
    run = Run("private", root=tmp_path)
    options = private.Options(data="mnist", epsilon=3.0, steps=2).settled()
    assert options.clip_norm == 0.1
    assert list(private.lesson(options, run)) == ["accuracy at epsilon 3"]
