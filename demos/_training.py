"""The two trainings that most lessons share: of one network by its loss, and of two against each other."""

from __future__ import annotations

from typing import Any

from demos import _lesson
from scratchgen.nn import Module
from scratchgen.optim import Adam
from scratchgen.optim.schedules import cosine, warmup
from scratchgen.training import Run, fit, fit_adversarial
from scratchgen.training.metrics import Row


def learn(
    model: Module,
    loss: Any,
    data: Any,
    steps: int,
    options: Any,
    run: Run,
    *,
    lr: float | None = None,
    rising: int = 0,
    **more: Any,
) -> list[Row]:
    """Minimise a model's loss by Adam, whose rate falls to 0 along a cosine; the rows of the log.

    In so many steps unless the options say otherwise. The rate is `lr`, or else the options', to which it
    may first rise for some steps; `more` is handed on to `fit`.
    """
    steps, lr = _lesson.steps(options, default=steps), lr or options.lr
    return fit(
        loss,
        data,
        Adam(model.parameters(), lr),
        steps=steps,
        schedule=warmup(cosine(lr, steps), rising),
        model=model,
        seed=options.seed,
        run=run,
        resume=_lesson.resumption(run),
        **{"batch_size": options.batch_size, **more},
    )


def oppose(
    model: Any,
    data: Any,
    steps: int,
    options: Any,
    run: Run,
    *,
    rates: tuple[float, float],
    betas: tuple[float, float] = (0.5, 0.99),
    **more: Any,
) -> list[Row]:
    """Train discriminator and generator in turn by Adam, at their rates; the rows of the log.

    The rates fall to 0 in the second half of the steps; `more` is handed on to `fit_adversarial`.
    """
    steps = _lesson.steps(options, default=steps)
    players = (model.discriminator, model.generator)
    return fit_adversarial(
        model,
        data,
        *(Adam(player.parameters(), lr, betas) for player, lr in zip(players, rates, strict=True)),
        steps=steps,
        schedule=lambda step: min(1.0, 2.0 - 2.0 * step / steps),
        seed=options.seed,
        run=run,
        resume=_lesson.resumption(run),
        **{"batch_size": options.batch_size, **more},
    )
