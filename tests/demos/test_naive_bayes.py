"""The lesson on naive Bayes: its numbers are the course's, and its demonstrations show what they say."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from demos import _naive_bayes_pages, naive_bayes
from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.models import CategoricalNaiveBayes
from scratchgen.training import Run

pytestmark = pytest.mark.host_only  # it counts on the host


def test_the_new_looks_are_new_and_all_different() -> None:
    model = CategoricalNaiveBayes(avatars.LEVELS).fit(avatars.observations())
    looks = naive_bayes.new_looks(model, 10, RandomStream(0))
    numbers = avatars.look_numbers(looks)
    assert looks.shape == (10, 5)
    assert len(set(numbers.tolist())) == 10
    assert not np.isin(numbers, avatars.look_numbers(avatars.observations())).any()


def test_neighbours_that_are_alike_tell_all_and_independent_ones_nothing() -> None:
    rng = np.random.default_rng(0)
    column = rng.integers(0, 2, (5000, 1, 8, 1)).astype(np.float32)
    same = naive_bayes.neighbour_information(np.repeat(column, 3, axis=3))
    assert same == pytest.approx(8 * 2 * np.log(2), rel=1e-3)  # of 8 rows, two pairs each
    assert naive_bayes.neighbour_information(1 - np.repeat(column, 3, axis=3)) == pytest.approx(same)
    free = rng.integers(0, 2, (5000, 1, 8, 3)).astype(np.float32)
    assert 0 <= naive_bayes.neighbour_information(free) < 0.01
    assert naive_bayes.neighbour_information(np.zeros((10, 1, 8, 8))) == 0


def test_shuffled_pixels_are_the_same_at_every_place_and_the_images_are_not() -> None:
    images = sg.data.digits().test
    mixed = _naive_bayes_pages.shuffled_pixels(images, RandomStream(0))
    assert mixed.shape == images.shape
    np.testing.assert_array_equal(np.sort(mixed, axis=0), np.sort(images, axis=0))
    assert (mixed.reshape(len(mixed), -1) != images.reshape(len(images), -1)).any(axis=1).all()
    assert naive_bayes.neighbour_information(mixed) < naive_bayes.neighbour_information(images) / 2


def test_the_page_has_the_numbers_of_the_course(tmp_path: Path) -> None:
    run = Run("naive_bayes", root=tmp_path)
    outcome = naive_bayes.lesson(naive_bayes.Options(out=tmp_path), run)
    page = run.write_report().read_text(encoding="utf-8")
    for known in ("0.005414605", "0.01624381", "6.811422", "3,024", "0.03448276", ">23<"):
        assert known in page
    assert outcome.parameters == 64 * 16
    samples = outcome.sample(20, RandomStream(0))
    assert samples.shape == (20, 1, 8, 8)
    assert set(np.unique(np.round(samples * 16, 4))) <= set(range(17))
