"""The table of metrics: exact, growing, and readable after a crash."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.training import TrainingError, metrics
from scratchgen.training.metrics import Means, append_row, read_rows, rewind_rows, write_rows


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


def row_file(path: Path, steps: int = 4) -> bytes:
    for step in range(1, steps + 1):
        append_row(path, {"step": step, "loss": step + 0.25})
    return path.read_bytes()


SPOILS = {
    "cut short": b"5,5.",
    "cut short in the middle, and glued to": b"5,6,6.25\n",
    "zeros": bytes(40),
    "a line of zeros": bytes(40) + b"\n",
    "no text": b"\xff\xfe\x00\n5,5.25\n",
    "words": b"five,5.25\n6,6.25\n",
    "a cell too few": b"5\n6,6.25\n",
    "a cell too many": b"5,5.25,1\n",
    "an open quote": b'5,"5.25\n6,6.25\n',
    "an empty line": b"\n5,5.25\n",
    "no step": b",5.25\n",
}


@pytest.mark.parametrize("spoil", SPOILS.values(), ids=SPOILS)
def test_a_spoilt_file_is_cut_behind_its_last_whole_row(tmp_path: Path, spoil: bytes) -> None:
    path = tmp_path / "metrics.csv"
    good = row_file(path)
    path.write_bytes(good + spoil)
    kept = [{"step": step, "loss": step + 0.25} for step in range(1, 5)]
    assert read_rows(path)[:4] == kept
    assert rewind_rows(path, 9) == kept
    assert path.read_bytes() == good
    path.write_bytes(good + spoil)
    assert rewind_rows(path, 2) == kept[:2]
    append_row(path, {"step": 3, "loss": 3.25})
    assert read_rows(path) == kept[:3]


@pytest.mark.parametrize("spoil", [b"", bytes(99), b"\xff\n1,2\n", b"step,lo"])
def test_a_file_without_a_whole_row_begins_anew(tmp_path: Path, spoil: bytes) -> None:
    path = tmp_path / "metrics.csv"
    path.write_bytes(spoil)
    assert rewind_rows(path, 3) == []
    good = row_file(path, 1)
    assert good == b"step,loss\n1,1.25\n"


def test_a_row_that_finds_no_room_leaves_no_half_of_itself(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "metrics.csv"
    good = row_file(path)

    class Full(io.FileIO):
        def write(self, content: Any) -> int:
            if len(content) < 5:
                raise OSError(28, "No space left on device")
            return super().write(content[:-4])

    with monkeypatch.context() as patch:
        patch.setattr(metrics, "open", lambda p, mode, **buffering: Full(p, mode), raising=False)
        with pytest.raises(
            TrainingError, match=r"metrics\.csv: a row was not written: No space left on device"
        ):
            append_row(path, {"step": 5, "loss": 5.25})
    assert path.read_bytes() == good


def test_means_go_on_from_a_checkpoint() -> None:
    whole, first, second = Means(), Means(), Means()
    for i, value in enumerate([0.1, 0.7, -3.3, 1e-3]):
        terms = {"loss": sg.asarray(np.full((), value, np.float32)), "number": value}
        whole.add(terms)
        (first if i < 2 else second).add(terms)
        if i == 1:
            second.load_state_dict(json.loads(json.dumps(first.state_dict())), 2)
    assert second.row() == whole.row()


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ([], "means: got list, expected dict"),
        ({}, "means: before: got None"),
        ({"before": 3, "sums": {}}, "before: got 3, expected a whole number from 0 to 2"),
        ({"before": 1, "sums": None}, "means: sums: got NoneType, expected dict"),
        ({"before": 1, "sums": {"loss": "1"}}, "means: loss: got '1', expected a number"),
    ],
)
def test_what_are_no_means_is_refused(state: Any, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        Means().load_state_dict(state, 2)


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
