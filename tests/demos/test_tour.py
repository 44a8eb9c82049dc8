"""The tour: its stops are the lessons, and its table says of each model what was measured."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import scratchgen as sg
from demos import _judge, _lesson, tour
from scratchgen.metrics import SampleQuality


def quality(confident: float) -> SampleQuality:
    shares = np.array([0.25, 0.75])
    return SampleQuality(confident, 0.98, shares, 12.34, 5.6, nearest=1.02, copies=0.03, copies_real=0.0)


def test_every_stop_is_a_lesson_that_hands_over_what_is_compared() -> None:
    assert [stop.folder for stop in tour.STOPS] == ["naive_bayes", "autoencoder", "vae", "gan", "ddpm"]
    for stop in tour.STOPS:
        assert "Outcome" in str(inspect.signature(stop.lesson.lesson).return_annotation)
        assert issubclass(stop.lesson.Options, _lesson.Common)


def test_all_models_are_judged_by_as_many_samples_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = []

    def sample(n: int, rng: sg.backend.RandomStream) -> np.ndarray:
        asked.append(n)
        return np.zeros((n, 1, 8, 8), np.float32)

    monkeypatch.setattr(_judge, "quality", lambda samples, data, options: quality(0.5))
    options, data = tour.Options(quick=True), sg.data.digits()
    outcome = _lesson.Outcome({}, parameters=1234, seconds=5.67, sample=sample)
    drawn = [tour.draw(stop, outcome, data, options).drawn for stop in tour.STOPS]
    assert asked == [100] * len(tour.STOPS)
    assert all(len(it.samples) == asked[0] and it.milliseconds >= 0 for it in drawn)
    before = _lesson.Outcome({}, 1234, 5.67, sample, drawn[0])
    assert tour.draw(tour.STOPS[0], before, data, options).drawn is drawn[0]
    assert len(asked) == len(tour.STOPS)


def test_the_table_has_a_column_for_each_model_and_for_real_images() -> None:
    stop = tour.STOPS[0]
    outcome = _lesson.Outcome({}, 1234, 5.67, lambda n, rng: None)
    drawn = _judge.Drawn(np.zeros((1, 1, 8, 8)), 0.0123, quality(0.5))
    model = tour.Compared(stop, outcome, drawn)
    table = tour.table([("model", model, quality(0.5)), ("real", None, quality(0.98))])
    table = [[cell.replace("\N{NO-BREAK SPACE}", " ") for cell in line] for line in table]
    assert table == [
        ["", "model", "real"],
        ["parameters", "1,234", ""],
        ["training, s", "5.7", ""],
        ["drawing, ms", "0.012", ""],
        ["judge is sure", "50.0%", "98.0%"],
        ["rarest class", "25.0%", "25.0%"],
        ["Fréchet distance", "12.3", "12.3"],
        ["nearest image", "1.02", "1.02"],
        ["copies", "3.0%", "3.0%"],
    ]
