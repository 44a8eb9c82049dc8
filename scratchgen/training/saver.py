"""When a training run is saved, and from where it goes on."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from os import PathLike
from pathlib import Path

from ..backend import current_ranks
from .checkpoint import Stateful, load_checkpoint, save_checkpoint
from .errors import CheckpointError
from .metrics import Means
from .run import CHECKPOINT, Run

SAVE_EVERY = 60.0  # seconds between checkpoints, unless steps are given


class Saver:
    """The checkpoints of one call of `train`.

    Parameters
    ----------
    run : Run or None
        Where they go; None saves nothing.
    parts : mapping
        What they hold, by name.
    order : mapping
        What fixes the examples' order: ``seed``, ``batch_size`` and ``examples``. It goes into every
        checkpoint, and has to be the same when training goes on.
    every : int or None
        Steps between two checkpoints; None saves about once a minute.

    Attributes
    ----------
    means : Means
        Of the terms since the last row of the log; every checkpoint holds them.
    """

    def __init__(
        self, run: Run | None, parts: Mapping[str, Stateful], order: Mapping[str, int], every: int | None
    ) -> None:
        self.run, self.parts, self.order, self.every = run, dict(parts), dict(order), every
        self.means = Means()
        self._saved = time.monotonic()

    def resume(self, place: str | PathLike[str] | None) -> int:
        """Restore the parts and means from a checkpoint, or a run's folder, and return the steps done.

        Raises
        ------
        CheckpointError
            If it does not fit the parts, was not written by training, or the examples' order was another.
        """
        ranks = current_ranks()
        done = ranks.once(lambda: self._load(place))
        if ranks.size > 1:  # so that they agree, whatever each has set up and wherever the file is
            means, states = ranks.agree(
                (self.means.state_dict(), {name: part.state_dict() for name, part in self.parts.items()})
            )
            self.means.load_state_dict(means, done)
            for name, part in self.parts.items():
                part.load_state_dict(states[name])
        return done

    def _load(self, place: str | PathLike[str] | None) -> int:
        if place is None:
            return 0
        path = Path(place) / CHECKPOINT if Path(place).is_dir() else Path(place)
        found = load_checkpoint(path)
        before = found.configuration.get("training")
        if not isinstance(before, dict) or set(before) != {*self.order, "means"}:
            raise CheckpointError(
                f"{path}: its configuration holds under 'training' {before!r:.100}, "
                f"expected {', '.join(self.order)} and means, as training writes them"
            )
        changed = [
            f"{n} was {before[n]}, but is {value}" for n, value in self.order.items() if before[n] != value
        ]
        if changed:
            raise CheckpointError(f"{path}: training cannot go on as it would have: " + ", ".join(changed))
        try:
            self.means.load_state_dict(before["means"], found.step)
        except (TypeError, ValueError) as error:
            raise CheckpointError(
                f"{path}: its configuration is not as training writes it: {error}"
            ) from error
        return load_checkpoint(path, **self.parts).step

    def save(self, done: int, now: bool) -> None:
        """Save after `done` steps if it is time to, or if it has to be `now`."""
        if self.run is None or not self.parts or not current_ranks().first:
            return
        due = time.monotonic() - self._saved >= SAVE_EVERY if self.every is None else done % self.every == 0
        if now or due:
            configuration = {
                **self.run.configuration,
                "training": {**self.order, "means": self.means.state_dict()},
            }
            save_checkpoint(self.run.checkpoint, step=done, configuration=configuration, **self.parts)
            self._saved = time.monotonic()

    def farewell(self, done: int, steps: int) -> str:
        """What is said after Ctrl-C; it is on standard error too, where it is seen without a traceback."""
        message = f"Interrupted after step {done:,} of {steps:,}. "
        if self.run is None or not self.parts:
            message += "Nothing was saved: training had no run."
        else:
            message += f"To go on: --resume {self.run.whole} (in Python: resume={str(self.run.folder)!r})"
        if current_ranks().first:
            print(message, file=sys.stderr)
        return message
