"""The lesson on anomalies: maps add up to scores, baselines are what they say, the page has its tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from demos import _anomalies_others, _anomalies_page, anomalies
from scratchgen.backend import RandomStream
from scratchgen.metrics import auroc
from scratchgen.models import Autoencoder
from scratchgen.training import Run

RNG = np.random.default_rng(0)
HEALTHY, SEEN = RNG.random((60, 1, 4, 4)).astype(np.float32), RNG.random((7, 1, 4, 4)).astype(np.float32)


def test_the_map_of_an_autoencoder_adds_up_to_its_score() -> None:
    model = Autoencoder.dense((1, 4, 4), 8, 2, rng=RandomStream(0))
    found = anomalies.scores(anomalies.error_map(model)(SEEN))
    np.testing.assert_allclose(found, sg.asnumpy(model.anomaly_score(sg.asarray(SEEN))), rtol=1e-5)


def test_baselines_against_their_definitions() -> None:
    maps = _anomalies_others.baselines(HEALTHY, sizes=(3, 16))
    flat, seen = HEALTHY.reshape(60, -1).astype(float), SEEN.reshape(7, -1).astype(float)
    squares = ((seen[:, None] - flat) ** 2).sum(axis=2)
    nearest = np.sort(squares, axis=1)[:, : _anomalies_others.NEIGHBOURS].mean(axis=1)
    np.testing.assert_allclose(anomalies.scores(maps["5 nearest healthy"](SEEN)), nearest, rtol=1e-5)
    away = seen - flat.mean(axis=0)
    _, _, axes = np.linalg.svd(flat - flat.mean(axis=0), full_matrices=False)
    left = (away**2).sum(axis=1) - ((away @ axes[:3].T) ** 2).sum(axis=1)
    np.testing.assert_allclose(anomalies.scores(maps["PCA, 3 components"](SEEN)), left, rtol=1e-4)
    assert anomalies.scores(maps["PCA, 16 components"](SEEN)).max() < 1e-9  # all of them copy everything
    pixelwise = (away**2 / (flat.var(axis=0) + 1e-3)).sum(axis=1)
    np.testing.assert_allclose(anomalies.scores(maps["each pixel by itself"](SEEN)), pixelwise, rtol=1e-5)


def test_asked_together_each_counts_alike() -> None:
    quiet, loud = (lambda x: 1.0 * x), (lambda x: 1000.0 * x[:, :, ::-1])
    found = anomalies.together([quiet, loud], HEALTHY)(SEEN)
    np.testing.assert_allclose(found, (SEEN + SEEN[:, :, ::-1]) / 2 / HEALTHY.mean(), rtol=1e-5)


def test_an_interval_holds_the_area() -> None:
    score, unusual = RNG.normal(size=80) + np.repeat([0.0, 1.0], 40), np.arange(80) >= 40
    found = _anomalies_page.interval(auroc, score, unusual, resamples=50)
    assert found.value == pytest.approx(auroc(score, unusual))
    assert found.lower < found.value < found.upper


def test_the_page_has_its_tables_and_maps(tmp_path: Path) -> None:
    run = Run("anomalies", root=tmp_path)
    options = anomalies.Options(out=tmp_path, quick=True, steps=2, hidden_dim=16)
    outcome = anomalies.lesson(options, run)
    page = run.write_report().read_text(encoding="utf-8")
    for known in (
        "each pixel by itself",
        "bound",
        "view",
        "When it fails",
        "map of errors",
        "missed, of 100 ill",
    ):
        assert known in page
    assert outcome.sample(2, RandomStream(0)).shape == (2, 1, 32, 32)
