"""`--data folder --root DIR`: what is said of wrong options and folders; and lessons learn from pictures."""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

import scratchgen as sg
from demos import _judge, _lesson, _pictures
from scratchgen.training import Run, fit, rehearsing

pytestmark = pytest.mark.host_only

COLOURS = ["naive_bayes", "vae", "autoencoder", "gan", "ddpm", "denoise", "latent_diffusion", "compress"]
GREY = ["few_labels", "anomalies", "gan", "ddpm", "autoregressive", "priors"]


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    module = importlib.import_module("scratchgen.data.folder")  # whose name is its function's, too
    monkeypatch.setattr(module, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setattr(_judge, "QUICK", 2)
    _pictures._loaded.cache_clear()


def draw(folder: Path, count: int, seed: int = 0) -> Path:
    """A folder of small coloured pictures."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(seed)
    for i in range(count):
        Image.fromarray(rng.integers(0, 256, (20, 24, 3)).astype(np.uint8)).save(folder / f"{i}.png")
    return folder


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """Pictures of two classes, in a folder whose name has a blank."""
    for name, count in (("sea", 40), ("alps", 20)):
        draw(tmp_path / "my pictures" / name, count, seed=count)
    return tmp_path / "my pictures"


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Of the lesson below."""


def lesson(options: Options, run: Run) -> None:
    """An autoencoder."""
    data = _lesson.images(options)
    model = sg.models.Autoencoder.dense(data.shape, 4, 2)
    fit(
        model.loss,
        data.train,
        sg.optim.SGD(model.parameters(), 1e-6),
        steps=_lesson.steps(options, 7),
        run=run,
        model=model,
        resume=_lesson.resumption(run),
        quiet=True,
    )


def call(tmp_path: Path, *argv: str) -> None:
    _lesson.main("own", "Own pictures", Options, lesson, [*argv, "--out", str(tmp_path / "out")])


def folder_of(place: Path, *more: str) -> list[str]:
    return ["--data", "folder", "--root", str(place), "--size", "16", *more]


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (["--data", "folder"], "--data folder: got no --root, expected the folder of your pictures there"),
        (["--data", "folder", "--root", ".", "--size", "20"], "--size: got 20, expected 16 to 64"),
        (["--data", "folder", "--root", ".", "--size", "72"], "--size: got 72, expected 16 to 64"),
        (["--root", "."], "--root: got . with --data digits, which needs none"),
        (["--colour"], "--size, --colour: got one with --data digits, expected --data folder"),
        (["--data", "folder", "--root", "nowhere"], "'nowhere' is not a folder"),
    ],
)
def test_options_that_make_no_sense(argv: list[str], said: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=said):
        call(tmp_path, *argv)
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("words", [None, "no picture"])
def test_a_folder_without_pictures_makes_no_run(words: str | None, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    if words:
        (tmp_path / "in" / "a.txt").write_text(words)
    said = "holds 0 pictures, expected two" if words else "hold no files, expected pictures"
    with pytest.raises(SystemExit, match=said):
        call(tmp_path, *folder_of(tmp_path / "in"))
    assert not (tmp_path / "out").exists()


def test_it_says_what_it_found_and_how_long_it_will_take(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (place / "sea" / "broken.png").write_bytes((place / "sea" / "1.png").read_bytes()[:50])
    call(tmp_path, *folder_of(place))
    said = capsys.readouterr()
    assert "left out 1 of 61 files" in said.err
    assert "1x16x16, 256 levels); alps 20, sea 40" in said.out
    assert "Training will take about 10 seconds: 7 steps, by 3 of each." in said.out
    (run,) = (tmp_path / "out").iterdir()
    assert len(Run.reopen(run).metrics()) == 7
    assert f"--root &#x27;{place}&#x27;" in (run / "report.html").read_text(encoding="utf-8")


def test_a_run_goes_on_with_the_same_pictures_only(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call(tmp_path, *folder_of(place, "--steps", "2"))
    (run,) = (tmp_path / "out").iterdir()
    capsys.readouterr()
    call(tmp_path, "--resume", str(run), "--steps", "4")
    assert "Training will take" not in capsys.readouterr().out
    Image.new("RGB", (5, 5), (1, 2, 3)).save(place / "sea" / "0.png")
    with pytest.raises(SystemExit, match=r"other pictures in .* \(60\) than .* \(60\), expected the same"):
        call(tmp_path, "--resume", str(run), "--steps", "6")
    assert len(Run.reopen(run).metrics()) == 4


def test_lessons_that_need_classes_say_so(place: Path) -> None:
    for name in ("few_labels", "anomalies"):
        options: Any = importlib.import_module(f"demos.{name}").Options
        with pytest.raises(SystemExit, match=r"pictures of one kind in .*sea, expected a folder for each"):
            options(data="folder", root=place / "sea", size=16).fetch()
        draw(place / "rare", 1, 5) if name == "few_labels" else None
        with pytest.raises(SystemExit, match=r"got 1 pictures of 'rare' to learn from, expected (2|10) or"):
            options(data="folder", root=place, size=16).fetch()


def test_a_handful_of_pictures_is_not_enough(place: Path, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"got 20 pictures in .*alps, expected 36 or more"):
        call(tmp_path, *folder_of(place / "alps"))


def test_columns_of_classes() -> None:
    assert _pictures.tiled(None, 3) is None
    np.testing.assert_array_equal(_pictures.tiled(np.arange(2), 2), [0, 1, 0, 1])
    images, labels = np.zeros((3, 1, 2, 2), np.float32), np.array([0, 1, 2])
    data = sg.data.Images("own", images, labels, images, labels, 256, ("sea", "alps", "moor"))
    assert _pictures.column_title(data) == "New images; the columns are of sea, alps, moor"


@pytest.mark.parametrize(("name", "colour"), [(n, True) for n in COLOURS] + [(n, False) for n in GREY])
def test_lessons_on_a_folder(name: str, colour: bool, place: Path, tmp_path: Path) -> None:
    """Coloured pictures without classes, and grey ones of two classes; rehearsed, as before a training."""
    module: Any = importlib.import_module(f"demos.{name}")
    given: dict[str, Any] = {"data": "folder", "size": 16, "quick": True, "out": tmp_path / "out"}
    given |= {"root": place / "sea" if colour else place, "colour": colour}
    if name != "naive_bayes":
        given |= {"steps": 1, "batch_size": 8}
    if name in ("vae", "autoencoder", "few_labels", "anomalies", "autoregressive", "priors", "denoise"):
        given["hidden_dim"] = 8
    if name == "few_labels":
        given["seeds"] = 2
    if name in ("ddpm", "latent_diffusion"):
        given["noise_steps"] = 20
    options = module.Options(**given).settled()
    options.fetch()
    run = Run(name, options, root=options.out)
    with rehearsing() as found:
        outcome = module.lesson(options, run)
    assert bool(found.steps) == (name != "naive_bayes")
    assert run.write_report().stat().st_size > 5000
    if isinstance(outcome, _lesson.Outcome):
        assert outcome.sample(2, sg.RandomStream(0)).shape == (2, 3 if colour else 1, 16, 16)
