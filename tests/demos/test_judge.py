"""The judge: trained once, kept, and never taken from a file that is not its own."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from demos import _judge, _lesson
from scratchgen.data import Images


@pytest.fixture
def options(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> _lesson.Options:
    monkeypatch.setattr(_judge, "QUICK", 2)
    return _lesson.Options(out=tmp_path, quick=True)


@pytest.fixture
def trainings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The data set of each training so far."""
    names: list[str] = []
    train = _judge.train

    def counted(model: Any, data: Images, settings: Any) -> None:
        names.append(data.name)
        train(model, data, settings)

    monkeypatch.setattr(_judge, "train", counted)
    return names


def few(n: int = 200) -> Images:
    data = sg.data.digits()
    return Images(
        "digits", data.train[:n].copy(), data.train_labels[:n].copy(), data.test, data.test_labels, 17
    )


def only_file(options: _lesson.Options) -> Path:
    (path,) = (options.out / "judges").iterdir()
    return path


def test_it_is_trained_once_and_then_the_same(options: _lesson.Options, trainings: list[str]) -> None:
    data = few()
    first, second = _judge.trained(data, options), _judge.trained(data, options)
    assert trainings == ["digits"]
    x = sg.asarray(data.test[:5])
    assert_close(first.logits(x), second.logits(x))
    again = _judge.trained(data, replace(options, out=options.out / "elsewhere"))
    assert_close(first.logits(x), again.logits(x))  # of the same data and settings it is the same


def test_another_data_set_or_other_settings_have_a_judge_of_their_own(
    options: _lesson.Options, trainings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    _judge.trained(few(200), options)
    _judge.trained(few(150), options)
    relabelled = few(200)
    labels = (relabelled.train_labels + 1) % 10
    _judge.trained(replace(relabelled, train_labels=labels), options)
    monkeypatch.setattr(_judge, "SMALL", replace(_judge.SMALL, lr=1e-3))
    _judge.trained(few(200), options)
    assert len(trainings) == 4
    assert len(list((options.out / "judges").iterdir())) == 4
    _judge.trained(few(200), options)
    assert len(trainings) == 4


@pytest.mark.parametrize("damage", ["a flipped bit", "truncated", "empty", "of other data"])
def test_a_file_that_cannot_be_trusted_is_replaced(
    damage: str, options: _lesson.Options, trainings: list[str]
) -> None:
    _judge.trained(few(), options)
    path = only_file(options)
    whole = path.read_bytes()
    if damage == "a flipped bit":
        at = len(whole) // 2
        path.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
    elif damage == "of other data":
        path.unlink()
        _judge.trained(few(150), options)
        only_file(options).rename(path)
        trainings.pop()
    else:
        path.write_bytes(whole[: len(whole) // 2 if damage == "truncated" else 0])
    _judge.trained(few(), options)
    assert len(trainings) == 2
    assert path.read_bytes() == whole


def test_shifted_images_are_moved_by_a_pixel_to_eight_sides() -> None:
    image = np.zeros((1, 1, 8, 8), np.float32)
    image[0, 0, 3, 4] = 1
    shown = _judge.with_shifts(image)
    assert shown.shape == (16, 1, 8, 8)
    positions = [tuple(map(int, np.argwhere(one[0])[0])) for one in shown]
    assert positions[:8] == [(3, 4)] * 8
    around = {(y, x) for y in (2, 3, 4) for x in (3, 4, 5)} - {(3, 4)}
    assert set(positions[8:]) == around


def test_what_it_says_of_real_images_and_of_noise(tmp_path: Path) -> None:
    data, options = few(), _lesson.Options(out=tmp_path, quick=True)
    real = _judge.judge(data.train, data, options)
    assert list(real) == list(_judge.judge(data.test, data, options))
    assert real["copies"].startswith("100.0%")
    noise = sg.backend.RandomStream(0).uniform((300, 1, 8, 8))
    quality, of_real = _judge.quality(noise, data, options), _judge.quality(data.test, data, options)
    assert quality.frechet > 2 * quality.frechet_real
    assert of_real.frechet < 1e-6
    assert quality.nearest > 2 > of_real.nearest


@pytest.mark.slow
def test_it_knows_the_digits(tmp_path: Path) -> None:
    data = sg.data.digits()
    model = _judge.trained(data, _lesson.Options(out=tmp_path))
    assert _judge.accuracy(model.logits, data.test, data.test_labels) > 0.965
