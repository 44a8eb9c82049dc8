"""One step of `fit` is what it says: loss, backward, clip, schedule, step, average."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen import nn, optim
from scratchgen.backend import RandomStream
from scratchgen.training import Run, fit


def weight(value: float) -> nn.Module:
    module = nn.Linear(1, 1, bias=False)
    module.weight.data[...] = value
    return module


def test_a_step_by_hand() -> None:
    """loss = w x with x = 2: the gradient is 2, clipped to 0.5; rates 0.1 and 0.2 take w from 1 to 0.85."""
    line, rates = weight(1.0), {0: 0.1, 1: 0.2}
    average = optim.ExponentialMovingAverage(line.parameters(), decay=0.0)
    rows = fit(
        lambda batch, rng: line(batch).mean(),
        sg.asarray(np.full((4, 1), 2, np.float32)),
        optim.SGD(line.parameters(), lr=9.0),
        steps=2,
        batch_size=4,
        schedule=rates.__getitem__,
        clip_norm=0.5,
        average=average,
        log_every=1,
    )
    assert line.weight.item() == pytest.approx(0.85)
    assert average.state_dict()["0"].item() == pytest.approx(0.85)
    assert [row["loss"] for row in rows] == pytest.approx([2.0, 1.9])
    assert [row["gradient norm"] for row in rows] == pytest.approx([2.0, 2.0])


def test_epochs_count_the_last_short_batch(line: Any, data: Any) -> None:
    fit(line.loss, data, line.optimiser, epochs=2, batch_size=4)
    assert len(line.seen) == 6


def test_the_term_called_loss_is_minimised(line: Any, data: Any, new_line: Callable[[], Any]) -> None:
    other = new_line()
    fit(line.loss, data, line.optimiser, steps=3)
    fit(lambda batch, rng: other.loss(batch, rng)["loss"], data, other.optimiser, steps=3)
    assert line.state()["model/0.weight"] == other.state()["model/0.weight"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({}, "steps, epochs: got None and None"),
        ({"steps": 1, "epochs": 1}, "steps, epochs: got 1 and 1, expected one of the two"),
    ],
)
def test_how_long_is_said_once(line: Any, data: Any, change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(line.loss, data, line.optimiser, **change)


def test_terms_without_a_loss(line: Any, data: Any) -> None:
    with pytest.raises(ValueError, match="loss: gave the terms kl, expected one of them to be 'loss'"):
        fit(lambda batch, rng: {"kl": line.loss(batch, rng)["loss"]}, data, line.optimiser, steps=1)


def test_a_run_needs_a_model_to_save(line: Any, data: Any, tmp_path: Any) -> None:
    with pytest.raises(ValueError, match="model: needed"):
        fit(line.loss, data, line.optimiser, steps=1, run=Run("line", root=tmp_path))


def test_training_leaves_no_graph_behind(line: Any, data: Any) -> None:
    """What is logged is the number, not the Tensor with all its history."""
    import gc

    kept: list[Any] = []

    def loss(batch: Any, rng: RandomStream) -> Any:
        gc.collect()
        kept.append(sum(isinstance(o, sg.Tensor) and o.origin is not None for o in gc.get_objects()))
        return line.loss(batch, rng)

    fit(loss, data, line.optimiser, steps=4)
    assert kept[1:] == [kept[0]] * 3


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"epochs": -1}, "epochs: got -1, expected a positive whole number"),
        ({"epochs": 1.5}, "epochs: got 1.5, expected a positive whole number"),
        ({"epochs": 1, "batch_size": 0}, "batch_size: got 0, expected a positive whole number"),
    ],
)
def test_epochs_and_batch_size_are_checked(line: Any, data: Any, change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        fit(line.loss, data, line.optimiser, **change)


def test_data_without_length_is_refused(line: Any) -> None:
    with pytest.raises(TypeError, match="data: got int, expected an array of examples"):
        fit(line.loss, 3, line.optimiser, epochs=1)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("loss", "given"),
    [
        (lambda error: 1.5, "float,"),
        (lambda error: {"loss": sg.asarray(np.ones(2, np.float32))}, r"\w+ of shape \(2,\),"),
        (lambda error: error.reshape(1), r"Tensor of shape \(1,\),"),
    ],
)
def test_a_loss_that_is_no_scalar_tensor_is_refused(line: Any, data: Any, loss: Any, given: str) -> None:
    with pytest.raises(TypeError, match=f"loss: got {given} expected a scalar Tensor"):
        fit(lambda batch, rng: loss(line.loss(batch, rng)["loss"]), data, line.optimiser, steps=1)


def test_a_rate_that_is_none_is_refused(line: Any, data: Any) -> None:
    before = line.state()
    for rate, error in ((-1.0, ValueError), (float("nan"), ValueError), ("fast", TypeError)):
        with pytest.raises(error, match=r"schedule: got .*, expected a number in"):
            fit(line.loss, data, line.optimiser, steps=1, schedule=lambda step, rate=rate: rate)
    assert line.state() == before
