"""The lesson that draws with weights of the repository: they are what their record says, or refused."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from demos import _gan_pages, _weights, show
from scratchgen.nn import BatchNorm1d, Linear, Sequential
from scratchgen.training import CheckpointError, Run


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the smallest file, and of the record."""
    for name in (_weights.RECORD, "ddpm.npz"):
        shutil.copy(_weights.FOLDER / name, tmp_path)
    return tmp_path


def test_each_file_is_the_one_of_the_record_and_together_they_are_small() -> None:
    known = _weights.record()
    assert set(known) == set(_weights.MAKERS) == {path.stem for path in _weights.FOLDER.glob("*.npz")}
    files = {name: (_weights.FOLDER / f"{name}.npz").read_bytes() for name in known}
    assert {name: hashlib.sha256(content).hexdigest() for name, content in files.items()} == {
        name: about.sha256 for name, about in known.items()
    }
    assert sum(map(len, files.values())) < 4e6
    for about in known.values():
        assert about.command.startswith("python3 demos ")
        assert "/" not in about.command
        assert about.steps > 0
        assert len(about.commit) >= 7


@pytest.mark.parametrize("damage", ["flipped", "cut", "empty", "missing"])
def test_a_damaged_file_is_named(folder: Path, damage: str) -> None:
    path = folder / "ddpm.npz"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    if damage == "missing":
        path.unlink()
    else:
        path.write_bytes({"flipped": content, "cut": content[:-100], "empty": b""}[damage])
    with pytest.raises(CheckpointError, match=r"ddpm\.npz: (damaged|cannot be read)"):
        _weights.load("ddpm", folder)


def test_weights_of_another_network_are_refused(folder: Path) -> None:
    known = json.loads((folder / _weights.RECORD).read_text())
    (folder / "vae-plane.npz").write_bytes((folder / "ddpm.npz").read_bytes())
    known["vae-plane"]["sha256"] = known["ddpm"]["sha256"]
    (folder / _weights.RECORD).write_text(json.dumps(known))
    with pytest.raises(CheckpointError, match="does not fit"):
        _weights.load("vae-plane", folder)


@pytest.mark.parametrize("text", ["", "[]", '{"ddpm": {"title": "x"}}', None])
def test_a_damaged_record_is_named(folder: Path, text: str | None) -> None:
    path = folder / _weights.RECORD
    path.unlink() if text is None else path.write_text(text)
    with pytest.raises(CheckpointError, match=r"weights\.json: cannot be read"):
        _weights.load("ddpm", folder)


def test_half_precision_comes_back_as_what_the_module_computes_with() -> None:
    rng = sg.RandomStream(0)
    before = Sequential(Linear(5, 3, rng=rng), BatchNorm1d(3))
    after = Sequential(Linear(5, 3, rng=rng.child(1)), BatchNorm1d(3))
    halves = _weights.HalfPrecision(before).state_dict()
    _weights.HalfPrecision(after).load_state_dict(halves)
    assert {array.dtype.kind for array in halves.values()} <= {"f", "i"}
    for parameter, given in zip(after.parameters(), before.parameters(), strict=True):
        assert parameter.dtype == np.float32
        kept = sg.asnumpy(given.data).astype(np.float16).astype(np.float32)
        np.testing.assert_array_equal(sg.asnumpy(parameter.data), kept)


def test_a_number_is_written_and_the_page_says_from_what(tmp_path: Path, capsys) -> None:
    run = Run("show", root=tmp_path)
    options = show.Options(number="72", rows=1, steps=5, quick=True)
    artists = show.lesson(options, run)
    printed = capsys.readouterr().out
    assert [artist.name for artist in artists] == ["vae", "gan", "ddpm"]
    assert sum(0x2800 < ord(letter) < 0x2900 for letter in printed) > 20  # Braille, with dots
    page = run.write_report("Show").read_text(encoding="utf-8")
    for about in _weights.record().values():
        assert about.sha256 in page
        assert about.command in page


def test_digits_are_those_that_were_asked_for() -> None:
    found = {
        one.name: one.draw(10, sg.RandomStream(3), np.arange(10)) for one in show.artists(show.Options())
    }
    for images in found.values():
        assert images.shape == (10, *_weights.SHAPE)
        assert images.min() >= 0
        assert images.max() <= 1
        assert 0.03 < images.mean() < 0.35  # ink on paper
    ink = {name: images.sum(axis=(1, 2, 3)) for name, images in found.items()}
    assert ink["gan"][1] < ink["gan"][0]
    assert ink["ddpm"][1] < ink["ddpm"][0]


@pytest.mark.parametrize(
    "words", [["--number", "12a"], ["--number", ""], ["--rows", "0"], ["--steps", "1001"]]
)
def test_what_cannot_be_drawn_is_refused(words: list[str], tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=f"{words[0]}: got"):
        show.main([*words, "--out", str(tmp_path)])
    assert not list(tmp_path.iterdir())


def test_arcs_are_as_long_as_noise() -> None:
    start, end = sg.asnumpy(sg.RandomStream(0).normal((2, 3, 4)))
    way = _gan_pages.arcs(start, end, columns=7)
    np.testing.assert_allclose(way[:, 0], start, atol=1e-6)
    np.testing.assert_allclose(way[:, -1], end, atol=1e-6)
    np.testing.assert_allclose(way[:, 3], (start + end) / np.sqrt(2), atol=1e-6)
