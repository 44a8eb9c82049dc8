"""One step of `fit` is what it says: loss, backward, clip, schedule, step, average."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen import models, nn, optim
from scratchgen.backend import RandomStream
from scratchgen.training import Run, fit, load_checkpoint


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
    with pytest.raises(ValueError, match="model: got None, expected the model, for the checkpoints"):
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
    with pytest.raises(TypeError, match="data: got int, expected an array or Tensor"):
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
    for rate in (-1.0, float("nan"), "fast"):
        with pytest.raises(ValueError, match=r"schedule: got .*, expected a number in"):
            fit(line.loss, data, line.optimiser, steps=1, schedule=lambda step, rate=rate: rate)
    assert line.state() == before


def vae() -> Any:
    return models.VAE.dense(6, 8, 2, rng=RandomStream(0))


@pytest.fixture
def digits() -> Any:
    return sg.asarray((np.random.default_rng(0).random((10, 6)) < 0.5).astype(np.float32))


def test_a_models_loss_is_enough_and_its_model_is_saved(digits: Any, tmp_path: Any) -> None:
    model, other, run = vae(), vae(), Run("vae", root=tmp_path)
    rows = fit(model.loss, digits, optim.Adam(model.parameters()), epochs=2, batch_size=4, run=run)
    same = fit(
        lambda x, rng: other.loss(x, rng), digits, optim.Adam(other.parameters()), steps=6, batch_size=4
    )
    assert [row["loss"] for row in rows] == [row["loss"] for row in same]
    assert load_checkpoint(run.checkpoint, model=other).parts == {"model": "VAE", "optimiser": "Adam"}
    assert all(
        (a == b).all() for a, b in zip(model.state_dict().values(), other.state_dict().values(), strict=True)
    )


def test_a_loss_with_labels_gets_them_apart(data: Any) -> None:
    layer, seen = nn.Linear(3, 1), []

    def loss(x: Any, rng: RandomStream, labels: Any = None) -> Any:
        seen.append(None if labels is None else sg.asnumpy(labels).tolist())
        return (layer(x) ** 2).mean()

    settings: dict[str, Any] = {"steps": 1, "batch_size": 10}
    fit(loss, (data, data[:, 0]), optim.SGD(layer.parameters()), **settings)
    fit(loss, data, optim.SGD(layer.parameters()), **settings)
    assert sorted(seen[0]) == list(range(10))
    assert seen[1] is None
    with pytest.raises(ValueError, match=r"data: got 3 arrays, expected x or \(x, labels\)"):
        fit(loss, (data, data, data), optim.SGD(layer.parameters()), **settings)


def test_a_model_or_what_is_no_function_for_a_loss(digits: Any) -> None:
    model = vae()
    with pytest.raises(
        TypeError, match=r"loss: got a VAE, expected its loss: fit\(model\.loss, data, optimiser\)"
    ):
        fit(model, digits, optim.Adam(model.parameters()), epochs=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="loss: got ndarray, expected a function of a batch"):
        fit(np.zeros(3), digits, optim.Adam(model.parameters()), epochs=1)  # type: ignore[arg-type]
    with pytest.raises(
        TypeError, match=r"optimiser: got \w+, expected Optimizer, for example sg\.optim\.Adam"
    ):
        fit(model.loss, digits, model.parameters(), epochs=1)  # type: ignore[arg-type]


def test_validation_is_the_mean_over_all_examples_in_evaluation_and_changes_nothing(data: Any) -> None:
    def train(**validation: Any) -> tuple[list[Any], Any]:
        model = nn.Sequential(nn.Linear(3, 4), nn.Dropout(0.5), nn.Linear(4, 1)).initialise(RandomStream(0))

        def loss(x: Any, rng: RandomStream) -> dict[str, Any]:
            error = (model(x) ** 2).mean()
            return {"loss": error, "noise": rng.normal()}

        optimiser = optim.SGD(model.parameters(), lr=0.01)
        return fit(
            loss, data, optimiser, steps=8, batch_size=4, model=model, log_every=8, **validation
        ), model

    held_out = data[:7] + 1
    rows, model = train(validation=held_out)
    assert [row["step"] for row in rows if "validation loss" in row] == [3, 6, 8]
    expected = (sg.asnumpy(model.eval()(held_out)) ** 2).mean()
    assert rows[-1]["validation loss"] == pytest.approx(expected, rel=1e-6)
    assert len({row["validation noise"] for row in rows}) == 1
    plain, other = train()
    assert rows[-1]["loss"] == plain[-1]["loss"]
    assert model.state_dict()["0.weight"].tobytes() == other.state_dict()["0.weight"].tobytes()
    assert other.training
    rows, _ = train(validation=held_out, validate_every=5)
    assert [row["step"] for row in rows if "validation loss" in row] == [5, 8]


@pytest.mark.parametrize(
    ("validation", "error", "message"),
    [
        ([1.0], TypeError, "validation: got list, expected an array or Tensor"),
        (np.zeros((0, 6), np.float32), ValueError, "validation: got 0 examples, expected at least one"),
    ],
)
def test_validation_data_is_checked(
    digits: Any, validation: Any, error: type[Exception], message: str
) -> None:
    model = vae()
    with pytest.raises(error, match=message):
        fit(model.loss, digits, optim.Adam(model.parameters()), epochs=1, validation=validation)


def test_validation_needs_a_model(line: Any, data: Any) -> None:
    with pytest.raises(ValueError, match="model: got None, expected the model, for"):
        fit(line.loss, data, line.optimiser, steps=1, validation=data)
