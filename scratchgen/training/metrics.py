"""Metrics: what training measured, as a table that grows by a row now and then."""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ..autograd import raw
from ..backend import asnumpy
from .atomic import atomic_write
from .errors import TrainingError

Row = dict[str, float]


class Means:
    """The mean of every term over the steps since the last row.

    Numbers on the host are looked at in every step. Those on a device are summed there until a row is due, so
    that no step waits for the device; one that is not finite shows in its sum.

    Parameters
    ----------
    done : int
        Steps done already.
    """

    def __init__(self, done: int = 0) -> None:
        self._before = self._done = done
        self._sums: dict[str, Any] = {}

    def add(self, terms: Mapping[str, Any]) -> None:
        """Take one step's terms into the means.

        Raises
        ------
        TrainingError
            If one of them, on the host, is not finite.
        """
        self._done += 1
        for name, value in terms.items():
            value = raw(value)
            if isinstance(value, np.ndarray | np.generic | int | float):
                value = finite(value, name, f"at step {self._done:,}")
            self._sums[name] = self._sums[name] + value if name in self._sums else value

    def row(self) -> Row:
        """The means; the next ones start afresh.

        Raises
        ------
        TrainingError
            If one of them, from a device, is not finite.
        """
        when = (
            f"at a step from {self._before + 1:,} to {self._done:,} (on a device it is looked at "
            f"every {self._done - self._before:,} steps)"
        )
        count = self._done - self._before
        row = {name: finite(total, name, when) / count for name, total in self._sums.items()}
        self._before, self._sums = self._done, {}
        return row


def finite(value: Any, name: str, when: str) -> float:
    """`value` as a Python number.

    Raises
    ------
    TrainingError
        If it is not finite, or no single number.
    """
    array = asnumpy(value)
    if array.size != 1:
        raise TrainingError(f"{name}: got an array of shape {array.shape} {when}, expected one number")
    number = float(array.reshape(()))
    if not math.isfinite(number):
        raise TrainingError(
            f"{name} is {number} {when}; a smaller learning rate, a warm-up or clipped gradients may help"
        )
    return number


def append_row(path: Path, row: Mapping[str, float]) -> None:
    """Add a row to a CSV file, which is made if need be; columns that the row is first to have are added."""
    header = _header(path)
    if not set(row) <= set(header):
        header += [name for name in row if name not in header]
        write_rows(path, read_rows(path), header)
    with open(path, "a", newline="", encoding="utf-8") as file:
        csv.DictWriter(file, header, lineterminator="\n").writerow(row)


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file; empty cells are left out, and a last line that was cut short is not counted."""
    if not path.exists():
        return []
    content = path.read_text(encoding="utf-8")
    complete = content[: content.rfind("\n") + 1].splitlines()
    return [{name: _number(cell) for name, cell in row.items() if cell} for row in csv.DictReader(complete)]


def write_rows(path: Path, rows: list[Row], header: list[str]) -> None:
    """Write a CSV file anew, as a whole."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with atomic_write(path) as file:
        file.write(text.getvalue().encode())


def _header(path: Path) -> list[str]:
    if not path.exists():
        return []
    with open(path, newline="", encoding="utf-8") as file:
        return next(csv.reader(file), [])


def _number(cell: str) -> float:
    return int(cell) if cell.lstrip("-").isdigit() else float(cell)
