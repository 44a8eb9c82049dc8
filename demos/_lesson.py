"""What every lesson needs around its mathematics: options, data, a run folder, a page at the end."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal, TypeVar

import tyro

import scratchgen as sg
from scratchgen.data import DataError, Images
from scratchgen.training import CheckpointError, Run, TrainingError


@dataclass
class Options:
    """The options that all lessons share."""

    data: Literal["digits", "mnist", "fashion"] = "digits"
    """Real images: digits (8x8, shipped), MNIST or Fashion-MNIST (28x28, downloaded unless in --root)."""
    root: Path | None = None
    """A folder that holds the files of MNIST or Fashion-MNIST."""
    steps: int | None = None
    """Training steps; each lesson has its own default."""
    batch_size: int = 128
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    quick: bool = False
    """A few steps only, to see that everything runs; the pictures will be poor."""
    out: Path = Path("runs")
    """Where the run folder goes."""
    resume: Path | None = None
    """The folder of an interrupted run of this lesson, to go on with it exactly."""


SomeOptions = TypeVar("SomeOptions", bound=Options)
Lesson = Callable[[Any, Run], Any]


def images(options: Options) -> Images:
    """The images that ``--data`` names."""
    if options.data == "digits":
        return sg.data.digits()
    load = sg.data.mnist if options.data == "mnist" else sg.data.fashion_mnist
    return load(None if options.root is None else str(options.root))


def steps(options: Options, default: int) -> int:
    """How many steps to train: as asked for, else the lesson's default, and few with ``--quick``."""
    return options.steps or (20 if options.quick else default)


def resumption(run: Run) -> Path | None:
    """Where training goes on from: the run's checkpoint, if there is one already."""
    return run.folder if run.checkpoint.exists() else None


def main(name: str, title: str, kind: type[SomeOptions], lesson: Lesson, argv: list[str] | None) -> None:
    """Run one lesson from the command line and end with the path of its page."""
    try:
        _run(name, title, kind, lesson, argv)
    except KeyboardInterrupt:
        raise SystemExit(130) from None  # how to go on has been said
    except (CheckpointError, DataError, TrainingError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None


def check(options: Options) -> None:
    """End with a message if a number makes no sense, before any folder is made."""
    for field in fields(options):
        value = getattr(options, field.name)
        lowest = {"seed": -math.inf, "beta": 0}.get(field.name, 1 if isinstance(value, int) else 1e-12)
        if isinstance(value, int | float) and not isinstance(value, bool) and not value >= lowest:
            expected = "0 or more" if lowest == 0 else "1 or more" if lowest == 1 else "a positive number"
            raise SystemExit(f"--{field.name.replace('_', '-')}: got {value}, expected {expected}")


def _run(name: str, title: str, kind: type[SomeOptions], lesson: Lesson, argv: list[str] | None) -> None:
    options = tyro.cli(kind, args=argv, prog=f"python3 demos {name}", description=title)
    check(options)
    if options.resume is None:
        run = Run(name, options, root=options.out)
    else:  # with the options that the run began with, unless told otherwise
        run = Run.reopen(options.resume)
        options = tyro.cli(kind, args=argv, default=remembered(kind, run.configuration))
    sg.use_device(options.device)
    lesson(options, run)
    print(f"\n{run.write_report(title)}")


def remembered(kind: type[SomeOptions], configuration: dict[str, Any]) -> SomeOptions:
    """The options as ``config.json`` holds them."""
    known = {field.name for field in fields(kind)}
    paths = {name: Path(configuration[name]) for name in ("root", "out") if configuration.get(name)}
    return kind(**{name: value for name, value in configuration.items() if name in known} | paths)
