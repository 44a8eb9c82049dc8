"""What every lesson needs around its mathematics: a run folder, how long to train, a page at the end."""

from __future__ import annotations

import os
import re
import shlex
import sys
import webbrowser
from collections.abc import Callable
from contextlib import ExitStack, redirect_stdout
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import scratchgen as sg
from demos._options import (
    Brief as Brief,
    Common,
    Options,
    OwnWorld as OwnWorld,
    SomeOptions,
    command,
    computed,
    images as images,
    parse,
    remembered,
)
from scratchgen.data import DataError
from scratchgen.training import CheckpointError, Run, TrainingError, current_rehearsal, stop_after

Lesson = Callable[[Any, Run], Any]


@dataclass(frozen=True)
class Outcome:
    """What a lesson hands to the tour, which compares the models of all lessons."""

    numbers: dict[str, str]
    """The results, in words, by name."""
    parameters: int
    """How many numbers the model learnt."""
    seconds: float
    """How long that took."""
    sample: Callable[[int, sg.RandomStream], Any]
    """New images: ``sample(n, rng)``, shape (n, channels, height, width), in [0, 1]."""
    drawn: Any = None
    """What the judge saw of them (`demos._judge.Drawn`), where the lesson has asked it."""


def outcome(
    model: sg.nn.Module,
    numbers: dict[str, str],
    rows: list[dict[str, float]],
    sample: Callable[[int, sg.RandomStream], Any],
    drawn: Any = None,
) -> Outcome:
    """What a lesson hands over, its numbers printed; `rows` are the log of its training."""
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    return Outcome(numbers, model.parameter_count(), rows[-1]["seconds"], sample, drawn)


def layer_table(model: sg.nn.Module) -> list[list[str]]:
    """The layers of a model, as it prints them, as a table of the page.

    Examples
    --------
    >>> layer_table(sg.nn.Sequential(sg.nn.Linear(4, 3)))[1:]
    [['0 Linear(4, 3)', '-', '15'], ['Sequential: 15 parameters', '', '']]
    """
    rows, column = [["layer", "output shape", "parameters"]], 0
    for line in str(model).splitlines():
        if line.startswith("layer "):
            column = line.index("output shape")
        elif line.strip("- ") and line[column - 2 : column].strip():  # a title, or the sum
            rows.append([line, "", ""])
        elif line.strip("- "):
            shape, _, count = line[column:].rpartition(" ")
            rows.append([" ".join(line[:column].split()), shape.strip(), count])
    return rows


def steps(options: Options, default: int) -> int:
    """How many steps to train: as asked for, else the lesson's default, and few with ``--quick``."""
    return options.steps or (20 if briefly(options) else default)


def briefly(options: Common) -> bool:
    """Whether few steps will do: with ``--quick``, unless it is a rehearsal, which has to count all."""
    return options.quick and current_rehearsal() is None


def some(images_: np.ndarray, numbers: int = 50_000_000) -> np.ndarray:
    """The first images, with so many numbers in all at most: all of MNIST, a part of many large pictures."""
    return images_[: max(2, numbers // images_[0].size)]


def resumption(run: Run) -> Path | None:
    """Where training goes on from: the run's checkpoint, if there is one already."""
    return run.folder if run.checkpoint.exists() else None


def lede(module: str) -> str:
    """What a lesson is about, from its docstring: the first line, and what follows up to a formula.

    Examples
    --------
    >>> lede("demos._lesson")
    'What every lesson needs around its mathematics: a run folder, how long to train, a page at the end.'
    """
    text = (sys.modules[module].__doc__ or "").replace("`", "").replace("*", "")
    about, *others = re.split(r"\n\s*\n", text.strip())
    head, _, rest = about.partition(": ")
    if rest and len(head.split()) <= 3:  # it is the title
        about = rest[0].upper() + rest[1:]
    leads_to_formula = others[1:] and others[1].startswith("    ")
    return about if leads_to_formula or not others else f"{about}\n\n{others[0]}"


def main(name: str, title: str, kind: type[SomeOptions], lesson: Lesson, argv: list[str] | None) -> None:
    """Run one lesson from the command line and end with the path of its page."""
    ranks = sg.backend.current_ranks()
    with ExitStack() as contexts:
        if not ranks.first:  # the first speaks for all
            contexts.enter_context(redirect_stdout(contexts.enter_context(open(os.devnull, "w"))))
        try:
            with ranks.together():
                options, run = _prepare(name, title, kind, argv)
                if run is None:
                    return
                if options.max_minutes is not None:
                    contexts.enter_context(stop_after(options.max_minutes))
                options.begin(run, lesson)
                lesson(options, run)
            page = run.write_report(title, lede(lesson.__module__), command(name, options)).resolve()
            print(f"\n{page}")
            if options.open and ranks.first:
                webbrowser.open(page.as_uri())
        except KeyboardInterrupt:
            raise SystemExit(130) from None  # how to go on has been said
        except (CheckpointError, DataError, TrainingError, OSError) as error:
            raise SystemExit(f"{type(error).__name__}: {error}" if ranks.first else 1) from None


def _prepare(
    name: str, title: str, kind: type[SomeOptions], argv: list[str] | None
) -> tuple[SomeOptions, Run | None]:
    """The options, checked and with their data at hand before a folder is made; and the folder.

    None stands for a run that is finished already: nothing is left to do, and nothing is changed.
    """
    argv = sys.argv[1:] if argv is None else argv
    options, run = parse(name, title, kind, argv), None
    if (folder := getattr(options, "resume", None)) is not None:
        try:
            run = Run.reopen(folder)
        except ValueError as error:
            raise SystemExit(f"--resume: {error}") from None
        if run.name != name:
            raise SystemExit(
                f"--resume: {folder} is a run of {run.name}, expected one of {name}; "
                f"to go on: python3 demos {run.name} --resume {shlex.quote(str(folder))}"
            )
        # with the options that the run began with, unless told otherwise
        before = remembered(kind, run.configuration)
        options = parse(name, title, kind, argv, before)
        if run.report.exists() and computed(options) == computed(before):
            print(f"This run is finished, and nothing was changed.\n\n{run.report.resolve()}")
            return options, None
    options.check()
    try:
        sg.use_device(options.device)
    except RuntimeError as error:
        raise SystemExit(f"--device: {error}") from None
    ranks = sg.backend.current_ranks()
    ranks.timeout = options.rank_timeout
    ranks.once(options.fetch)  # what has to be downloaded is downloaded once
    return options, run or Run(name, options, root=options.out)
