"""The lesson on augmentation: the few are drawn evenly, all see as many, verdicts are about differences."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from demos import _augment_models, _augment_page, _augment_scans, augment
from demos._augment_models import Examples
from scratchgen.backend import RandomStream
from scratchgen.training import Run

POOL = Examples(np.random.default_rng(0).random((60, 1, 8, 8)).astype(np.float32), np.arange(60) % 3)


def test_the_few_are_drawn_evenly_and_anew() -> None:
    first, again, other = (POOL.few(4, RandomStream(seed)) for seed in (0, 0, 1))
    assert (np.bincount(first.labels) == 4).all()
    assert len(np.unique(first.flat, axis=0)) == 12
    assert (first.images == again.images).all()
    assert (first.images != other.images).any()


def test_repeated_are_as_many_of_each_class_and_none_is_forgotten() -> None:
    known = POOL.part(np.array([0, 3, 1, 2]))  # two of one class, one of the others
    copies = known.repeated(5)
    assert (np.bincount(copies.labels) == 5).all()
    counts = {
        tuple(row): n for row, n in zip(*np.unique(copies.flat, axis=0, return_counts=True), strict=True)
    }
    assert sorted(counts.values()) == [2, 3, 5, 5]
    options = augment.Options(each=5).settled()
    twisted = augment.distorted(copies, options, RandomStream(0))
    assert len(np.unique(twisted.flat, axis=0)) == 15
    assert (twisted.labels == copies.labels).all()


@pytest.mark.parametrize(
    "drawer", [_augment_models.variational, _augment_models.adversarial, _augment_models.diffusion]
)
def test_models_draw_as_many_of_each_class(drawer: _augment_models.Drawer) -> None:
    drawn = drawer(POOL, 4, 3, RandomStream(0), 0)
    assert drawn.images.shape == (12, 1, 8, 8)
    assert (drawn.labels == np.repeat([0, 1, 2], 4)).all()
    assert 0 <= drawn.images.min() <= drawn.images.max() <= 1


def test_verdicts_are_about_differences_of_the_same_draws() -> None:
    """Draws that differ by much more than ways do: each way is compared draw by draw."""
    real = np.array([0.5, 0.9, 0.7])
    more, less, any_ = np.array([[0.02, 0.03, 0.02], [-0.2, -0.1, -0.2], [0.2, -0.2, 0.01]])
    results: Any = {"real": real, "real + A": real + more, "B alone": real + less, "real + C": real + any_}
    assert _augment_page.gain(results, "real + A") == pytest.approx((7 / 3, 1.4342), rel=1e-4)
    said = _augment_page.said([results, {**results, "real + A": real - 0.1}], ["5 a class", "9 a class"])
    assert said == [
        "real + A: helps with 5 a class (+2.3 ± 1.4); hurts with 9 a class (-10.0 ± 0.0).",
        "B alone: hurts with 5 a class (-16.7 ± 14.3), 9 a class (-16.7 ± 14.3).",
        "real + C: undecided with 5 a class (+0.3 ± 49.7), 9 a class (+0.3 ± 49.7).",
    ]


def test_maps_show_findings_where_healthy_heads_are_dark(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, count in {"HEALTHY": 300, "EACH": 20, "TESTED": 20}.items():
        monkeypatch.setattr(_augment_scans, name, count)
    data = _augment_scans.maps(0)
    assert data.train.shape == (80, 1, 16, 16)
    assert data.class_names == ("healthy", "lesion", "fracture", "bright spots")
    brightest = data.test.max(axis=(1, 2, 3))
    healthy, ill = brightest[data.test_labels == 0], brightest[data.test_labels > 0]
    assert np.median(ill) > 1.5 * np.median(healthy)
    assert np.array_equal(_augment_scans.maps(0).test, data.test)


def test_what_components_explain_is_not_in_the_map() -> None:
    axes = np.eye(16)[:3]
    image = np.zeros((1, 1, 4, 4))
    image[0, 0, 0, :] = [0.9, 0.8, 0.7, 0.06]  # the first three are explained
    found = _augment_scans.unexplained(image, np.zeros(16), axes)
    np.testing.assert_allclose(found, [[[[0, 0.06 / 4 / 0.15], [0, 0]]]], atol=1e-7)


def test_distortions_suit_the_data() -> None:
    heads, digits = augment.Options(data="scans").settled(), augment.Options(turn=0.3).settled()
    assert (heads.shift, heads.turn) == (1.0, np.pi)
    assert (digits.shift, digits.turn) == (0.5, 0.3)


def test_the_page_of_a_quick_run(tmp_path: Path) -> None:
    run = Run("augment", root=tmp_path)
    numbers = augment.lesson(augment.Options(out=tmp_path, quick=True, steps=3, each=10), run)
    page = run.write_report().read_text(encoding="utf-8")
    for known in ("real + distortions", "diffusion alone", "right labels, GAN", "50 a class", "Why."):
        assert known in page
    assert list(numbers) == [f"{way}, 5 a class" for way in ("distortions", "VAE", "GAN", "diffusion")]
