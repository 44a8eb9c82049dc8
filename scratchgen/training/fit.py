"""Fit one model by one optimiser: the step that most models take."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

from ..autograd import Tensor, raw
from ..backend import Array, RandomStream
from ..nn import Module
from ..optim import ExponentialMovingAverage, Optimizer, clip_grad_norm
from ..optim.optimizer import check_range
from .loop import Step, check_counts, check_data, train
from .metrics import Row

Loss = Callable[[Any, RandomStream], Tensor | Mapping[str, Tensor]]


def fit(
    loss: Loss,
    data: Array | tuple[Array, ...],
    optimiser: Optimizer,
    *,
    steps: int | None = None,
    epochs: int | None = None,
    batch_size: int = 128,
    model: Module | None = None,
    average: ExponentialMovingAverage | None = None,
    schedule: Callable[[int], float] | None = None,
    clip_norm: float | None = None,
    **settings: Any,
) -> list[Row]:
    """Minimise a loss over data.

    Parameters
    ----------
    loss : callable
        ``loss(batch, rng)`` gives a scalar Tensor, or several by name of which ``"loss"`` is minimised and
        the others are logged.
    data : array, or tuple of arrays of the same length
        The examples, along the first axis.
    optimiser : Optimizer
    steps, epochs : int
        How long: the one or the other.
    batch_size : int
    model : Module, optional
        What checkpoints hold; needed for a `run`.
    average : ExponentialMovingAverage, optional
        Updated after every step, and kept in checkpoints.
    schedule : callable, optional
        The learning rate by step, counted from 0: see `scratchgen.optim.schedules`.
    clip_norm : float, optional
        Gradients are scaled down to this joint norm; the norm before is logged.
    **settings
        ``seed``, ``run``, ``resume``, ``on_step``, ``log_every``, ``checkpoint_every``: see `train`.

    Returns
    -------
    list of dict
        The rows of the log: ``step``, the mean of every term since the row before, ``seconds``.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as said above, or the loss or the schedule gives something else than it should.
    TrainingError, CheckpointError, KeyboardInterrupt
        See `train`.

    Examples
    --------
    >>> import numpy as np
    >>> from scratchgen import nn, optim
    >>> line = nn.Linear(1, 1)
    >>> x = np.linspace(-1, 1, 64, dtype=np.float32)[:, None]
    >>> def squared_error(batch, rng):
    ...     return ((line(batch) - 3 * batch) ** 2).mean()
    >>> rows = fit(squared_error, x, optim.Adam(line.parameters(), lr=0.1), epochs=100, batch_size=16)
    >>> round(line.weight.item(), 2)
    3.0
    """
    if (steps is None) == (epochs is None):
        raise ValueError(f"steps, epochs: got {steps} and {epochs}, expected one of the two")
    check_counts(steps=steps, epochs=epochs, batch_size=batch_size)
    if steps is None:
        steps = epochs * -(-len(check_data(data)[0]) // batch_size)  # type: ignore[operator]
    if settings.get("run") is not None and model is None:
        raise ValueError("model: needed for the checkpoints of a run, got None")
    parts = {"model": model, "optimiser": optimiser, "average": average}
    step = _step(loss, optimiser, average, schedule, clip_norm)
    saved = {name: part for name, part in parts.items() if part is not None}
    return train(step, data, steps=steps, batch_size=batch_size, parts=saved if model else {}, **settings)


def _step(
    loss: Loss,
    optimiser: Optimizer,
    average: ExponentialMovingAverage | None,
    schedule: Callable[[int], float] | None,
    clip_norm: float | None,
) -> Step:
    def step(batch: Any, rng: RandomStream) -> dict[str, Any]:
        terms = loss(batch, rng)
        terms = dict(terms) if isinstance(terms, Mapping) else {"loss": terms}
        if "loss" not in terms:
            raise ValueError(f"loss: gave the terms {', '.join(terms)}, expected one of them to be 'loss'")
        _check_scalar(terms["loss"])
        optimiser.zero_grad()
        terms["loss"].backward()
        logged = {name: raw(value) for name, value in terms.items()}
        if clip_norm is not None:
            logged["gradient norm"] = clip_grad_norm(optimiser.flat.parameters, clip_norm)
        if schedule is not None:
            optimiser.lr = check_range("schedule", schedule(optimiser.steps), 0, math.inf)
        optimiser.step()
        if average is not None:
            average.update()
        return logged

    return step


def _check_scalar(loss: Any) -> None:
    if not isinstance(loss, Tensor) or loss.ndim:
        shape = f" of shape {tuple(loss.shape)}" if hasattr(loss, "shape") else ""
        raise TypeError(f"loss: got {type(loss).__name__}{shape}, expected a scalar Tensor")
