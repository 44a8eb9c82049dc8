"""The training loop: batches, a step, a row of the log, a checkpoint."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from os import PathLike
from typing import Any

from ..backend import Array, RandomStream, asarray, checks, current_ranks
from ..data import batches
from ..nn.context import layers_draw_from
from .checkpoint import Stateful
from .interrupt import interruptible
from .metrics import Row, finite
from .progress import Progress
from .rehearsal import REHEARSED, current_rehearsal
from .run import Run
from .saver import Saver

Step = Callable[[Any, RandomStream], Mapping[str, Any]]
Observer = Callable[[int], Mapping[str, Any] | None]


def train(
    step: Step,
    data: Array | tuple[Array, ...],
    *,
    steps: int,
    batch_size: int = 128,
    seed: int = 0,
    parts: Mapping[str, Stateful] | None = None,
    run: Run | None = None,
    resume: str | PathLike[str] | None = None,
    on_step: Sequence[Observer] = (),
    log_every: int | None = None,
    checkpoint_every: int | None = None,
    quiet: bool = False,
) -> list[Row]:
    """Repeat a training step over batches of the data, with progress, metrics and checkpoints.

    `fit` is this loop for one loss and one optimiser; a GAN brings a step of its own.

    Parameters
    ----------
    step : callable
        ``step(batch, rng)`` changes the model and returns the terms to log, single numbers by name.
    data : array, or tuple of arrays of the same length
        The examples, along the first axis; a batch is of the same form, on the current device.
    steps : int
        How many steps there are in all, those before a resumption included.
    batch_size : int
    seed : int
        The examples' order is drawn from ``RandomStream(seed, "batch", epoch)``, and a step's `rng` is
        ``RandomStream(seed, "step", number)``, from whose child ``"layers"`` dropout and the like draw: to
        resume, no generator has to be remembered.
    parts : mapping
        What a checkpoint holds: ``{"model": vae, "optimiser": adam}``.
    run : Run, optional
        The folder for metrics and checkpoints; without it nothing is written.
    resume : path, optional
        A run's folder, or a checkpoint, to go on from.
    on_step : sequence of callables
        Each is called after every step with the number of steps done; numbers that it returns by name go into
        that step's row of the log. See `every`.
    log_every : int, optional
        Steps between two rows of the log, each the mean over them; a hundredth of all unless given.
    checkpoint_every : int, optional
        Steps between two checkpoints; about one a minute unless given. There is always one at the end.
    quiet : bool
        Whether to show no progress.

    Returns
    -------
    list of dict
        The rows of the log: ``step``, ``seconds`` and the terms.

    Raises
    ------
    TrainingError
        At the first term that is not finite, naming the step and the term (the last checkpoint is kept); or
        if another trains in the folder of the `run`.
    CheckpointError
        If the checkpoint to resume from does not fit, was not written by training, or was made with another
        seed, batch size or number of examples: the steps to come would not be those that were left.
    KeyboardInterrupt
        After Ctrl-C or SIGTERM, or when the time of `stop_after` is up, once the step at hand is done and a
        checkpoint is saved.
    """
    check_counts(steps=steps, batch_size=batch_size, log_every=log_every, checkpoint_every=checkpoint_every)
    arrays = check_data(data)
    order = {"seed": seed, "batch_size": batch_size, "examples": len(arrays[0])}
    ranks, rehearsal, planned = current_ranks(), current_rehearsal(), steps
    if rehearsal is not None:
        steps, quiet = min(steps, REHEARSED), True
    saver = Saver(run, parts or {}, order, checkpoint_every)
    log_every = log_every or max(1, min(100, steps // 100))
    with ExitStack() as contexts:
        contexts.enter_context(ranks.together())
        if run is not None:
            contexts.enter_context(run.locked())
        done, means, stop = saver.resume(resume), saver.means, False
        rows = [] if run is None else run.rewind(done)
        began = time.monotonic() - (rows[-1].get("seconds", 0.0) if rows else 0.0)
        progress = contexts.enter_context(Progress(done, steps, quiet=quiet or not ranks.first))
        interrupted = contexts.enter_context(interruptible())
        rehearsed, mark = [], time.monotonic()
        for number, batch in zip(range(done, steps), _batches(arrays, batch_size, seed, done), strict=False):
            rng = RandomStream(seed, "step", number)
            with layers_draw_from(rng.child("layers")):
                means.add(step(batch, rng))
            done = number + 1
            progress.advance()
            terms = means.row() if done % log_every == 0 or done == steps else {}
            if rehearsal is not None:
                rehearsed.append(time.monotonic() - mark)
            observed = _observe(on_step, done)
            if terms or observed:
                progress.show(terms)
                rows.append({"step": done, **terms, **observed, "seconds": time.monotonic() - began})
                if run is not None:
                    run.log(rows[-1])
            stop = ranks.any(interrupted())
            saver.save(done, now=stop or done == steps)
            if stop:
                break
            mark = time.monotonic()
        if ranks.any(stop or interrupted()):
            raise KeyboardInterrupt(saver.farewell(done, steps))
    if rehearsal is not None:
        rehearsal.note(planned, rehearsed)
    return rows


def every(period: int, observer: Callable[[int], Any]) -> Observer:
    """An observer for `train` that is called in every `period`-th step only; in a rehearsal in each.

    Examples
    --------
    >>> observe = every(2, lambda step: {"square": step * step})
    >>> [observe(step) for step in (1, 2, 3, 4)]
    [None, {'square': 4}, None, {'square': 16}]
    """
    check_counts(period=period)
    return lambda step: observer(step) if step % period == 0 or current_rehearsal() else None


def _observe(observers: Sequence[Observer], done: int) -> Row:
    """What the observers of a step have to say."""
    noted: Row = {}
    for observer in observers:
        for name, value in (observer(done) or {}).items():
            noted[name] = finite(value, name, f"after step {done:,}")
    return noted


def _batches(arrays: tuple[Array, ...], size: int, seed: int, done: int) -> Iterator[Any]:
    """Batch after batch, epoch after epoch, on the current device, from the one that follows `done` steps."""
    epoch, skipped = divmod(done, -(-len(arrays[0]) // size))
    for number in itertools.count(epoch):
        drawn = batches(arrays[0], size, RandomStream(seed, "batch", number), *arrays[1:])
        for batch in itertools.islice(drawn, skipped, None):
            yield tuple(map(asarray, batch)) if isinstance(batch, tuple) else asarray(batch)
        skipped = 0


def check_counts(**counts: int | None) -> None:
    """Raise unless each of `counts` is None or a positive whole number."""
    for name, count in counts.items():
        if count is not None:
            checks.whole(name, count)


def check_data(data: Array | tuple[Array, ...], name: str = "data") -> tuple[Array, ...]:
    """The arrays of the data, once none of them has a number that would spoil the training."""
    arrays = data if isinstance(data, tuple) else (data,)
    for i, array in enumerate(arrays):
        which = f"{name}[{i}]" if isinstance(data, tuple) else name
        checks.shape(which, array, ("examples", ...))
        checks.shape(which, array, (len(arrays[0]), ...), f"as many examples as {name}[0] has")
        if not len(array):
            raise ValueError(f"{which}: got 0 examples, expected at least one")
        checks.finite(which, array)
    return arrays
