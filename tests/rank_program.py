"""A program that `training/test_mpi.py` starts under mpiexec: ``rank_program.py WHAT [FOLDER]``."""

from __future__ import annotations

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen import nn, optim
from scratchgen.backend import RandomStream, current_ranks
from scratchgen.training import Run, fit, measured, sampled

STEPS = 3


def everything(folder: str) -> None:
    """Train every kind of model, draw and measure; rank 0 leaves all that came out in a file."""
    from rank_models import MODELS

    found: dict[str, Any] = {}
    for name, train in MODELS.items():
        found |= {f"{name}/{leaf}": value for leaf, value in train(np.float64, STEPS).items()}
    vae = sg.models.VAE.dense(4, 8, latent_dim=2, rng=RandomStream(0)).to(np.float64)
    found["sampled"] = sg.asnumpy(sampled(vae.sample, 7, RandomStream(1)))
    x = sg.asarray(np.linspace(0, 1, 28).reshape(7, 4))
    found["measured"] = sg.asnumpy(measured(vae.log_marginal, x, RandomStream(1), samples=3))
    digest = np.concatenate([np.ravel(value) for value in found.values()]).astype(np.float64)
    assert np.ptp(current_ranks().gather(digest[None]), axis=0).max() == 0  # the same to the bit
    assert current_ranks().once(lambda: os.getpid()) > 0
    if current_ranks().first:
        np.savez(Path(folder) / f"{current_ranks().size}.npz", **found)


def line(steps: int, run: Run | None, resume: bool = False, hinder: Any = None) -> None:
    """Train a line with Adam; `hinder(step)` is called in every loss."""
    layer = nn.Linear(3, 3, rng=RandomStream(0)).to(np.float64)
    data = np.random.default_rng(0).normal(size=(10, 3))
    calls = 0

    def loss(x: Any, rng: RandomStream) -> Any:
        nonlocal calls
        calls += 1
        if hinder is not None:
            hinder(calls)
        return ((layer(x) + rng.normal(x.shape, x.dtype)) ** 2).mean()

    fit(
        loss,
        data,
        optim.Adam(layer.parameters(), 0.01),
        steps=steps,
        batch_size=4,
        model=layer,
        run=run,
        resume=run.folder if run is not None and resume else None,
        quiet=True,
        log_every=1,
    )


def resumed(folder: str) -> None:
    """Go on with the run in a folder, or begin one there, by three steps more."""
    place = Path(folder)
    begun = current_ranks().once(lambda: any(place.iterdir()))
    if not begun:
        return line(3, Run("line", root=place))
    (found,) = place.iterdir()
    run = Run.reopen(found)
    return line(int(run.metrics()[-1]["step"]) + 3, run, resume=True)


def raises() -> None:
    """The second rank fails in its fifth step, the first waits for it in vain."""

    def fail(step: int) -> None:
        if step == 5 and current_ranks().index == 1:
            raise ArithmeticError("something is wrong here")

    line(1000, None, hinder=fail)


def raises_outside() -> None:
    """The second rank fails where no training is; nobody catches it."""
    if current_ranks().index == 1:
        raise ArithmeticError("something is wrong here")
    line(1000, None)


def killed() -> None:
    """The second rank vanishes without a word."""

    def vanish(step: int) -> None:
        if step == 5 and current_ranks().index == 1:
            os.kill(os.getpid(), signal.SIGKILL)

    line(1000, None, hinder=vanish)


def hangs() -> None:
    """The second rank makes no progress."""

    def sleep(step: int) -> None:
        if step == 5 and current_ranks().index == 1:
            time.sleep(600)

    line(1000, None, hinder=sleep)


if __name__ == "__main__":
    globals()[sys.argv[1]](*sys.argv[2:])
