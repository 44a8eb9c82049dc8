"""The loop: which batches, which random numbers, what is logged, and that it goes on as if never stopped."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen import nn, optim
from scratchgen.backend import RandomStream
from scratchgen.training import (
    CheckpointError,
    Run,
    TrainingError,
    every,
    fit,
    load_checkpoint,
    save_checkpoint,
    saver,
    train,
)
from scratchgen.training.interrupt import interruptible, stop_after

STEPS = 8  # of 4, 4 and 2 examples: two epochs and two thirds


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return Run("line", root=tmp_path)


def fit_line(line: Any, data: Any, steps: int = STEPS, **settings: Any) -> Any:
    settings = {
        "batch_size": 4,
        "seed": 3,
        "clip_norm": 1.0,
        "schedule": lambda step: 0.01 / (1 + step),
    } | settings
    return fit(
        line.loss, data, line.optimiser, steps=steps, model=line.model, average=line.average, **settings
    )


def test_every_epoch_is_every_example_once_in_an_order_of_its_own(line: Any, data: Any) -> None:
    fit_line(line, data)
    assert [len(batch) for batch in line.seen] == [4, 4, 2, 4, 4, 2, 4, 4]
    epochs = [sum(line.seen[i : i + 3], ()) for i in (0, 3)]
    assert sorted(epochs[0]) == sorted(epochs[1]) == list(range(10))
    assert epochs[0] != epochs[1]


def test_the_streams_are_those_of_the_documentation(data: Any) -> None:
    paths, first = [], []
    train(
        lambda batch, rng: (paths.append((rng.seed, rng.path)), first.append(batch), {"loss": 0.0})[-1],
        data,
        steps=2,
        batch_size=4,
        seed=7,
    )
    assert paths == [(7, ("step", 0)), (7, ("step", 1))]
    expected = RandomStream(7, "batch", 0).permutation(10)[:4]
    np.testing.assert_array_equal(sg.asnumpy(first[0])[:, 0], expected)


@pytest.mark.parametrize("stop", range(1, STEPS))
def test_n_steps_saved_and_loaded_and_n_more_are_2n_steps_bit_for_bit(
    new_line: Callable[[], Any], data: Any, tmp_path: Path, stop: int
) -> None:
    whole, first, second = new_line(), new_line(), new_line()
    fit_line(whole, data)
    fit_line(first, data, stop, run=Run("line", root=tmp_path))
    (folder,) = tmp_path.iterdir()
    for parameter in second.model.parameters():
        parameter.data += 1  # nothing but the checkpoint can bring the right state
    fit_line(second, data, resume=folder)
    assert second.state() == whole.state()
    assert first.seen + second.seen == whole.seen


def test_a_resumed_run_has_the_metrics_of_an_uninterrupted_one(
    new_line: Callable[[], Any], data: Any, tmp_path: Path
) -> None:
    whole = fit_line(new_line(), data, log_every=1)
    run = Run("line", root=tmp_path)
    fit_line(new_line(), data, 3, run=run, log_every=1)
    saved = run.checkpoint.read_bytes()
    fit_line(new_line(), data, 6, run=Run.reopen(run.folder), resume=run.folder, log_every=1)
    run.checkpoint.write_bytes(saved)  # as if killed after six steps, the last checkpoint after three
    rows = fit_line(new_line(), data, run=Run.reopen(run.folder), resume=run.folder, log_every=1)
    assert rows == run.metrics()
    assert [(row["step"], row["loss"]) for row in rows] == [(row["step"], row["loss"]) for row in whole]
    seconds = [row["seconds"] for row in rows]
    assert seconds == sorted(seconds)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"seed": 4}, "seed was 3, but is 4"),
        ({"batch_size": 5}, "batch_size was 4, but is 5"),
    ],
)
def test_resuming_with_another_order_of_examples_is_refused(
    line: Any, data: Any, run: Run, change: Any, message: str
) -> None:
    fit_line(line, data, 2, run=run)
    before = line.state()
    with pytest.raises(CheckpointError, match=message):
        fit_line(line, data, resume=run.folder, **change)
    with pytest.raises(CheckpointError, match="examples was 10, but is 9"):
        fit_line(line, data[:9], resume=run.folder)
    assert line.state() == before


def test_resuming_when_all_is_done_does_nothing(line: Any, data: Any, run: Run) -> None:
    rows = fit_line(line, data, run=run)
    before = line.state()
    assert fit_line(line, data, run=Run.reopen(run.folder), resume=run.folder) == rows
    assert line.state() == before


def test_a_run_is_not_trained_over(line: Any, data: Any, run: Run) -> None:
    fit_line(line, data, 2, run=run)
    with pytest.raises(ValueError, match="holds 2 rows of metrics already, expected a new Run"):
        fit_line(line, data, 2, run=run)


def test_rows_are_means_since_the_row_before(data: Any) -> None:
    numbers = iter([1.0, 2.0, 6.0, 4.0, 5.0])
    rows = train(lambda batch, rng: {"loss": next(numbers)}, data, steps=5, log_every=3)
    assert [(row["step"], row["loss"]) for row in rows] == [(3, 3.0), (5, 4.5)]


def test_what_observers_return_is_logged(data: Any) -> None:
    called: list[int] = []
    rows = train(
        lambda batch, rng: {"loss": 1},
        data,
        steps=6,
        log_every=3,
        on_step=[called.append, every(2, lambda step: {"test loss": sg.asarray(np.float32(step))})],
    )
    assert called == [1, 2, 3, 4, 5, 6]
    assert [{name: row[name] for name in row if name != "seconds"} for row in rows] == [
        {"step": 2, "test loss": 2},
        {"step": 3, "loss": 1},
        {"step": 4, "test loss": 4},
        {"step": 6, "loss": 1, "test loss": 6},
    ]


def failing(at: int, value: float = np.nan) -> Any:
    """A step whose term "kl" is not finite in a certain step."""
    count = 0

    def step(batch: Any, rng: RandomStream) -> dict[str, Any]:
        nonlocal count
        count += 1
        return {"loss": 1.0, "kl": sg.asarray(np.full((), value if count == at else 1.0, np.float32))}

    return step


@pytest.mark.host_only
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_the_first_term_that_is_not_finite_stops_training(data: Any, value: float) -> None:
    with pytest.raises(TrainingError, match=f"^kl is {value} at step 5; a smaller learning rate"):
        train(failing(5, value), data, steps=20, log_every=10)


def test_on_a_device_terms_are_looked_at_in_intervals_only(data: Any) -> None:
    device = sg.use_device("strict")
    with pytest.raises(
        TrainingError, match=r"^kl is nan at a step from 11 to 20 \(on a device .* every 10 steps"
    ):
        train(failing(15), device.asarray(sg.asnumpy(data)), steps=30, log_every=10)


def test_a_test_loss_that_is_not_finite_stops_training_too(data: Any) -> None:
    with pytest.raises(TrainingError, match="test loss is nan after step 1"):
        train(failing(0), data, steps=3, on_step=[lambda step: {"test loss": np.nan}])


def test_the_last_good_checkpoint_outlives_a_loss_that_is_not_finite(line: Any, data: Any, run: Run) -> None:
    def spoil(step: int) -> None:
        if step == 5:
            line.model[0].weight.data[...] = np.inf

    with pytest.raises(TrainingError, match=r"loss is (nan|inf)"), np.errstate(all="ignore"):
        fit_line(line, data, run=run, checkpoint_every=2, on_step=[spoil], log_every=1)
    assert load_checkpoint(run.checkpoint).step == 4


def test_checkpoints_are_saved_as_often_as_asked(
    line: Any, data: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    monkeypatch.setattr(saver, "save_checkpoint", lambda path, step, **parts: saved.append(step))
    fit_line(line, data, run=run, checkpoint_every=3)
    assert saved == [3, 6, 8]


def test_checkpoints_are_saved_once_a_minute_otherwise(
    line: Any, data: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved: list[int] = []
    clock = iter(range(0, 10_000, 25))  # seconds from one look to the next
    monkeypatch.setattr(saver.time, "monotonic", lambda: next(clock))
    monkeypatch.setattr(saver, "save_checkpoint", lambda path, step, **parts: saved.append(step))
    saves = saver.Saver(run, line.parts(), {}, None)
    for done in range(1, 8):
        saves.save(done, now=False)
    assert saved == [3, 6]


def test_ctrl_c_finishes_the_step_saves_and_says_how_to_go_on(
    new_line: Callable[[], Any], data: Any, run: Run, capsys: pytest.CaptureFixture[str]
) -> None:
    line, whole = new_line(), new_line()
    loss, handler = line.loss, signal.getsignal(signal.SIGINT)

    def interrupted_loss(batch: Any, rng: RandomStream) -> Any:
        if len(line.seen) == 4:
            os.kill(os.getpid(), signal.SIGINT)
        return loss(batch, rng)

    line.loss = interrupted_loss
    with pytest.raises(
        KeyboardInterrupt, match=f"Interrupted after step 5 of 8. To go on: --resume {run.folder}"
    ):
        fit_line(line, data, run=run)
    assert f"--resume {run.folder}" in capsys.readouterr().err
    assert signal.getsignal(signal.SIGINT) is handler
    line.loss = loss
    fit_line(line, data, resume=run.folder)
    fit_line(whole, data)
    assert line.state() == whole.state()


def test_ctrl_c_in_the_last_step_is_not_swallowed(line: Any, data: Any, run: Run) -> None:
    def press(step: int) -> None:
        if step == STEPS:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(
        KeyboardInterrupt, match=f"Interrupted after step 8 of 8. To go on: --resume {run.folder}"
    ):
        fit_line(line, data, run=run, on_step=[press])
    assert load_checkpoint(run.checkpoint).step == STEPS


def test_ctrl_c_during_the_last_save_is_not_swallowed(
    line: Any, data: Any, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    save = saver.save_checkpoint

    def interrupted(*args: Any, **named: Any) -> None:
        os.kill(os.getpid(), signal.SIGINT)
        save(*args, **named)

    monkeypatch.setattr(saver, "save_checkpoint", interrupted)
    with pytest.raises(KeyboardInterrupt, match="Interrupted after step 8 of 8"):
        fit_line(line, data, run=run, checkpoint_every=99)
    assert load_checkpoint(run.checkpoint).step == STEPS


def test_ctrl_c_after_the_last_look_is_not_swallowed() -> None:
    def press() -> None:
        with interruptible() as interrupted:
            assert not interrupted()
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        press()


@pytest.mark.host_only
def test_sigterm_is_ctrl_c(line: Any, data: Any, tmp_path: Path) -> None:
    """Clusters send it some time before they end a job."""
    run, handler = Run("line", root=tmp_path), signal.getsignal(signal.SIGTERM)

    def end(step: int) -> None:
        if step == 3:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt, match=r"after step 3 of 9\. To go on: --resume"):
        fit(line.loss, data, line.optimiser, steps=9, batch_size=4, model=line.model, run=run, on_step=[end])
    assert load_checkpoint(run.checkpoint).step == 3
    assert signal.getsignal(signal.SIGTERM) is handler


def test_training_stops_when_its_time_is_up(line: Any, data: Any, tmp_path: Path) -> None:
    run = Run("line", root=tmp_path)
    settings: Any = {"steps": 10**9, "batch_size": 4, "model": line.model, "quiet": True}
    with pytest.raises(KeyboardInterrupt, match="To go on"), stop_after(0.2 / 60):
        fit(line.loss, data, line.optimiser, run=run, **settings)
    assert load_checkpoint(run.checkpoint).step >= 1
    with stop_after(1e6), stop_after(2e6):
        fit(line.loss, data, line.optimiser, **{**settings, "steps": 3})
    with pytest.raises(ValueError, match="minutes: got 0"), stop_after(0):
        pass


@pytest.mark.parametrize("killed", [False, True], ids=["interrupted", "killed"])
@pytest.mark.parametrize("stop", range(1, 12))
def test_metrics_after_an_interruption_are_those_of_a_run_without_one(
    new_line: Callable[[], Any], data: Any, tmp_path: Path, stop: int, killed: bool
) -> None:
    """Also where it falls between two rows, and columns come later."""

    def train_line(run: Run, interrupt: int, resume: Path | None = None) -> None:
        def observe(step: int) -> dict[str, float] | None:
            if step == interrupt and killed:
                raise SystemExit
            if step == interrupt:
                os.kill(os.getpid(), signal.SIGINT)
            return {"seen": step * 0.1} if step % 5 == 0 else None

        line = new_line()
        settings = {"log_every": 4, "on_step": [observe], "checkpoint_every": 3, "quiet": True}
        fit_line(line, data, 12, run=run, resume=resume, **settings)

    def table(run: Run) -> list[list[str]]:
        header, *lines = (run.folder / "metrics.csv").read_text().splitlines()
        column = header.split(",").index("seconds")
        return [[c for i, c in enumerate(line.split(",")) if i != column] for line in [header, *lines]]

    whole, run = Run("whole", root=tmp_path), Run("line", root=tmp_path)
    train_line(whole, 99)
    with pytest.raises((KeyboardInterrupt, SystemExit)):
        train_line(run, stop)
    train_line(run, 99, run.folder if run.checkpoint.exists() else None)
    assert table(run) == table(whole)


@pytest.mark.parametrize(
    ("written", "message"),
    [
        (
            None,
            "its configuration holds under 'training' None, expected seed, batch_size, examples and means",
        ),
        ([1, 2], r"its configuration holds under 'training' \[1, 2\], expected seed"),
        ({"seed": 3}, "its configuration holds under 'training' {'seed': 3}, expected seed"),
        ({"seed": 3, "batch_size": 4, "examples": 10, "means": 7}, "means: got int, expected dict"),
        ({"seed": 3, "batch_size": 4, "examples": [10], "means": {}}, r"examples was \[10\], but is 10"),
    ],
)
def test_a_checkpoint_that_training_did_not_write_is_refused(
    line: Any, data: Any, tmp_path: Path, written: Any, message: str
) -> None:
    path = save_checkpoint(
        tmp_path / "checkpoint.npz", configuration={"training": written} if written else None, **line.parts()
    )
    before = line.state()
    with pytest.raises(CheckpointError, match=message):
        fit_line(line, data, resume=path)
    assert line.state() == before


class Noisy(nn.Module):
    """A user's model: dropout, a layer with noise of its own, and dropout within a list."""

    def __init__(self) -> None:
        self.first, self.drop = nn.Linear(3, 16), nn.Dropout(0.4)
        self.more = nn.ModuleList([nn.Dropout(0.2), nn.Linear(16, 1)])

    def forward(self, x: Any) -> Any:
        x = self.drop(self.first(x))
        for layer in self.more:
            x = layer(x)
        return x

    def loss(self, x: Any, rng: RandomStream | None = None, labels: Any = None) -> Any:
        return ((self(x) - x[:, :1]) ** 2).mean()


