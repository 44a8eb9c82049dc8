"""The options that lessons share, and the command lines that they come from and can be written as."""

from __future__ import annotations

import math
import shlex
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, fields
from pathlib import Path
from typing import Any, Literal, Self, TypeVar

import tyro

import scratchgen as sg
from scratchgen.data import Images
from scratchgen.training import Run

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

    def begin(self, run: Run, lesson: Callable[[Any, Run], Any]) -> None:
        """What there is to check or to say once the run has a folder, before the lesson begins."""


@dataclass
class Options(Common):
    """The options of lessons that train."""

    steps: int | None = None
    """Training steps; unless given, what suits each model."""
    batch_size: int = 128
    resume: Path | None = None
    """The folder of an interrupted run of this lesson, to go on with it exactly."""


@dataclass
class OwnWorld(Common):
    """The options of lessons that draw their data themselves."""

    data: tyro.conf.Suppress[Literal["drawn"]] = "drawn"  # type: ignore[assignment]
    root: tyro.conf.Suppress[Path | None] = None


@dataclass
class Brief(Options):
    """The options of lessons whose trainings are short, and leave no checkpoint."""

    max_minutes: tyro.conf.Suppress[float | None] = None
    resume: tyro.conf.Suppress[Path | None] = None


SomeOptions = TypeVar("SomeOptions", bound=Common)


def images(options: Common) -> Images:
    """The images that ``--data`` names."""
    if (own := options.own()) is not None:
        return own
    if options.data == "digits":
        return sg.data.digits()
    load = sg.data.mnist if options.data == "mnist" else sg.data.fashion_mnist
    return load(None if options.root is None else str(options.root))


def parse(
    name: str, title: str, kind: type[SomeOptions], argv: list[str], default: SomeOptions | None = None
) -> SomeOptions:
    """The options of a command line, settled; ``--help`` shows the defaults that the others lead to."""

    def parsed(words: list[str], default: Any = tyro.MISSING_NONPROP) -> Any:
        prog = f"python3 demos {name}"
        # of a flag that a resumed run has on, both forms are taken, so that its command can be repeated
        alone = words == ["--help"] or default is tyro.MISSING_NONPROP
        flags = (tyro.conf.FlagCreatePairsOff,) if alone else ()
        return tyro.cli(kind, args=words, default=default, prog=prog, description=title, config=flags)

    asked = [word for word in argv if word not in ("-h", "--help")]
    options = parsed(asked) if default is None else parsed(asked, default)
    options.check()
    settled: SomeOptions = options.settled()
    if len(asked) < len(argv):
        parsed(["--help"], settled)
    return settled


def computed(options: Common) -> dict[str, Any]:
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
