"""A run: the folder of one training, with all that is worth keeping of it."""

from __future__ import annotations

import json
import os
import re
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..backend import current_ranks
from ..backend.environment import environment
from .atomic import atomic_write
from .errors import TrainingError
from .lock import lock
from .manifest import settings
from .metrics import Row, append_row, read_rows, rewind_rows
from .report import Picture, Section, render

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..plots.explorables import Explorable

CHECKPOINT = "checkpoint.npz"
METRICS = "metrics.csv"
DOTS_PER_INCH = 200  # twice what figures are laid out for: sharp on screens of double density


class Run:
    """A new folder ``<root>/<name>-<time>/``; of several ranks only the first writes there.

    It holds ``config.json``, ``environment.json``, ``metrics.csv``, pictures, ``checkpoint.npz``, and
    ``report.html``, one page that needs no other file.

    Parameters
    ----------
    name : str
        Of the demo or experiment, such as ``"vae"``.
    configuration : mapping or dataclass, optional
        The settings, of what JSON can hold.
    root : path
        Where runs are kept.

    Attributes
    ----------
    folder : Path
    checkpoint : Path
        Where the checkpoint is, or will be.
    configuration : dict
    whole : Path
        The folder of the run that this is a part of, or its own: what a whole lesson resumes from.
    """

    def __init__(self, name: str, configuration: Any = None, root: str | PathLike[str] = "runs") -> None:
        if not re.fullmatch(r"\w[\w. -]*", name):
            raise ValueError(f"name: got {name!r}, expected letters, digits, spaces, '.', '-' and '_'")
        self.configuration = settings(configuration)
        self.name = name
        self.folder = current_ranks().once(lambda: self._make(Path(root)))
        self._begin(self.folder)

    def _make(self, root: Path) -> Path:
        folder = _new_folder(root, f"{self.name}-{time.strftime('%Y%m%d-%H%M%S')}")
        _write_json(folder / "config.json", self.configuration)
        found = {"run": self.name, **environment(), "command": sys.argv, "ranks": current_ranks().size}
        _write_json(folder / "environment.json", found)
        return folder

    def _begin(self, whole: Path) -> None:
        self.whole = whole
        self.sections: list[Section] = []
        self._drawn: set[Path] = set()

    @classmethod
    def reopen(cls, folder: str | PathLike[str]) -> Run:
        """The run in a folder that is there already, to go on with it.

        Raises
        ------
        ValueError
            If the folder is not a run's.
        """
        run = cls.__new__(cls)
        run.folder = Path(folder)
        try:
            run.configuration = json.loads((run.folder / "config.json").read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise ValueError(
                f"folder: got {str(folder)!r}, expected the folder of a run ({error})"
            ) from error
        run.name = _name(run.folder)
        run._begin(run.folder)
        return run

    def part(self, name: str) -> Run:
        """The run in the folder ``<folder>/<name>``: a new one, or the one there already."""
        return current_ranks().once(lambda: self._part(name))

    def _part(self, name: str) -> Run:
        folder = self.folder / name
        if (folder / "config.json").exists():
            run = Run.reopen(folder)
            run.whole = self.whole
            return run
        run = Run.__new__(Run)
        run.configuration, run.name, run.folder = self.configuration, name, folder
        run._begin(self.whole)
        folder.mkdir(exist_ok=True)
        _write_json(folder / "config.json", run.configuration)
        found = (self.folder / "environment.json").read_text(encoding="utf-8")
        _write_json(folder / "environment.json", {**json.loads(found), "run": name})
        return run

    @property
    def report(self) -> Path:
        """Where the page is, or will be: what is written last."""
        return self.folder / "report.html"

    @property
    def checkpoint(self) -> Path:
        """Where the checkpoint is, or will be."""
        return self.folder / CHECKPOINT

    def log(self, row: Mapping[str, float]) -> None:
        """Append a row to ``metrics.csv``, on the disk at once."""
        if current_ranks().first:
            append_row(self.folder / METRICS, row)

    def metrics(self) -> list[Row]:
        """The rows of ``metrics.csv``."""
        return read_rows(self.folder / METRICS)

    def rewind(self, done: int) -> list[Row]:
        """Forget the rows after `done` steps, which will be made again, and return those before.

        Raises
        ------
        ValueError
            If that would forget all of another training's rows.
        """
        return current_ranks().once(lambda: self._rewind(done))

    def _rewind(self, done: int) -> list[Row]:
        if done == 0 and (rows := self.metrics()):
            raise ValueError(
                f"run: got {self.folder}, which holds {len(rows)} rows of metrics already, "
                "expected a new Run, or resume= to go on"
            )
        return rewind_rows(self.folder / METRICS, done)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Within this context no other process or thread may train in the folder.

        The lock lies on the folder itself, without a file, and ends with the process. Windows has none.

        Raises
        ------
        TrainingError
            If another trains there.
        """
        if os.name == "nt":
            yield
            return
        ranks, held = current_ranks(), []
        try:
            ranks.once(lambda: held.append(self._lock()))
            yield
        finally:
            for descriptor in held:
                os.close(descriptor)

    def _lock(self) -> int:
        descriptor = os.open(self.folder, os.O_RDONLY)
        if not lock(descriptor, unknown=True):
            os.close(descriptor)
            raise TrainingError(
                f"run: got {self.folder}, where another training is at work, expected a free one"
            )
        return descriptor

    def section(
        self,
        title: str,
        text: str = "",
        *,
        numbers: Mapping[str, Any] | None = None,
        pictures: Mapping[str, Figure | str | PathLike[str]] | None = None,
        table: Sequence[Sequence[Any]] | None = None,
        explorables: Sequence[Explorable] = (),
    ) -> None:
        """Add a section to the report, and its pictures to the folder.

        Parameters
        ----------
        title : str
        text : str
            Paragraphs, parted by empty lines; an indented one keeps its lines and spaces.
        numbers : mapping, optional
            A few results to show large, by name.
        pictures : mapping, optional
            Figures, or paths of PNG and GIF files, by caption.
        table : sequence of rows, optional
            The first row is the head. Numbers are aligned and rounded to four digits.
        explorables : sequence of Explorable, optional
            Drawings to play with: see `scratchgen.plots.explorables`.
        """
        if not current_ranks().first:
            return
        shown = []
        for caption, picture in (pictures or {}).items():
            if isinstance(picture, str | PathLike):
                shown.append(Picture.read(Path(picture), caption))
            else:
                light, dark = self._save_figure(title, picture)
                shown.append(Picture.read(light, caption, dark, _has_words(picture)))
        self.sections.append(Section(title, text, dict(numbers or {}), shown, list(table or []), explorables))

    def write_report(self, title: str | None = None, text: str = "", command: str = "") -> Path:
        """Write ``report.html`` of the sections so far, and return its path.

        Parameters
        ----------
        title : str, optional
            The run's name unless given.
        text : str
            What the page is about, in a sentence or two.
        command : str
            What makes this page again.
        """
        path = self.report
        if not current_ranks().first:
            return path
        found = json.loads((self.folder / "environment.json").read_text(encoding="utf-8"))
        page = render(title or self.name, text, self.sections, self.configuration, found, command)
        with atomic_write(path) as file:
            file.write(page.encode())
        return path

    def _save_figure(self, title: str, figure: Figure) -> tuple[Path, Path]:
        """Save a figure as it is drawn, and as it is for dark pages."""
        from ..plots.style import darkened  # pictures are imported when there are any

        base = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:48] or "picture"
        path, number = self.folder / f"{base}.png", 2
        while path in self._drawn:  # those of an earlier call are drawn anew
            path, number = self.folder / f"{base}-{number}.png", number + 1
        self._drawn.add(path)
        figure.savefig(path, dpi=DOTS_PER_INCH)
        dark = path.with_stem(f"{path.stem}-dark")
        with darkened(figure):
            figure.savefig(dark, dpi=DOTS_PER_INCH)
        return path, dark


def _has_words(figure: Figure) -> bool:
    """Whether a figure has names or numbers that are to be read."""

    def numbers(axes: Axes) -> bool:
        return axes.axison and len(axes.get_xticks()) + len(axes.get_yticks()) > 0

    def titled(axes: Axes) -> bool:
        return any(axes.get_title(loc=place) for place in ("left", "center", "right"))

    return any(numbers(axes) or axes.texts or titled(axes) for axes in figure.axes)


def _new_folder(root: Path, name: str) -> Path:
    """A folder of that name that did not exist: two runs of the same second get two."""
    for number in range(1, 10_000):
        folder = root / (name if number == 1 else f"{name}-{number}")
        try:
            folder.mkdir(parents=True)
        except FileExistsError:
            if not folder.is_dir():
                raise
        else:
            return folder
    raise FileExistsError(f"root: {root} holds ten thousand runs named {name}")


def _name(folder: Path) -> str:
    """What the run in a folder is of: as it says itself, or else as the folder is named."""
    try:
        return str(json.loads((folder / "environment.json").read_text(encoding="utf-8"))["run"])
    except (OSError, ValueError, KeyError):
        return re.sub(r"-\d{8}-\d{6}(-\d+)?$", "", folder.resolve().name)


def _write_json(path: Path, content: Any) -> None:
    with atomic_write(path) as file:
        file.write((json.dumps(content, indent=2) + "\n").encode())
