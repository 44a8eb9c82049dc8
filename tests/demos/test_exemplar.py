"""The lesson on exemplars: its pairs of pictures, its reading, its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from demos import _exemplar_page as page, exemplar
from scratchgen.data import avatars
from scratchgen.training import Run


def test_pairs_show_the_same_person_in_other_clothes_and_poses() -> None:
    pairs = exemplar.cases(40, ["eyes", "hair", "hair"], sg.RandomStream(0), evenly=True)
    areas = [int(avatars.region(names).sum()) for names in exemplar.HOLES.values()]
    assert pairs.masks.sum(axis=(1, 2)).tolist() == [areas[min(i % 3, 1)] for i in range(40)]
    poses = [(x, y, m) for x in range(-3, 4) for y in range(-3, 4) for m in (False, True)]
    used = set()
    for row, second in zip(pairs.rows[:12], pairs.exemplars, strict=False):
        looks = avatars.all_looks()[(avatars.all_looks()[:, :3] == row[:3]).all(axis=1)]
        portraits = avatars.draw(looks)[..., 3:-3, 3:-3]  # whatever the shift, this is in the picture
        back = avatars.pose(np.tile(second, (len(poses), 1, 1, 1)), [(-x, -y) for x, y, _ in poses])
        shown = [
            np.flatnonzero((portraits == turned(x, m)).all(axis=(1, 2, 3)))
            for x, (*_, m) in zip(back, poses, strict=True)
        ]
        (match,) = (i for i, found in enumerate(shown) if len(found))
        assert (looks[shown[match][0], 3:] != row[3:]).any()
        used.add(match)
    assert len(used) > 4


def turned(picture: np.ndarray, mirrored: bool) -> np.ndarray:
    """The middle of a picture, with left and right in their places."""
    return (picture[..., ::-1] if mirrored else picture)[:, 3:-3, 3:-3]


def test_a_hidden_region_holds_all_that_its_attributes_change() -> None:
    for names in exemplar.HOLES.values():
        hole = avatars.region(names)
        columns = [avatars.ATTRIBUTES.index(name) for name in names]
        rows = avatars.sample(200, sg.RandomStream(1))
        others = rows.copy()
        for column in columns:
            others[:, column] = (others[:, column] + 1) % avatars.LEVELS[column]
        changed = (avatars.draw(rows) != avatars.draw(others)).any(axis=(0, 1))
        assert not (changed & ~hole).any()


def test_truth_and_copy_are_measured_as_such() -> None:
    test = exemplar.cases(60, ["eyes"], sg.RandomStream(2))
    copied = np.where(test.masks[:, None], test.exemplars, test.images)
    changed = copied + np.float32(1e-3)
    table, right = page.measured(
        {"eyes": test}, {"eyes": {"truth": test.images, "copying": copied, "changed": changed}}
    )
    assert right["eyes", "truth"] == 1.0
    assert right["eyes", "copying"] < 0.8
    assert [row[-1] for row in table[1:4]] == ["the same", "the same", "changed"]
    assert table[1][4] == "0.000"


def test_an_interval_holds_the_rate_and_is_never_a_point() -> None:
    low, high = page.interval(np.ones(50, bool))
    assert 0.9 < low < 0.95
    assert high == pytest.approx(1.0)
    low, high = page.interval(np.arange(400) % 4 == 0)
    assert (low, high) == (pytest.approx(0.21, abs=0.01), pytest.approx(0.295, abs=0.01))


@pytest.mark.host_only
def test_the_page_is_written(tmp_path: Path) -> None:
    run = Run("exemplar", root=tmp_path)
    outcome = exemplar.lesson(exemplar.Options(quick=True, steps=2, people=60), run)
    assert {"eyes: the person's", "hair: L1"} <= set(outcome.numbers)
    written = run.write_report("Exemplar").read_text(encoding="utf-8")
    assert "best guess without an exemplar" in written
    assert "changed" not in outcome.numbers
