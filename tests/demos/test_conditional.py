"""The lesson on conditional VAEs: its measures on cases whose answers are known, and its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from demos import _conditional_codes as codes, _conditional_page as page, conditional
from scratchgen.models import VAE
from scratchgen.training import Run

pytestmark = pytest.mark.host_only


def test_the_page_has_all_sections(tmp_path: Path) -> None:
    run = Run("conditional", root=tmp_path)
    options = conditional.Options(out=tmp_path, quick=True, steps=2, hidden_dim=8, latent_dim=6)
    found = conditional.lesson(options, run)
    assert found["portraits"][1].shape == (6, 5)
    assert len(found["sweep"]) == len(conditional.LATENTS)
    written = run.write_report().read_text(encoding="utf-8")
    for known in ("Ask for a class", "Do latents mean something?", "From one image", "Fifty images only"):
        assert known in written


def test_labels_are_found_in_codes_that_hold_them() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 600)
    assert codes.label_found(np.eye(3)[labels] + 0.1 * rng.normal(size=(600, 3)), labels) > 0.99
    assert codes.label_found(rng.normal(size=(600, 3)), labels) < 0.45


def test_strokes_tell_how_far_a_digit_leans_and_spreads() -> None:
    upright, leaning, flat = (np.zeros((1, 8, 8)) for _ in range(3))
    upright[0, 1:7, 3] = 1
    leaning[0, [1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1]] = 1  # to the right, as "/"
    flat[0, 3, 2:6] = 1
    ink, slant, width, height = codes.strokes(np.stack([upright, leaning, flat])).T
    assert ink[2] < ink[0] == ink[1]
    assert slant[1] > slant[0]
    assert width[0] < width[2] < width[1]
    assert height[2] < height[0]


def test_a_feature_explains_the_latent_that_it_makes() -> None:
    rng = np.random.default_rng(0)
    features = rng.integers(0, 4, (2000, 2))
    made = features[:, :1] ** 2.0 + 0.1 * rng.normal(size=(2000, 1))
    shares = codes.explained(np.concatenate([made, rng.normal(size=(2000, 1))], axis=1), features)
    assert shares[0, 0] > 0.99
    assert shares[0, 1] < 0.01
    assert shares[1].max() < 0.01


def test_a_path_of_mixed_pixels_is_even_and_its_middle_no_image() -> None:
    data = sg.data.digits()
    found = codes.paths({}, data, pairs=20)
    assert_close(found["pixels"].unevenness, np.ones(20), rtol=1e-5)
    assert found["pixels"].strangeness.mean() > 1.2 * found["test images"].strangeness.mean()
    assert_close(found["pixels"].images[0], data.test[0])
    assert_close(found["pixels"].images[-1], data.test[20])


def test_verdicts_follow_the_numbers() -> None:
    assert "has left" in page.told_text([0.9, 0.12], 0.1)
    assert "has not left" in page.told_text([0.9, 0.8], 0.1)
    rows = [
        {"step": 1, "the fifty": 5.0, "test images": 6.0},
        {"step": 2, "the fifty": 1.0, "test images": 9.0},
    ]
    better = [rows[1], rows[0]]
    assert "Both get worse" in page.few_text({"autoencoder": rows, "VAE": rows})
    assert "The autoencoder gets worse" in page.few_text({"autoencoder": rows, "VAE": better})
    assert "Neither" in page.few_text({"autoencoder": better, "VAE": better})
    falling = [(1, 5.0, 9.0, 1), (2, 4.0, 7.0, 2), (4, 3.0, 8.0, 2)]
    assert "best with 2 latents, and of 4 it uses 2; 4 cost 1.00 nats more" in page.sweep_text(falling)
    style, other = np.full((3, 2), 0.6), np.full((2, 3, 2), 0.3)
    nats = [(9.0, 0.1, 10.0), (9.0, 0.1, 11.0), (9.1, 0.1, 11.0)]
    text = page.axes_text(style, other, nats, style)
    for known in ("3 of 3", "+0.050", "no difference", "1.00 nats worse", "a little more of a name"):
        assert known in text
    text = page.axes_text(other[0], other, [(9.0, 0.1, 10.0), (12.0, 0.1, 10.0), (12.0, 0.1, 10.0)], style)
    for known in ("0 of 3", "a difference.", "Not even the bound", "no more of a name"):
        assert known in text


def test_a_latent_is_moved_and_the_others_are_not() -> None:
    model = VAE.dense((1, 4, 4), 16, 3, rng=sg.RandomStream(0))
    start = np.array([[0.3, -0.2, 0.1]], np.float32)
    found = codes.traversal(model, sg.asarray(start), [1])[1]
    z = np.repeat(start, 9, axis=0)
    z[:, 1] = np.linspace(-2.5, 2.5, 9)
    assert_close(found, model.decode(sg.asarray(z)))
