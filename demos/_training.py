"""The training that several lessons share: Adam, its rate falling to 0 along a cosine, resumable."""

from __future__ import annotations

from typing import Any

import numpy as np

from demos import _lesson
from scratchgen.nn import Module
from scratchgen.optim import Adam
from scratchgen.optim.schedules import cosine
from scratchgen.training import Run, fit


def learn(model: Module, loss: Any, data: np.ndarray, steps: int, options: Any, run: Run) -> None:
    """Minimise a model's loss over data, in so many steps unless the options say otherwise."""
    steps = _lesson.steps(options, default=steps)
    fit(
        loss,
        data,
        Adam(model.parameters(), options.lr),
        steps=steps,
        batch_size=options.batch_size,
        schedule=cosine(options.lr, steps),
        model=model,
        seed=options.seed,
        run=run,
        resume=_lesson.resumption(run),
    )
