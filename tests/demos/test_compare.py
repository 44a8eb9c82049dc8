"""The lesson that compares all models: its worlds' truth, levels and bits, and the page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from demos import _compare_page, compare as lesson
from demos._compare_worlds import Looks, Plane, Road
from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.training import Run


def test_the_cells_of_the_plane_hold_all_that_there_is_and_the_truth_is_near_itself() -> None:
    world = Plane(5000, RandomStream(0))
    assert world.masses.sum() == pytest.approx(1, abs=1e-12)
    assert world.total_variation(world.test) < 0.12 < 0.9 < world.total_variation(world.test / 2)
    with np.errstate(divide="ignore"):
        true = np.log(world.masses)
    assert world.exact_divergence(lambda rows: true[tuple(rows.T)]) == 0
    assert world.exact_divergence(lambda rows: np.full(len(rows), -2 * np.log(64))) == pytest.approx(
        2 * np.log(64) + float(np.sum(world.masses[world.masses > 0] * true[world.masses > 0]))
    )
    assert world.entropy == pytest.approx(-float(np.mean(world.true.log_prob(world.test))), abs=0.05)


def test_cells_and_points_are_told_from_each_other() -> None:
    world = Plane(10, RandomStream(0))
    rows = np.array([[0, 63], [31, 32]])
    assert np.array_equal(world.rows(world.vectors(rows, RandomStream(1))), rows)
    assert world.log_cell == pytest.approx(2 * np.log(6 / 64))


def test_bits_are_looks_only_if_each_attribute_has_one() -> None:
    world = Looks(100, RandomStream(0))
    assert np.array_equal(world.rows(world.observed), world.people)
    assert world.valid(world.observed).all()
    assert not world.new(world.observed).any()
    two_hats = world.observed.copy()
    two_hats[:, :7] = 1
    assert not world.valid(two_hats).any()
    assert world.total_variation(two_hats) == pytest.approx(1)
    assert world.exact_divergence(avatars.log_prob) == 0


def test_scenarios_are_valid_as_often_as_said_and_of_all_kinds() -> None:
    world = Road(2000, RandomStream(0))
    assert world.valid(world.test).mean() == pytest.approx(0.99, abs=0.01)
    assert world.covered(world.test, world.valid(world.test)) == "4 of 4"
    assert world.entropy == pytest.approx(-float(world.true_log_prob(world.test).mean()), abs=0.3)


def test_the_page_says_who_can_say_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        lesson, "worlds", lambda options: [Plane(200, RandomStream(0)), Road(1000, RandomStream(0))]
    )
    run = Run("compare", root=tmp_path)
    lesson.lesson(lesson.Options(out=tmp_path, quick=True, steps=3), run)
    page = run.write_report().read_text(encoding="utf-8")
    for words in ("no: needs levels", "a squared error is no density", "at most", "exactly", "P_data itself"):
        assert words in page


def test_verdicts_on_windows_follow_the_numbers() -> None:
    wrong = _compare_page.stand_in_text({"the truth itself": -5.0, "averages": -4.0, "GAN": -6.0}, -3.0)
    assert "above the truth's own samples are averages" in wrong
    assert "2.00 nats" in wrong
    right = _compare_page.stand_in_text({"the truth itself": -5.0, "GAN": -6.0}, -3.0)
    assert "nobody" in right
