"""Two players in turn: whose gradients move whom, in which order, and that a run goes on exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen import nn, optim
from scratchgen.backend import RandomStream
from scratchgen.models import GAN
from scratchgen.training import CheckpointError, Run, TrainingError, fit_adversarial

STEPS = 8


class Training:
    """A conditional GAN with batch norm, its optimisers and its average."""

    def __init__(self, objective: str = "non-saturating", seed: int = 0) -> None:
        self.model = GAN.convolutional(
            (1, 4, 4), 2, (4,), objective, classes=3, features=5, rng=RandomStream(seed)
        )
        self.discriminator = optim.Adam(self.model.discriminator.parameters(), lr=1e-3, betas=(0.5, 0.9))
        self.generator = optim.Adam(self.model.generator.parameters(), lr=2e-3, betas=(0.5, 0.9))
        self.average = optim.ExponentialMovingAverage(self.model.generator.parameters(), decay=0.9)

    def fit(self, data: Any, steps: int = STEPS, **settings: Any) -> Any:
        settings = {
            "batch_size": 4,
            "seed": 3,
            "average": self.average,
            "schedule": lambda step: 1 / (1 + step),
        } | settings
        return fit_adversarial(self.model, data, self.discriminator, self.generator, steps=steps, **settings)

    def state(self) -> dict[str, Any]:
        parts = vars(self).items()
        return {
            f"{part}/{name}": leaf.tobytes() if hasattr(leaf, "tobytes") else leaf
            for part, stateful in parts
            for name, leaf in stateful.state_dict().items()
        }


@pytest.fixture
def digits() -> Any:
    """Ten images in three classes."""
    x = np.random.default_rng(0).uniform(-1, 1, (10, 1, 4, 4)).astype(np.float32)
    return sg.asarray(x), sg.asarray(np.arange(10) % 3)


class Tug(nn.Module):
    """A game with losses that can be followed by hand: each player has one number."""

    def __init__(self, log: list[Any]) -> None:
        self.mine, self.yours, self.log = nn.Parameter(np.ones(1)), nn.Parameter(np.ones(1)), log

    def discriminator_terms(self, x: Any, rng: RandomStream, labels: Any = None) -> dict[str, Any]:
        self.log.append(("discriminator", len(x), rng.path))
        return {"loss": (self.mine * self.yours * x).mean(), "seen": self.yours.data.sum()}

    def generator_loss(self, n: int, rng: RandomStream, labels: Any = None) -> Any:
        self.log.append(("generator", n, rng.path))
        return (self.yours * self.yours * self.mine).sum() * n


def tug_of_war(steps: int = 1, examples: int = 4, **settings: Any) -> tuple[Tug, list[Any], Any]:
    log: list[Any] = []
    game = Tug(log)
    x = sg.asarray(np.full((examples, 1), 2.0))
    players = (optim.SGD([p], lr=rate) for p, rate in ((game.mine, 0.1), (game.yours, 0.01)))
    rows = fit_adversarial(game, x, *players, steps=steps, **{"batch_size": 4, "log_every": 1} | settings)
    return game, log, rows


def test_a_step_by_hand() -> None:
    """mine = 1 - 0.1 * 2 yours = 0.8; then yours = 1 - 0.01 * 4 * 2 yours * mine = 0.936."""
    game, log, rows = tug_of_war()
    assert_close(game.mine, [0.8])
    assert_close(game.yours, [0.936])
    assert log == [
        ("discriminator", 4, ("step", 0, "discriminator", 0)),
        ("generator", 4, ("step", 0, "generator")),
    ]
    (row,) = rows
    assert row["discriminator loss"] == pytest.approx(2.0)
    assert row["generator loss"] == pytest.approx(3.2)
    assert row["seen"] == 1
    assert game.mine.grad is game.yours.grad is None


def test_several_critic_steps_have_a_batch_and_a_stream_each() -> None:
    game, log, _ = tug_of_war(examples=12, critic_steps=3)
    assert [(who, n, path[2:]) for who, n, path in log] == [
        ("discriminator", 4, ("discriminator", 0)),
        ("discriminator", 4, ("discriminator", 1)),
        ("discriminator", 4, ("discriminator", 2)),
        ("generator", 4, ("generator",)),
    ]
    assert_close(game.mine, [0.4])


@pytest.mark.parametrize(("left", "sizes"), [(6, [2, 2, 2]), (4, [1, 1, 2]), (1, [1])])
def test_what_is_left_of_an_epoch_is_shared_out(left: int, sizes: list[int]) -> None:
    """Twelve examples make the first step; a critic step of no example at all is left out of the second."""
    _, log, _ = tug_of_war(steps=2, examples=12 + left, critic_steps=3)
    assert [n for who, n, path in log if who == "discriminator" and path[1] == 1] == sizes


def test_both_learning_rates_follow_the_schedule() -> None:
    training = Training()
    x = np.zeros((4, 1, 4, 4), np.float32), np.zeros(4, int)
    rates = []
    training.fit(
        tuple(map(sg.asarray, x)),
        steps=3,
        schedule=lambda step: 1 / (1 + step),
        on_step=[lambda step: rates.append((training.discriminator.lr, training.generator.lr))],
    )
    assert_close(np.array(rates), [[1e-3, 2e-3], [5e-4, 1e-3], [1e-3 / 3, 2e-3 / 3]], rtol=1e-12)


@pytest.mark.parametrize(("objective", "critic_steps"), [("non-saturating", 1), ("wasserstein-gp", 2)])
@pytest.mark.parametrize("stop", [1, 3, 7])
def test_n_steps_saved_and_loaded_and_n_more_are_2n_steps_bit_for_bit(
    digits: Any, tmp_path: Path, objective: str, critic_steps: int, stop: int
) -> None:
    settings = {"critic_steps": critic_steps}
    whole, first, second = Training(objective), Training(objective), Training(objective, seed=1)
    rows = whole.fit(digits, log_every=1, **settings)
    run = Run("gan", root=tmp_path)
    first.fit(digits, stop, run=run, log_every=1, **settings)
    resumed = second.fit(digits, run=Run.reopen(run.folder), resume=run.folder, log_every=1, **settings)
    assert second.state() == whole.state()
    assert [row | {"seconds": 0} for row in resumed] == [row | {"seconds": 0} for row in rows]


def test_the_average_follows_the_generator(digits: Any) -> None:
    training = Training()
    training.fit(digits)
    assert training.average.steps == STEPS
    names = {id(p) for p in training.average.parameters}
    assert names == {id(p) for p in training.model.generator.parameters()}


def test_a_checkpoint_of_another_number_of_critic_steps_is_refused(digits: Any, tmp_path: Path) -> None:
    run = Run("gan", root=tmp_path)
    Training().fit(digits, 2, run=run, critic_steps=2)
    with pytest.raises(CheckpointError, match="batch_size was 8, but is 4"):
        Training().fit(digits, run=Run.reopen(run.folder), resume=run.folder)


def test_a_loss_that_is_not_finite_stops_training(digits: Any) -> None:
    training = Training()
    next(training.model.generator.parameters()).data[...] = np.inf
    with (
        np.errstate(all="ignore"),
        pytest.raises(TrainingError, match=r"discriminator loss is nan at (a )?step"),
    ):
        training.fit(digits)


def test_two_optimisers_of_the_same_parameters_are_refused(digits: Any) -> None:
    training = Training()
    with pytest.raises(ValueError, match="got two that share parameters"):
        fit_adversarial(training.model, digits, training.generator, training.generator, steps=1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"critic_steps": 0}, "critic_steps: got 0, expected a positive whole number"),
        ({"batch_size": 2.5}, "batch_size: got 2.5, expected a positive whole number"),
        ({"schedule": lambda step: -1.0}, "schedule: got -1.0, expected a number in"),
    ],
)
def test_wrong_arguments(digits: Any, change: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        Training().fit(digits, **change)
