"""The table of metrics: exact, growing, and readable after a crash."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.training import TrainingError
from scratchgen.training.metrics import Means, append_row, read_rows, write_rows


def test_rows_come_back_exactly(tmp_path: Path) -> None:
    rows = [{"step": 1, "loss": 0.1 + 0.2, "a, b": -1e-300}, {"step": 2, "loss": -17.0, "a, b": 1e22}]
    for row in rows:
        append_row(tmp_path / "metrics.csv", row)
    assert read_rows(tmp_path / "metrics.csv") == rows
    assert read_rows(tmp_path / "none.csv") == []


def test_a_new_column_is_added_and_a_missing_cell_stays_empty(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    append_row(path, {"step": 1, "loss": 3.0})
    append_row(path, {"step": 2, "test loss": 4.0})
    append_row(path, {"step": 3, "loss": 2.0})
    assert path.read_text() == "step,loss,test loss\n1,3.0,\n2,,4.0\n3,2.0,\n"
    assert read_rows(path) == [
        {"step": 1, "loss": 3.0},
        {"step": 2, "test loss": 4.0},
        {"step": 3, "loss": 2.0},
    ]


def test_a_line_cut_short_by_a_crash_is_not_counted(tmp_path: Path) -> None:
    path = tmp_path / "metrics.csv"
    write_rows(path, [{"step": 1, "loss": 3.0}, {"step": 2, "loss": 25.0}], ["step", "loss"])
    path.write_text(path.read_text()[:-2])  # 25.0 would read as 25 or 2
    assert read_rows(path) == [{"step": 1, "loss": 3.0}]


def test_means_take_tensors_arrays_and_numbers() -> None:
    means = Means()
    for value in (1.0, 2.0, 6.0):
        scalar = sg.asarray(np.full((), value, np.float32))
        means.add({"tensor": sg.tensor(scalar), "array": scalar, "number": value, "int": int(value)})
    assert means.row() == {"tensor": 3.0, "array": 3.0, "number": 3.0, "int": 3.0}
    means.add({"number": 5})
    assert means.row() == {"number": 5.0}


def test_a_term_of_many_numbers_is_refused() -> None:
    def two_calls() -> None:
        means = Means()
        means.add({"loss": sg.asarray(np.ones(3, np.float32))})
        means.row()

    with pytest.raises(TrainingError, match=r"loss: got an array of shape \(3,\) at .*, expected one number"):
        two_calls()
