"""Training a DDPM by `fit`: the moving average is kept in checkpoints, and resuming continues exactly."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.networks import UNet
from scratchgen.optim import Adam, ExponentialMovingAverage
from scratchgen.training import Run, fit

X = np.random.default_rng(0).uniform(-1, 1, size=(12, 1, 4, 4)).astype(np.float32)
LABELS = np.arange(12) % 3


def trained(steps: int, run: Run | None = None, resume: Any = None) -> tuple[DDPM, ExponentialMovingAverage]:
    network = UNet(1, 2, width=8, multipliers=(1, 2), groups=4, classes=4, rng=RandomStream(0))
    model = DDPM(network, cosine_schedule(20), (1, 4, 4), "learned", "v", levels=17, classes=3)
    average = ExponentialMovingAverage(model.parameters(), 0.9)
    fit(
        lambda batch, rng: model.loss_terms(batch[0], rng, batch[1]),
        (X, LABELS),
        Adam(model.parameters(), 1e-3),
        steps=steps,
        batch_size=5,
        average=average,
        model=model,
        run=run,
        resume=resume,
    )
    return model, average


def test_interrupted_and_resumed_training_is_the_same_to_the_bit(tmp_path: Path) -> None:
    whole, whole_average = trained(8)
    run = Run("ddpm", root=tmp_path)
    trained(4, run)
    resumed, resumed_average = trained(8, run, run.folder)
    for name, value in whole.state_dict().items():
        assert_close(resumed.state_dict()[name], value, rtol=0)
    for average, other in zip(whole_average.averages, resumed_average.averages, strict=True):
        assert_close(average, other, rtol=0)
    with whole_average.applied():
        expected = sg.asnumpy(whole.ddim_sample(2, RandomStream(1), 4, 1.0, [0, 2], 0.5))
    with resumed_average.applied():
        assert_close(resumed.ddim_sample(2, RandomStream(1), 4, 1.0, [0, 2], 0.5), expected, rtol=0)
    without = sg.asnumpy(resumed.ddim_sample(2, RandomStream(1), 4, 1.0, [0, 2], 0.5))
    assert np.abs(without - expected).max() > 0  # the average is another than the last weights
