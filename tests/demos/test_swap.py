"""The lesson on face swaps: its reader of poses, and its page."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from demos import _albums, swap
from scratchgen.training import Run


def test_true_pictures_are_read_back() -> None:
    albums = [_albums.album(20, i, sg.RandomStream(0, i)) for i in range(2)]
    found = _albums.read(albums[0].images)
    assert np.abs(found.poses - albums[0].poses)[:, :2].max() < 0.4
    scores = _albums.scores([album.images for album in albums], albums, (0, 1))
    assert scores.shift < 0.15
    assert scores.tilt < 1
    assert scores.person == 1
    wrong = _albums.scores([album.images for album in albums], albums)
    assert wrong.person == 0
    off = [album._replace(poses=album.poses + np.array([0.6, -0.8, 3.0])) for album in albums]
    assert _albums.scores([album.images for album in albums], off, (0, 1)).shift == pytest.approx(1, abs=0.1)


def test_a_pose_is_undone() -> None:
    album = _albums.album(5, 0, sg.RandomStream(1))
    back = _albums.undone(album.images, album.poses)[..., 8:-8, 8:-8]
    assert np.abs(back - _albums.portrait(0)[..., 8:-8, 8:-8]).mean() < 0.05


@pytest.mark.host_only
def test_the_page_is_written(tmp_path: Path) -> None:
    run = Run("swap", root=tmp_path)
    outcome = swap.lesson(swap.Options(quick=True, steps=2, pictures=40), run)
    assert set(outcome.numbers) == {"pose off by", "the other person"}
    assert "two encoders" in run.write_report("Swap").read_text(encoding="utf-8")
