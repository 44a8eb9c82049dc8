"""The lesson on denoising: damage is what it says it is, and the page has its tables."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from demos import _denoise_page, denoise
from scratchgen.backend import RandomStream
from scratchgen.training import Run

GREY = np.full((500, 1, 8, 8), 0.5, np.float32)


def damaged(kind: str, strength: float) -> np.ndarray:
    return sg.asnumpy(denoise.damage(sg.asarray(GREY), kind, strength, RandomStream(0)))


def test_damage_is_as_strong_as_it_says() -> None:
    assert np.std(damaged("Gaussian", 0.3)) == pytest.approx(0.3, rel=0.02)
    salted = damaged("salt and pepper", 0.3)
    assert np.mean(salted == 0) == pytest.approx(0.15, abs=0.01)
    assert np.mean(salted == 1) == pytest.approx(0.15, abs=0.01)
    assert np.mean(salted == 0.5) == pytest.approx(0.7, abs=0.01)
    one, four = damaged("missing patches", 1.0), damaged("missing patches", 4.0)
    assert (np.sum(one == 0, axis=(1, 2, 3)) == 9).all()  # one square of 3 x 3
    assert (one[:, :, 0, 0] == 0).any()
    assert (one[:, :, 7, 7] == 0).any()
    assert 20 < np.mean(np.sum(four == 0, axis=(1, 2, 3))) < 36  # they overlap


def test_each_image_may_have_its_own_strength() -> None:
    strengths = np.array([0.0, 1.0])
    x = denoise.damage(sg.asarray(GREY[:2]), "Gaussian", strengths, RandomStream(0))
    assert (sg.asnumpy(x)[0] == 0.5).all()
    assert np.std(sg.asnumpy(x)[1]) > 0.5


def test_the_best_affine_map_is_better_than_what_came() -> None:
    data = sg.data.digits()
    for kind in denoise.STRENGTHS:
        strength = denoise.STRENGTHS[kind][1]
        y = sg.asnumpy(denoise.damage(sg.asarray(data.test[:100]), kind, strength, RandomStream(1)))
        found = _denoise_page.linear(kind, strength, y, data.train)
        assert denoise.quality(found, data.test[:100]) > denoise.quality(y, data.test[:100]) + 1


def test_the_page_has_its_tables_and_pictures(tmp_path: Path) -> None:
    run = Run("denoise", root=tmp_path)
    outcome = denoise.lesson(denoise.Options(out=tmp_path, steps=2, hidden_dim=16, batch_size=16), run)
    page = run.write_report().read_text(encoding="utf-8")
    for known in ("local Wiener", "best linear", "missing patches", "When it fails", "trained against"):
        assert known in page
    assert outcome.sample(3, RandomStream(0)).shape == (3, 1, 8, 8)
