"""Metrics: what training measured, as a table that grows by a row now and then."""

from __future__ import annotations

import csv
import io
import itertools
import math
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import numpy as np

from ..autograd import raw
from ..backend import asnumpy, checks
from .atomic import atomic_write
from .errors import TrainingError

Row = dict[str, float]


class Means:
    """The mean of every term over the steps since the last row.

    Numbers on the host are looked at in every step. Those on a device are summed there until a row is due, so
    that no step waits for the device; one that is not finite shows in its sum.

    A checkpoint holds the sums: the row after a resumption is the one there would have been.
    """

    def __init__(self) -> None:
        self._before = self._done = 0
        self._sums: dict[str, Any] = {}

    def state_dict(self) -> dict[str, Any]:
        """The steps before the first one summed, and the sums, as JSON can hold them."""
        return {"before": self._before, "sums": {name: float(asnumpy(x)) for name, x in self._sums.items()}}

    def load_state_dict(self, state: Any, done: int) -> None:
        """Go on from what `state_dict` gave after `done` steps.

        Raises
        ------
        TypeError, ValueError
            If it is something else.
        """
        checks.instance("means", state, dict)
        before = checks.whole("means: before", state.get("before"), 0, done)
        sums = checks.instance("means: sums", state.get("sums"), dict)
        self._sums = {name: checks.number(f"means: {name}", value) for name, value in sums.items()}
        self._before, self._done = before, done

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
    text = io.StringIO()
    csv.DictWriter(text, header, lineterminator="\n").writerow(row)
    with _errors_naming(path), open(path, "ab", buffering=0) as file:
        size, line = file.tell(), memoryview(text.getvalue().encode())
        try:
            while line:
                line = line[file.write(line) :]
        except OSError:  # a full disk; half a line would spoil the next one
            file.truncate(size)
            raise


def read_rows(path: Path) -> list[Row]:
    """The rows of a CSV file up to the first that is not whole; empty cells are left out.

    A row that was cut short, or whatever a crash left at the end of the file, does not have a number or
    nothing in as many cells as there are columns.
    """
    if not path.exists():
        return []
    header, *lines = path.read_bytes().split(b"\n")
    rows: list[Row] = []
    with suppress(ValueError, csv.Error):
        names = _cells(header)
        for line in lines[:-1]:  # behind the last line's end there is nothing, or half a line
            pairs = zip(names, _cells(line), strict=True)
            rows.append({name: _number(cell) for name, cell in pairs if cell})
    return rows


def write_rows(path: Path, rows: list[Row], header: list[str]) -> None:
    """Write a CSV file anew, as a whole."""
    text = io.StringIO()
    writer = csv.DictWriter(text, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    with _errors_naming(path), atomic_write(path) as file:
        file.write(text.getvalue().encode())


def rewind_rows(path: Path, done: int) -> list[Row]:
    """Cut a CSV file behind its last whole row of the first `done` steps, and return the rows left."""
    kept = list(itertools.takewhile(lambda row: row.get("step", math.inf) <= done, read_rows(path)))
    if not kept:
        path.unlink(missing_ok=True)
    else:
        write_rows(path, kept, _header(path))
    return kept


@contextmanager
def _errors_naming(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise TrainingError(f"{path}: a row was not written: {error.strerror or error}") from error


def _header(path: Path) -> list[str]:
    if not path.exists():
        return []
    with open(path, "rb") as file:
        return _cells(file.readline().rstrip(b"\n"))


def _cells(line: bytes) -> list[str]:
    return next(csv.reader([line.decode()], strict=True), [])


def _number(cell: str) -> float:
    return int(cell) if cell.lstrip("-").isdecimal() else float(cell)
