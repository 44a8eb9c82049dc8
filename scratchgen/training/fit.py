"""Fit one model by one optimiser: the step that most models take."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..autograd import Tensor, no_grad
from ..backend import Array, RandomStream, asarray, checks
from ..nn import Module
from ..nn.context import evaluating, layers_draw_from
from ..optim import ExponentialMovingAverage, Optimizer, clip_grad_norm
from .loop import Observer, Step, check_counts, check_data, train
from .metrics import Row
from .ranks import shared, start_alike

Loss = Callable[..., Tensor | Mapping[str, Tensor]]


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
    validation: Array | tuple[Array, ...] | None = None,
    validate_every: int | None = None,
    seed: int = 0,
    on_step: Sequence[Observer] = (),
    **settings: Any,
) -> list[Row]:
    """Minimise a loss over data, as in ``fit(vae.loss, x, optim.Adam(vae.parameters()), epochs=10)``.

    In a program that ``mpiexec -n N`` started, each of the N ranks takes its part of every batch, and all
    take the same step: see `scratchgen.training.ranks`.

    Parameters
    ----------
    loss : callable
        ``loss(batch, rng)`` gives a scalar Tensor, or several by name of which ``"loss"`` is minimised and
        the others are logged. One that has a parameter `labels`, as the models' have, is called as
        ``loss(x, rng, labels=labels)``, and data may then be a pair.
    data : array, or tuple of arrays of the same length
        The examples, along the first axis.
    optimiser : Optimizer
    steps, epochs : int
        How long: the one or the other.
    batch_size : int
    model : Module, optional
        What checkpoints hold, and what is in evaluation during validation. It may be left out where `loss`
        is a method of it.
    average : ExponentialMovingAverage, optional
        Updated after every step, and kept in checkpoints.
    schedule : callable, optional
        The learning rate by step, counted from 0: see `scratchgen.optim.schedules`.
    clip_norm : float, optional
        Gradients are scaled down to this joint norm; the norm before is logged.
    validation : as `data`, optional
        Examples to measure the loss on, in evaluation, without learning from them; its means are logged as
        ``"validation loss"``. Its random numbers are the same each time, so that only the model differs.
    validate_every : int, optional
        Steps between two validations, once an epoch unless given; there is always one at the end.
    seed, on_step
        See `train`.
    **settings
        ``run``, ``resume``, ``log_every``, ``checkpoint_every``, ``quiet``: see `train`.

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
    check_counts(steps=steps, epochs=epochs, batch_size=batch_size, validate_every=validate_every)
    checks.instance("optimiser", optimiser, Optimizer, "for example sg.optim.Adam(model.parameters())")
    terms_of = _terms_of(loss)
    epoch = -(-len(check_data(data)[0]) // batch_size)
    steps = epochs * epoch if steps is None else steps  # type: ignore[operator]
    owner = getattr(loss, "__self__", None)
    model = owner if model is None and isinstance(owner, Module) else model
    if model is None and (settings.get("run") is not None or validation is not None):
        raise ValueError(
            "model: got None, expected the model, for the checkpoints of a run or for validation"
        )
    if validation is not None and model is not None:
        validate = _validation(terms_of, validation, model, batch_size, seed)
        period, last = validate_every or epoch, steps
        on_step = [*on_step, lambda done: validate() if done % period == 0 or done == last else None]
    start_alike(optimiser)
    parts = {"model": model, "optimiser": optimiser, "average": average}
    return train(
        _step(terms_of, optimiser, average, schedule, clip_norm),
        data,
        steps=steps,
        batch_size=batch_size,
        seed=seed,
        parts={name: part for name, part in parts.items() if part is not None} if model else {},
        on_step=on_step,
        **settings,
    )


def _terms_of(loss: Loss) -> Callable[[Any, RandomStream], dict[str, Tensor]]:
    """The terms of a batch by name, of a loss of either form."""
    if isinstance(loss, Module):
        raise TypeError(
            f"loss: got a {type(loss).__name__}, expected its loss: fit(model.loss, data, optimiser)"
        )
    if not callable(loss):
        raise TypeError(
            f"loss: got {type(loss).__name__}, expected a function of a batch and a random stream"
        )
    takes_labels = "labels" in inspect.signature(loss).parameters

    def terms_of(batch: Any, rng: RandomStream) -> dict[str, Tensor]:
        if takes_labels:
            x, *labels = batch if isinstance(batch, tuple) else (batch,)
            if len(labels) > 1:
                raise ValueError(f"data: got {len(batch)} arrays, expected x or (x, labels)")
            terms = loss(x, rng, labels=labels[0] if labels else None)
        else:
            terms = loss(batch, rng)
        terms = dict(terms) if isinstance(terms, Mapping) else {"loss": terms}
        if "loss" not in terms:
            raise ValueError(f"loss: gave the terms {', '.join(terms)}, expected one of them to be 'loss'")
        return terms

    return terms_of


def _validation(
    terms_of: Callable[[Any, RandomStream], dict[str, Tensor]],
    data: Array | tuple[Array, ...],
    model: Module,
    batch_size: int,
    seed: int,
) -> Callable[[], Row]:
    """The means of the terms over all of the validation data, by name."""
    arrays = check_data(data, "validation")
    count = len(arrays[0])

    def validate() -> Row:
        sums: dict[str, Any] = {}
        for start in range(0, count, batch_size):
            rng = RandomStream(seed, "validation", start)
            batch = tuple(asarray(array[start : start + batch_size]) for array in arrays)
            with (
                no_grad(),
                evaluating(model),
                layers_draw_from(rng.child("layers")),
                shared(batch if isinstance(data, tuple) else batch[0], rng) as share,
            ):
                terms = terms_of(share.batch, share.rng)
            for name, value in share.add_up(terms).items():
                sums[name] = sums.get(name, 0.0) + value * (len(batch[0]) / count)
        return {f"validation {name}": total for name, total in sums.items()}

    return validate


def _step(
    terms_of: Callable[[Any, RandomStream], dict[str, Tensor]],
    optimiser: Optimizer,
    average: ExponentialMovingAverage | None,
    schedule: Callable[[int], float] | None,
    clip_norm: float | None,
) -> Step:
    def step(batch: Any, rng: RandomStream) -> dict[str, Any]:
        with shared(batch, rng) as share:
            terms = terms_of(share.batch, share.rng)
            _check_scalar(terms["loss"])
            optimiser.zero_grad()
            share.weighted(terms["loss"]).backward()
        logged = share.add_up(terms, optimiser.flat.parameters)
        if clip_norm is not None:
            logged["gradient norm"] = clip_grad_norm(optimiser.flat.parameters, clip_norm)
        if schedule is not None:
            optimiser.lr = checks.number("schedule", schedule(optimiser.steps), "[0, inf)")
        optimiser.step()
        if average is not None:
            average.update()
        return logged

    return step


def _check_scalar(loss: Any) -> None:
    if not isinstance(loss, Tensor) or loss.ndim:
        shape = f" of shape {tuple(loss.shape)}" if hasattr(loss, "shape") else ""
        raise TypeError(f"loss: got {type(loss).__name__}{shape}, expected a scalar Tensor")
