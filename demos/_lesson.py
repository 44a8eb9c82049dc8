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

DATA = ("digits", "mnist", "fashion")
"""The images that a lesson can be given; some offer a toy world besides."""


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

    def check(self) -> None:
        """End with a message if a number makes no sense."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float) or field.name == "seed":
                continue
            lowest, expected = (1, "1 or more") if isinstance(value, int) else (1e-12, "a positive number")
            if field.name in ("beta", "guidance", "eta"):
                lowest, expected = 0, "0 or more"
            if not lowest <= value < math.inf:
                raise SystemExit(f"--{field.name.replace('_', '-')}: got {value}, expected {expected}")

    def fetch(self) -> None:
        """Have the data at hand, before a folder is made; what a lesson draws itself needs nothing."""
        if self.data in DATA:
            images(self)


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


def outcome(
    model: sg.nn.Module,
    numbers: dict[str, str],
    rows: list[dict[str, float]],
    sample: Callable[[int, sg.RandomStream], Any],
) -> Outcome:
    """What a lesson hands over, its numbers printed; `rows` are the log of its training."""
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    return Outcome(numbers, model.parameter_count(), rows[-1]["seconds"], sample)


def layers(model: sg.nn.Module) -> str:
    """The table of a model's layers, indented as the page shows code."""
    return "    " + str(model).replace("\n", "\n    ")


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
        options, run = _prepare(name, title, kind, argv)
        lesson(options, run)
        print(f"\n{run.write_report(title)}")
    except KeyboardInterrupt:
        raise SystemExit(130) from None  # how to go on has been said
    except (CheckpointError, DataError, TrainingError, OSError) as error:
        raise SystemExit(f"{type(error).__name__}: {error}") from None


def _prepare(
    name: str, title: str, kind: type[SomeOptions], argv: list[str] | None
) -> tuple[SomeOptions, Run]:
    """The options, checked and with their data at hand before a folder is made; and the folder."""
    options = tyro.cli(kind, args=argv, prog=f"python3 demos {name}", description=title)
    run = None
    if options.resume is not None:  # with the options that the run began with, unless told otherwise
        try:
            run = Run.reopen(options.resume)
        except ValueError as error:
            raise SystemExit(f"--resume: {error}") from None
        options = tyro.cli(kind, args=argv, default=remembered(kind, run.configuration))
    options.check()
    try:
        sg.use_device(options.device)
    except RuntimeError as error:
        raise SystemExit(f"--device: {error}") from None
    options.fetch()
    return options, run or Run(name, options, root=options.out)


def remembered(kind: type[SomeOptions], configuration: dict[str, Any]) -> SomeOptions:
    """The options as ``config.json`` holds them."""
    known = {field.name for field in fields(kind)}
    paths = {name: Path(configuration[name]) for name in ("root", "out") if configuration.get(name)}
    return kind(**{name: value for name, value in configuration.items() if name in known} | paths)
