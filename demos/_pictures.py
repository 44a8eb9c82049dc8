"""Your own pictures in a lesson: ``--data folder --root DIR``, and how long it will take, said beforehand."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from dataclasses import dataclass, replace
from functools import lru_cache
from io import StringIO
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Literal, TypeVar

import numpy as np

import scratchgen as sg
from demos import _lesson
from scratchgen.data import Images
from scratchgen.training import Run, rehearsing
from scratchgen.training.rehearsal import REHEARSED

NOTE = "pictures.json"
SMALL, SIZE, LARGE, STEP = 16, 32, 64, 8
"""Sides of pictures, in pixels, and what divides them: networks halve an image up to three times."""
LEAST = 36  # pictures
COLUMNS = 10
"""Of classes that a page shows."""


Recipe = TypeVar("Recipe")


@dataclass
class OwnPictures(_lesson.Common):
    """The options of lessons that take the pictures of a folder."""

    data: Literal["digits", "mnist", "fashion", "folder"] = "digits"  # type: ignore[assignment]
    """Real images: digits (8x8, shipped), MNIST or Fashion-MNIST (28x28, downloaded unless in --root); or
    folder, your own pictures in --root."""
    root: Path | None = None
    """The folder of your pictures, in which each folder is a class; or where the files of MNIST are."""
    size: int = SIZE
    """Of your own pictures: the side, in pixels, to which they are resized: 16, 24, .. 64."""
    colour: bool = False
    """Your own pictures keep their colours."""

    def check(self) -> None:
        """What all lessons check; and that there is a folder, and pictures of a size that networks take."""
        super().check()
        if self.data != "folder":
            if self.colour or self.size != SIZE:
                raise SystemExit(f"--size, --colour: got one with --data {self.data}, expected --data folder")
            return
        if self.root is None:
            raise SystemExit("--data folder: got no --root, expected the folder of your pictures there")
        if not SMALL <= self.size <= LARGE or self.size % STEP:
            raise SystemExit(
                f"--size: got {self.size}, expected {SMALL} to {LARGE} pixels, divisible by {STEP}"
            )

    def fetch(self) -> None:
        """Have the data at hand, as they are now."""
        _loaded.cache_clear()
        super().fetch()
        if (own := self.own()) is not None and (count := len(own.train) + len(own.test)) < LEAST:
            raise SystemExit(
                f"--data folder: got {count} pictures in {self.root}, expected {LEAST} or more: a sixth "
                "of them is for testing"
            )

    def own(self) -> Images | None:
        """The pictures of the folder, if these are asked for."""
        return self.pictures() if self.data == "folder" else None

    def pictures(self) -> Images:
        """The pictures of the folder."""
        return _loaded(str(self.root), self.size, 3 if self.colour else 1)

    def begin(self, run: Run, lesson: Callable[[Any, Run], Any]) -> None:
        """Note which pictures a new run has, or see that they are the same; and say how long it will take."""
        super().begin(run, lesson)
        if self.data != "folder":
            return
        data = self.pictures()
        now = {"fingerprint": data.fingerprint, "pictures": len(data.train) + len(data.test)}
        before = sg.backend.current_ranks().once(lambda: _noted(run.folder / NOTE, now))
        if before not in (None, now):
            raise SystemExit(
                f"--resume: got other pictures in {self.root} ({now['pictures']:,}) than those that the run "
                f"began with ({before['pictures']:,}), expected the same; without --resume a new run begins"
            )
        print(f"{data}; {_classes_in_words(data)}")
        if before is None and not self.quick:
            print(forecast(self, lesson), flush=True)


@lru_cache(maxsize=1)  # all files are read for their fingerprint, and a lesson asks several times
def _loaded(root: str, size: int, channels: int) -> Images:
    return sg.data.folder(root, size, channels)


def _noted(path: Path, now: dict[str, Any]) -> dict[str, Any] | None:
    """What was noted of the pictures; None, where nothing was: then `now` is."""
    if not path.exists():
        path.write_text(json.dumps(now, indent=1) + "\n", encoding="utf-8")
        return None
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def _classes_in_words(data: Images) -> str:
    """How many pictures each class has.

    Examples
    --------
    >>> pixels, labels = np.zeros((3, 1, 2, 2), np.float32), np.array([0, 1, 1])
    >>> _classes_in_words(Images("holidays", pixels, labels, pixels, labels, 256, ("sea", "alps")))
    'sea 2, alps 4'
    """
    labels = np.concatenate([data.train_labels, data.test_labels])
    counts = np.bincount(labels, minlength=len(data.class_names))
    if len(data.class_names) < 2:
        return "of one kind: there are no folders below it whose names could be classes"
    named = [f"{name} {count:,}" for name, count in zip(data.class_names, counts, strict=True)]
    return ", ".join(named[:COLUMNS]) + (f" and {len(named) - COLUMNS} more" if named[COLUMNS:] else "")


def by_size(recipes: Mapping[int, Recipe], options: Any) -> Recipe:
    """What suits pictures of that size: the recipe of the smallest side that is as large.

    Examples
    --------
    >>> by_size({31: "small", 64: "large"}, OwnPictures(size=32))
    'large'
    """
    return recipes[min(side for side in recipes if side >= options.size)]


def schedule(options: Any, steps: int) -> Callable[[int], float]:
    """The learning rate by step, which falls to 0; on your own pictures it rises first.

    Large convolutions that begin with long steps lose their rectifiers, and draw one picture for all.
    """
    falling = sg.optim.schedules.cosine(options.lr, steps)
    return sg.optim.schedules.warmup(falling, min(100, steps)) if options.data == "folder" else falling


# -- classes ----------------------------------------------------------------------------------------------
def classes(data: Images) -> int | None:
    """How many classes there are; None if all is of one, which is none.

    Examples
    --------
    >>> classes(sg.data.digits())
    10
    """
    found = int(data.train_labels.max()) + 1
    return found if found > 1 else None


def need_classes(options: Any, what_for: str, least: int = 2) -> None:
    """End with a message unless each of two or more classes has at least so many pictures to learn from."""
    if options.data != "folder":
        return
    data = options.pictures()
    if classes(data) is None:
        raise SystemExit(
            f"--data folder: got pictures of one kind in {options.root}, expected a folder for each class "
            f"there: {what_for}"
        )
    counts = np.bincount(data.train_labels, minlength=len(data.class_names))
    if counts.min() < least:
        rarest = data.class_names[int(counts.argmin())]
        raise SystemExit(
            f"--data folder: got {counts.min()} pictures of {rarest!r} to learn from, expected {least} or "
            f"more of each class: {what_for}"
        )


def columns(count: int | None) -> np.ndarray | None:
    """A class for each of a page's ten columns: all that there are, or the first ten. None without classes.

    Examples
    --------
    >>> columns(10), columns(3), columns(None)
    (array([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]), array([0, 0, 0, 0, 1, 1, 1, 2, 2, 2]), None)
    """
    return None if count is None else np.sort(np.arange(COLUMNS) % count)


def tiled(labels: np.ndarray | None, rows: int) -> np.ndarray | None:
    """The labels of so many rows."""
    return None if labels is None else np.tile(labels, rows)


def column_title(data: Images) -> str:
    """What the columns of new images are.

    Examples
    --------
    >>> column_title(sg.data.digits())
    'New images, a column for each class'
    """
    count, names = classes(data), data.class_names
    if count is None:
        return "New images"
    if count == COLUMNS or not names:
        return "New images, a column for each class"
    return "New images; the columns are of " + ", ".join(names[:COLUMNS])


def for_components(images: np.ndarray) -> np.ndarray:
    """As many images as principal components need: all of small ones, at most 2,000 of large ones."""
    return _lesson.some(images)[: 2000 if images[0].size > 1000 else None]


# -- time -------------------------------------------------------------------------------------------------
def forecast(options: Any, lesson: Callable[[Any, Run], Any]) -> str:
    """How long the trainings of a lesson will take, by three steps of each and a page as with --quick."""
    ranks = sg.backend.current_ranks()
    with TemporaryDirectory() as own, rehearsing() as found, redirect_stdout(StringIO()):
        place = Path(ranks.agree(own))  # of the first rank, which writes
        lesson(replace(options, quick=True, out=place), Run("rehearsal", root=place))
    if not found.steps:
        return "Nothing is trained: counting takes seconds."
    total, count = sum(found.seconds), len(found.steps)
    what = f"{sum(found.steps):,} steps" + (f" in {count} trainings" if count > 1 else "")
    return f"Training will take about {in_words(total)}: {what}, by {REHEARSED} of each. Then comes the page."


def in_words(seconds: float) -> str:
    """A duration, to about one digit.

    Examples
    --------
    >>> in_words(3.2), in_words(71), in_words(1000), in_words(20_000)
    ('10 seconds', '1 minute', '17 minutes', '5.6 hours')
    """
    if seconds < 50:
        return f"{max(10, 10 * round(seconds / 10))} seconds"
    minutes = round(seconds / 60)
    if minutes < 100:
        return "1 minute" if minutes == 1 else f"{minutes} minutes"
    return f"{seconds / 3600:.1f} hours"
