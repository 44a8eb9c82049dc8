"""A rehearsal takes three steps of each training, and says how long all would take."""

from __future__ import annotations

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.models import GAN
from scratchgen.training import Rehearsal, current_rehearsal, every, fit, fit_adversarial, rehearsing

X = np.random.default_rng(0).random((9, 2)).astype(np.float32)


def test_each_training_takes_three_steps_and_is_noted() -> None:
    model, gan = sg.models.Autoencoder.dense(2, 4, 1), GAN.dense(2, 4, 2)
    players = [sg.optim.Adam(p.parameters()) for p in (gan.discriminator, gan.generator)]
    seen: list[int] = []
    with rehearsing() as found:
        optimiser = sg.optim.Adam(model.parameters())
        rows = fit(model.loss, X, optimiser, steps=500, on_step=[every(100, seen.append)])
        fit(model.loss, X, sg.optim.Adam(model.parameters()), steps=2)
        fit_adversarial(gan, X, *players, steps=70)
    assert rows[-1]["step"] == 3
    assert seen == [1, 2, 3]
    assert every(5, lambda step: step)(3) is None
    assert found.steps == [500, 2, 70]
    assert all(seconds > 0 for seconds in found.seconds)
    fit(model.loss, X, sg.optim.Adam(model.parameters()), steps=4, quiet=True, on_step=[seen.append])
    assert seen[-1] == 4  # it is over
    assert len(found.steps) == 3


def test_the_pace_is_that_of_the_fastest_step_after_the_first() -> None:
    found = Rehearsal()
    found.note(1000, [10.0, 0.5, 0.2])
    found.note(10, [3.0])  # of a single step nothing is known but that it was short
    assert found.steps == [1000, 10]
    assert found.seconds == pytest.approx([200.0, 0.0])


def test_it_ends_with_an_error_too() -> None:
    with pytest.raises(ZeroDivisionError), rehearsing():
        raise ZeroDivisionError
    assert current_rehearsal() is None
