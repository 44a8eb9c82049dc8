"""N ranks train what one trains: here as threads of this process, in `test_mpi.py` as processes."""

from __future__ import annotations

import threading
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rank_models import MODELS, State
from ranks_in_threads import on_ranks
from tools import assert_close, to_device

import scratchgen as sg
from scratchgen import models, nn, optim
from scratchgen.backend import RandomStream, current_ranks
from scratchgen.backend.ranks import Ranks, sharing_a_batch, sum_of_parts, whole_batch
from scratchgen.training import Run, TrainingError, fit, sampled, shared


@cache
def one_rank(name: str, dtype: str, steps: int) -> State:
    return MODELS[name](np.dtype(dtype), steps)


def assert_alike(state: State, expected: State, rtol: float, atol: float) -> None:
    assert state.keys() == expected.keys()
    for name, value in state.items():
        assert_close(value, expected[name], rtol=rtol, atol=atol)


@pytest.mark.parametrize("size", [1, 2, 3])
@pytest.mark.parametrize("name", MODELS)
def test_ranks_train_what_one_trains(name: str, size: int) -> None:
    expected = one_rank(name, "float64", 5)
    states = on_ranks(size, lambda ranks: MODELS[name](np.float64, 5))
    for state in states:
        assert_alike(state, expected, rtol=1e-12, atol=1e-13)
        for leaf, value in state.items():
            assert value.tobytes() == states[0][leaf].tobytes()  # of one rank and another: to the bit


@pytest.mark.parametrize("name", ["VAE", "DDPM", "GAN", "dropout and batch norm"])
def test_a_hundred_steps_in_float32(name: str) -> None:
    """Rounding alone differs: by 1.2e-7 at most of weights near 1, measured for all models."""
    expected = one_rank(name, "float32", 100)
    for state in on_ranks(3, lambda ranks: MODELS[name](np.float32, 100)):
        weights = {leaf: value for leaf, value in state.items() if leaf.startswith("model/")}
        assert_alike(weights, {leaf: expected[leaf] for leaf in weights}, rtol=0, atol=1e-5)


def test_a_step_of_fit_is_two_sums() -> None:
    """One of gradients and terms, and one number that says whether somebody wants to stop; so at the end."""
    assert on_ranks(2, lambda ranks: (MODELS["autoencoder"](np.float64, 4), ranks.sums)[1]) == [9, 9]


def squared(layer: nn.Linear) -> Any:
    return lambda x, rng: ((layer(x) + rng.normal(x.shape, x.dtype)) ** 2).mean()


def test_a_batch_of_fewer_examples_than_ranks() -> None:
    x = to_device(np.array([[2.0], [5.0]]))

    def train(ranks: Any = None) -> np.ndarray:
        layer = nn.Linear(1, 1, rng=RandomStream(0)).to(np.float64)
        fit(squared(layer), x, optim.SGD(layer.parameters(), 0.1), steps=3, batch_size=2, quiet=True)
        return sg.asnumpy(layer.weight.data)

    expected = train()
    for weight in on_ranks(3, train):
        assert_close(weight, expected, rtol=1e-13)


def test_a_parameter_without_a_gradient_keeps_none() -> None:
    def step(ranks: Any) -> list[bool]:
        used, unused = (nn.Parameter(to_device(np.ones(2))) for _ in range(2))
        with shared(to_device(np.ones((4, 2))), RandomStream(0)) as share:
            loss = (share.batch * used).sum(axis=1).mean()
            share.weighted(loss).backward()
        terms = share.add_up({"loss": loss, "two": 2.0}, [used, unused])
        assert_close(used.grad, np.ones(2), rtol=1e-15)
        assert (float(terms["loss"]), float(terms["two"])) == (2.0, 2.0)
        return [used.grad is None, unused.grad is None]

    assert on_ranks(3, step) == [[False, True]] * 3