@pytest.mark.parametrize("stop", [1, 5])
def test_a_users_model_with_dropout_resumes_bit_for_bit(data: Any, tmp_path: Path, stop: int) -> None:
    def trained(steps: int, run: Run | None = None, resume: Path | None = None) -> dict[str, bytes]:
        model = Noisy().initialise(RandomStream(0))
        model(sg.asarray(np.ones((stop, 3), np.float32)))  # masks drawn before are not those of training
        optimiser = optim.Adam(model.parameters(), lr=0.01)
        fit(model.loss, data, optimiser, steps=steps, batch_size=4, model=model, run=run, resume=resume)
        return {name: array.tobytes() for name, array in model.state_dict().items()}

    run = Run("noisy", root=tmp_path)
    whole = trained(9)
    trained(stop, run)
    assert trained(9, run, run.folder) == whole
    other = Noisy().initialise(RandomStream(0)).eval()
    fit(other.loss, data, optim.Adam(other.parameters(), lr=0.01), steps=9, batch_size=4)
    assert other.state_dict()["first.weight"].tobytes() != whole["first.weight"]  # dropout was at work


TRAINS = """
import sys
import numpy as np
from scratchgen import nn, optim
from scratchgen.training import Run, fit
model = nn.Linear(1, 1)
def wait(step):
    print("training", flush=True)
    sys.stdin.readline()
fit(lambda x, rng: (model(x) ** 2).mean(), np.ones((4, 1), np.float32), optim.SGD(model.parameters()),
    steps=2, model=model, run=Run.reopen(sys.argv[1]), on_step=[wait])
"""


