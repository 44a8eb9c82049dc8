"""What every lesson needs around its mathematics: options, data, a run folder, a page at the end."""

from __future__ import annotations

import math
import os
import re
import shlex
import sys
import webbrowser
from collections.abc import Callable, Mapping
from contextlib import ExitStack, redirect_stdout
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import numpy as np
import tyro

import scratchgen as sg
from scratchgen.data import DataError, Images
from scratchgen.training import CheckpointError, Run, TrainingError, current_rehearsal, stop_after

DATA = ("digits", "mnist", "fashion", "folder")
"""The images that a lesson can be given; some offer a toy world besides."""
ROOTED = DATA[1:]
"""Those whose files are somewhere."""


@dataclass
class Common:
    """The options that all lessons share, those too that train nothing."""

    data: Literal["digits", "mnist", "fashion"] = "digits"
    """Real images: digits (8x8, shipped), MNIST or Fashion-MNIST (28x28, downloaded unless in --root)."""
    root: Path | None = None
    """A folder that holds the files of MNIST or Fashion-MNIST."""
    seed: int = 0
    device: Literal["auto", "cpu", "cuda"] = "auto"
    quick: bool = False
    """A few steps only, to see that everything runs; the pictures will be poor."""
    out: Path = Path("runs")
    """Where the run folder goes."""
    open: bool = False
    """Show the page in a browser when it is done."""
    max_minutes: float | None = None
    """Stop after so many minutes, as Ctrl-C would: with a checkpoint, and how to go on from it."""
    rank_timeout: float = 300.0
    """Under mpiexec: how many seconds a rank waits for the others before all are ended."""

    def check(self) -> None:
        """End with a message if a number makes no sense."""
        for field in fields(self):
            value = getattr(self, field.name)
            if isinstance(value, bool) or not isinstance(value, int | float):
                continue
            lowest, expected = (1, "1 or more") if isinstance(value, int) else (1e-12, "a positive number")
            if field.name in ("seed", "beta", "guidance", "eta"):
                lowest, expected = 0, "0 or more"
            if not lowest <= value < math.inf:
                raise SystemExit(f"--{field.name.replace('_', '-')}: got {value}, expected {expected}")
        if self.root is not None and self.data not in ROOTED:
            raise SystemExit(f"--root: got {self.root} with --data {self.data}, which needs none")

    def settled(self) -> Self:
        """These options with what was left open (None) filled in, so that a page can say what was used."""
        return self

    def fetch(self) -> None:
        """Have the data at hand, before a folder is made; what a lesson draws itself needs nothing."""
        if self.data in DATA:
            images(self)

    def own(self) -> Images | None:
        """Your own pictures, of a lesson that takes these (`_pictures.py`) and is asked to."""
        return None

    def begin(self, run: Run, lesson: Lesson) -> None:
        """What there is to check or to say once the run has a folder, before the lesson begins."""


@dataclass
class Options(Common):
    """The options of lessons that train."""

    steps: int | None = None
    """Training steps; unless given, what suits each model."""
    batch_size: int = 128
    resume: Path | None = None
    """The folder of an interrupted run of this lesson, to go on with it exactly."""


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


def layers(model: sg.nn.Module) -> str:
    """The table of a model's layers, indented as the page shows code."""
    return "    " + str(model).replace("\n", "\n    ")


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


SomeOptions = TypeVar("SomeOptions", bound=Common)
Lesson = Callable[[Any, Run], Any]


def images(options: Common) -> Images:
    """The images that ``--data`` names."""
    if (own := options.own()) is not None:
        return own
    if options.data == "digits":
        return sg.data.digits()
    load = sg.data.mnist if options.data == "mnist" else sg.data.fashion_mnist
    return load(None if options.root is None else str(options.root))


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


NOT_THE_RUN = ("out", "open", "resume", "max_minutes", "rank_timeout")
"""Options that say nothing of what a run computes."""


def command(name: str, options: Common) -> str:
    """The command line that makes a run anew, with every setting that it used.

    Examples
    --------
    >>> command("vae", Options(steps=20, quick=True))
    'python3 demos vae --data digits --seed 0 --device auto --quick --steps 20 --batch-size 128'
    """
    parts = ["python3", "demos", name]
    for field in fields(options):
        value, flag = getattr(options, field.name), f"--{field.name.replace('_', '-')}"
        if value is None or value is False or field.name in NOT_THE_RUN or not offered(field):
            continue
        parts += [flag] if value is True else [flag, str(value)]
    return shlex.join(parts)


def offered(field: Field[Any]) -> bool:
    """Whether ``--help`` offers it; a lesson suppresses what it has no use for."""
    return "Suppress" not in str(field.type)


def lede(module: str) -> str:
    """What a lesson is about, from its docstring: the first line, and what follows up to a formula.

    Examples
    --------
    >>> lede("demos._lesson")
    'What every lesson needs around its mathematics: options, data, a run folder, a page at the end.'
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
    options, run = _parse(name, title, kind, argv), None
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
        options = _parse(name, title, kind, argv, before)
        if run.report.exists() and _computes(options) == _computes(before):
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


def _parse(
    name: str, title: str, kind: type[SomeOptions], argv: list[str], default: SomeOptions | None = None
) -> SomeOptions:
    """The options of a command line, settled; ``--help`` shows the defaults that the others lead to."""

    def parsed(words: list[str], default: Any = tyro.MISSING_NONPROP) -> Any:
        prog = f"python3 demos {name}"
        flags = (tyro.conf.FlagCreatePairsOff,)
        return tyro.cli(kind, args=words, default=default, prog=prog, description=title, config=flags)

    asked = [word for word in argv if word not in ("-h", "--help")]
    options = parsed(asked) if default is None else parsed(asked, default)
    options.check()
    settled: SomeOptions = options.settled()
    if len(asked) < len(argv):
        parsed(["--help"], settled)
    return settled


def _computes(options: Common) -> dict[str, Any]:
    """What two runs have to share for the one to be the other."""
    return {
        field.name: getattr(options, field.name) for field in fields(options) if field.name not in NOT_THE_RUN
    }


def remembered(kind: type[SomeOptions], configuration: Mapping[str, Any]) -> SomeOptions:
    """The options as ``config.json`` holds them."""
    known = {field.name for field in fields(kind)} - {"open", "resume"}
    paths = {name: Path(configuration[name]) for name in ("root", "out") if configuration.get(name)}
    return kind(**{name: value for name, value in configuration.items() if name in known} | paths)


def shared(options: Common, kind: type[SomeOptions]) -> SomeOptions:
    """Options of another lesson, with what these say of those that both have."""
    common = {field.name for field in fields(Options)} | {"size", "colour"}
    known = common & {field.name for field in fields(options)} & {field.name for field in fields(kind)}
    return kind(**{name: getattr(options, name) for name in known})