def test_a_gradient_penalty_through_batch_norm() -> None:
    """Derivatives of derivatives cross the ranks twice."""
    x = to_device(np.random.default_rng(0).normal(size=(5, 3)))
    weight = to_device(np.linspace(0.5, 1.5, 3))

    def derivative(ranks: Any = None) -> np.ndarray:
        layer = nn.BatchNorm1d(3).to(np.float64)
        layer.weight.data[...] = weight
        with shared(x, RandomStream(0)) as share:
            part = sg.tensor(share.batch, requires_grad=True)
            (slope,) = sg.grad((layer(part) ** 3).sum(), part, create_graph=True)
            (second,) = sg.grad((slope**2).sum(), layer.weight)
        return sg.asnumpy(share.ranks.sum(second)), sg.asnumpy(layer.running_var.data)

    gradient, running = derivative()
    for theirs, statistics in on_ranks(2, derivative):
        assert_close(theirs, gradient, rtol=1e-11)
        assert_close(statistics, running, rtol=1e-13)


def test_samples_are_drawn_by_all_ranks() -> None:
    vae = models.VAE.dense(4, 8, latent_dim=2, rng=RandomStream(0))
    gan = models.GAN.convolutional((1, 4, 4), 3, (4,), classes=3, features=4, rng=RandomStream(0))
    labels = to_device(np.arange(7) % 3)

    def draw(ranks: Any = None) -> list[np.ndarray]:
        drawn = sampled(vae.sample, 7, RandomStream(1)), sampled(gan.sample, 7, RandomStream(1), labels)
        few = sampled(vae.sample, 1, RandomStream(1)), sampled(vae.sample, 7, RandomStream(1), noise=True)
        return [sg.asnumpy(x) for x in (*drawn, *few)]

    expected = draw()
    for drawn in on_ranks(3, draw):
        for theirs, ours in zip(drawn, expected, strict=True):
            assert_close(theirs, ours, rtol=1e-5, atol=1e-6)


def test_a_run_goes_on_with_another_number_of_ranks(tmp_path: Path) -> None:
    x = to_device(np.random.default_rng(0).normal(size=(10, 3)))

    def train(steps: int, run: Run, resume: bool) -> list[dict[str, float]]:
        layer = nn.Linear(3, 3, rng=RandomStream(current_ranks().index)).to(np.float64)  # rank 0's counts
        optimiser = optim.Adam(layer.parameters(), 0.01)
        place = run.folder if resume else None
        settings: Any = {"run": run, "resume": place, "quiet": True, "log_every": 2, "model": layer}
        return fit(squared(layer), x, optimiser, steps=steps, batch_size=4, **settings)

    def rows(folder: Path) -> list[dict[str, float]]:
        return [{k: v for k, v in row.items() if k != "seconds"} for row in Run.reopen(folder).metrics()]

    def start(ranks: Any = None) -> Path:
        run = Run("line", root=tmp_path)
        assert train(3, run, resume=False)
        return run.folder

    first, second, third = on_ranks(3, start)
    assert first == second == third
    assert len(list(tmp_path.iterdir())) == 1
    on_ranks(2, lambda ranks: train(5, Run.reopen(first), resume=True))
    train(8, Run.reopen(first), resume=True)
    whole = Run("line", root=tmp_path)
    train(8, whole, resume=False)
    assert [row["step"] for row in rows(first)] == [2, 3, 4, 5, 6, 8]
    found = sg.training.load_checkpoint(first / "checkpoint.npz")
    assert found.step == 8
    for ours, theirs in zip(rows(first)[-1:], rows(whole.folder)[-1:], strict=True):
        assert_close(ours["loss"], theirs["loss"], rtol=1e-12)


def test_only_the_first_rank_writes(tmp_path: Path) -> None:
    def write(ranks: Any) -> Path:
        run = Run("words", {"lr": 1}, root=tmp_path)
        part = run.part("half")
        run.section("Title", "Text.")
        part.log({"step": 1, "loss": 2.0})
        assert part.folder == run.folder / "half"
        return run.write_report()

    (page,) = set(on_ranks(3, write))
    assert page.read_text().count("Title") >= 1
    assert (page.parent / "half" / "metrics.csv").read_text() == "step,loss\n1,2.0\n"