@pytest.mark.host_only
def test_two_processes_do_not_train_in_one_folder(line: Any, data: Any, run: Run) -> None:
    other = subprocess.Popen(
        [sys.executable, "-c", TRAINS, str(run.folder)],
        cwd=Path(__file__).parents[2],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert other.stdout is not None
    assert other.stdout.readline() == b"training\n"
    with pytest.raises(TrainingError, match=f"run: got {run.folder}, where another training is at work"):
        fit_line(line, data, run=run)
    assert not (run.folder / "metrics.csv").exists()
    other.kill()  # which leaves no lock behind
    other.communicate()
    fit_line(line, data, run=run)
    assert load_checkpoint(run.checkpoint).step == STEPS


def test_two_threads_do_not_train_in_one_folder_and_its_parts_are_folders_of_their_own(
    new_line: Callable[[], Any], data: Any, run: Run
) -> None:
    def observe(step: int) -> None:
        if step == 1:
            with pytest.raises(TrainingError, match="another training is at work"):
                fit_line(new_line(), data, run=Run.reopen(run.folder), resume=None)
            fit_line(new_line(), data, 2, run=run.part("inner"))

    fit_line(new_line(), data, run=run, on_step=[observe])


@pytest.mark.parametrize("quiet", [False, True])
def test_quiet(line: Any, data: Any, capsys: pytest.CaptureFixture[str], quiet: bool) -> None:
    fit_line(line, data, quiet=quiet)
    captured = capsys.readouterr()
    assert captured.out == ""
    assert ("step 8 of 8" in captured.err) is not quiet


def test_a_second_ctrl_c_does_not_wait(data: Any) -> None:
    def step(batch: Any, rng: RandomStream) -> dict[str, float]:
        for _ in range(100):  # two signals that are sent at once may arrive as one
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(0.01)
        pytest.fail("went on")

    with pytest.raises(KeyboardInterrupt):
        train(step, data, steps=3)


def test_ctrl_c_without_a_run_says_that_nothing_was_saved(
    data: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(KeyboardInterrupt, match="Nothing was saved"):
        train(lambda batch, rng: os.kill(os.getpid(), signal.SIGINT) or {"loss": 1}, data, steps=3)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"steps": 0}, ValueError, "steps: got 0, expected a positive whole number"),
        ({"batch_size": -1}, ValueError, "batch_size: got -1"),
        ({"log_every": 2.0}, ValueError, r"log_every: got 2\.0"),
        ({"checkpoint_every": True}, ValueError, "checkpoint_every: got True"),
        ({"data": [[1.0]]}, TypeError, "data: got list, expected an array"),
        ({"data": np.zeros((0, 3))}, ValueError, "data: got 0 examples, expected at least one"),
        ({"data": np.array([1, np.nan, np.inf])}, ValueError, "data: got 2 NaN or infinite numbers"),
        (
            {"data": (np.ones(3), np.ones(2))},
            ValueError,
            r"data\[1\]: got shape \(2,\), expected \(3, ...\), as many examples as data\[0\] has",
        ),
    ],
)
def test_wrong_arguments_are_refused_before_the_first_step(
    data: Any, change: Any, error: type[Exception], message: str
) -> None:
    arguments = {"data": data, "steps": 3} | change
    with pytest.raises(error, match=message):
        train(lambda batch, rng: pytest.fail("a step was taken"), **arguments)


def test_arrays_of_a_tuple_are_batched_together(data: Any) -> None:
    def step(batch: Any, rng: RandomStream) -> dict[str, float]:
        x, labels = map(sg.asnumpy, batch)
        np.testing.assert_array_equal(x[:, 0], labels)
        return {"loss": 0.0}

    train(step, (data, sg.asarray(np.arange(10))), steps=4, batch_size=3)