def test_an_error_of_rank_0_is_everybodys(tmp_path: Path) -> None:
    run = Run("line", root=tmp_path)

    def lock_twice(ranks: Any) -> str:
        with run.locked():
            try:
                with run.locked():
                    raise AssertionError
            except TrainingError as error:
                return str(error)

    assert len({message.split(",")[0] for message in on_ranks(2, lock_twice)}) == 1


def test_a_loss_that_is_not_finite_on_one_rank_stops_all() -> None:
    x = to_device(np.ones((4, 1)))

    def train(ranks: Any) -> str:
        layer = nn.Linear(1, 1).to(np.float64)
        wrong = np.nan if ranks.index == 1 else 1.0
        with pytest.raises(TrainingError, match=r"loss is nan at (a step from 1|step 1)") as error:
            fit(
                lambda x, rng: (layer(x) * wrong).mean(),
                x,
                optim.SGD(layer.parameters(), 0.1),
                steps=2,
                batch_size=4,
                quiet=True,
            )
        return str(error.value)

    assert len(set(on_ranks(2, train))) == 1


def test_alone_nothing_happens() -> None:
    ranks = Ranks()
    x = to_device(np.arange(3.0))
    assert current_ranks().size == 1
    assert ranks.first
    assert ranks.part(5) == (0, 5)
    assert_close(ranks.sum(x), x)
    assert_close(ranks.gather(x), x)
    assert (ranks.any(False), ranks.any(True), ranks.agree("a"), ranks.once(lambda: 3)) == (
        False,
        True,
        "a",
        3,
    )
    assert whole_batch(x) is x
    assert_close(sum_of_parts(x), x)
    with shared(x, RandomStream(0)) as share:
        assert share.batch is x
        assert share.weight == 1


@pytest.mark.parametrize(("count", "size"), [(8, 3), (3, 3), (1, 2), (100, 7)])
def test_parts_cover_a_batch_once(count: int, size: int) -> None:
    parts = on_ranks(size, lambda ranks: ranks.part(count))
    assert [i for start, stop in parts for i in range(start, stop)] == list(range(count))
    assert max(stop - start for start, stop in parts) - min(stop - start for start, stop in parts) <= 1


def test_sums_are_of_the_ranks_that_share() -> None:
    def add(ranks: Any) -> list[float]:
        x = to_device(np.full(1, 10.0**ranks.index))
        with sharing_a_batch():
            both = float(sum_of_parts(x)[0])
            with sharing_a_batch(False):
                return [both, float(sum_of_parts(x)[0])]

    assert on_ranks(2, add) == [[11.0, 1.0], [11.0, 10.0]]


def test_mpiexec_without_mpi4py_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    from scratchgen.backend import ranks as module

    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    monkeypatch.setattr(module, "_process", None)
    monkeypatch.setenv("PMI_SIZE", "4")
    with pytest.raises(RuntimeError, match="mpiexec started 4 of them, but mpi4py is not installed"):
        current_ranks()
    monkeypatch.setenv("SCRATCHGEN_RANKS", "0")
    assert current_ranks().size == 1
    monkeypatch.setattr(module, "_process", None)
    monkeypatch.setenv("SCRATCHGEN_RANKS", "yes")
    with pytest.raises(ValueError, match="SCRATCHGEN_RANKS: got 'yes'"):
        current_ranks()


def test_the_errors_of_threads_are_not_lost() -> None:
    def fail(ranks: Any) -> None:
        if ranks.index == 1:
            raise ValueError("one")
        ranks.any(True)

    with pytest.raises(ValueError, match="one"):
        on_ranks(2, fail)
    assert threading.active_count() < 20
