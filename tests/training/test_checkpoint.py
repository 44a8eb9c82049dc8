"""Checkpoints restore what was saved, and refuse what does not fit before anything is changed."""

from __future__ import annotations

import io
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scratchgen import nn, optim
from scratchgen.training import CheckpointError, checkpoint, load_checkpoint, save_checkpoint

Refused = Callable[..., str]


def test_every_bit_comes_back(path: Path, line: Any, new_line: Callable[[], Any]) -> None:
    other = new_line()
    assert other.state() != line.state()
    checkpoint = load_checkpoint(path, **other.parts())
    assert other.state() == line.state()
    assert (checkpoint.step, checkpoint.configuration) == (1, {"lr": 0.01, "layers": [3, 4]})
    assert checkpoint.parts == {
        "model": "Sequential",
        "optimiser": "Adam",
        "average": "ExponentialMovingAverage",
    }


def test_numpy_can_read_it_without_pickle_and_the_manifest_is_json(path: Path, line: Any) -> None:
    with np.load(path, allow_pickle=False) as archive:
        np.testing.assert_array_equal(archive["model/0.weight"], line.model.state_dict()["0.weight"])
        manifest = json.loads(archive["manifest.json"])
    assert manifest["arrays"]["model/0.weight"]["shape"] == [4, 3]
    assert manifest["values"]["optimiser/steps"] == 1


def test_the_same_state_gives_the_same_bytes(path: Path, line: Any, tmp_path: Path) -> None:
    again = save_checkpoint(
        tmp_path / "again.npz", step=1, configuration={"lr": 0.01, "layers": [3, 4]}, **line.parts()
    )
    assert again.read_bytes() == path.read_bytes()


def test_one_part_can_be_loaded_alone_and_none_to_look_into_the_file(
    path: Path, line: Any, new_line: Callable[[], Any]
) -> None:
    other = new_line()
    before = other.optimiser.state_dict()
    load_checkpoint(path, model=other.model)
    assert other.model.state_dict()["1.bias"] == line.model.state_dict()["1.bias"]
    assert other.optimiser.state_dict()["steps"] == before["steps"] == 0
    assert load_checkpoint(path).step == 1


class Holder:
    """A part of any content."""

    def __init__(self, **state: Any) -> None:
        self.state = state

    def state_dict(self) -> dict[str, Any]:
        return dict(self.state)

    def load_state_dict(self, state: Any) -> None:
        self.state = dict(state)


@pytest.mark.parametrize(
    "array",
    [
        np.zeros((0, 3), np.float32),
        np.array(3, np.int64),
        np.array([True, False]),
        np.arange(6, dtype=np.float64).reshape(2, 3).T,
        np.arange(8, dtype=">f4")[::2],
        np.array([1 + 2j], np.complex64),
        np.array([np.inf, -0.0], np.float16),
    ],
    ids=lambda array: f"{array.dtype.str}{array.shape}",
)
def test_arrays_of_every_kind(tmp_path: Path, array: np.ndarray) -> None:
    path = save_checkpoint(tmp_path / "a.npz", part=Holder(x=array, name="n", none=None, rate=0.1, yes=True))
    native = array.astype(array.dtype.newbyteorder("="))
    other = Holder(x=np.ones_like(native), name="", none=None, rate=1, yes=False)
    load_checkpoint(path, part=other)
    np.testing.assert_array_equal(other.state.pop("x"), array, strict=array.dtype == native.dtype)
    assert other.state == {"name": "n", "none": None, "rate": 0.1, "yes": True}


def test_all_that_does_not_fit_is_listed_at_once(path: Path, line: Any, refused: Refused) -> None:
    line.model = nn.Sequential(nn.Linear(3, 5), nn.Identity(), nn.Linear(5, 1))
    message = refused(
        path,
        line,
        "wrong shape: model/0.weight is (4, 3), expected (5, 3)",
        "wrong shape: model/0.bias is (4,), expected (5,)",
        "missing: model/2.weight",
        "missing: model/2.bias",
        "unexpected: model/1.weight",
        "unexpected: model/1.bias",
    )
    assert len(message.splitlines()) == 7


def test_a_wrong_dtype_is_refused(path: Path, line: Any, refused: Refused) -> None:
    line.model.to(np.float64)
    refused(path, line, "wrong dtype: model/0.weight is float32, expected float64")


def test_another_class_is_refused(path: Path, line: Any, refused: Refused) -> None:
    line.optimiser = optim.AdamW(line.model.parameters())
    refused(path, line, "wrong class: optimiser is of a Adam, expected a AdamW")


def test_a_part_that_was_not_saved(path: Path, line: Any, refused: Refused, tmp_path: Path) -> None:
    alone = save_checkpoint(tmp_path / "alone.npz", model=line.model)
    refused(alone, line, "missing: optimiser; the file holds model", "missing: average")


def test_values_of_another_kind(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path / "a.npz", part=Holder(a=1, b=np.ones(2), c="x"))
    with pytest.raises(CheckpointError) as error:
        load_checkpoint(path, part=Holder(a=np.ones(1), b=2.0, c="y"))
    assert "part/a is a number, expected an array" in str(error.value)
    assert "part/b is an array, expected a number" in str(error.value)
    assert "part/c" not in str(error.value)


def test_a_part_that_refuses_its_state_leaves_the_others_as_they_were(tmp_path: Path) -> None:
    path = save_checkpoint(tmp_path / "a.npz", first=Holder(a=1), second=Holder(a=1))

    class Stubborn(Holder):
        __qualname__ = __name__ = "Holder"

        def load_state_dict(self, state: Any) -> None:
            if state != self.state:
                raise ValueError("no")

    Stubborn.__name__ = "Holder"
    first, second = Holder(a=2), Stubborn(a=2)
    with pytest.raises(CheckpointError, match="no"):
        load_checkpoint(path, first=first, second=second)
    assert first.state == {"a": 2}


def test_a_file_that_is_not_there_or_is_a_folder(tmp_path: Path, line: Any, refused: Refused) -> None:
    refused(tmp_path / "none.npz", line, "there is no such checkpoint")
    refused(tmp_path, line, "cannot be read")


@pytest.mark.parametrize("room", [0, 1, 200, 700, 1500, 3000])
def test_a_full_disk_leaves_the_old_file(
    path: Path, line: Any, monkeypatch: pytest.MonkeyPatch, room: int
) -> None:
    old, left = path.read_bytes(), room

    class Full(io.FileIO):
        def write(self, content: Any) -> int:
            nonlocal left
            left -= len(content)
            if left < 0:
                raise OSError(28, "No space left on device")
            return super().write(content)

    monkeypatch.setattr("scratchgen.training.atomic.open", lambda p, mode: Full(p, "w"), raising=False)
    with pytest.raises(CheckpointError, match=r"not saved: No space left on device; the file that was there"):
        save_checkpoint(path, step=2, **line.parts())
    assert path.read_bytes() == old
    assert os.listdir(path.parent) == [path.name]


def test_a_folder_that_is_not_there(tmp_path: Path, line: Any) -> None:
    with pytest.raises(CheckpointError, match=r"none/checkpoint.npz: not saved: No such file or directory$"):
        save_checkpoint(tmp_path / "none" / "checkpoint.npz", **line.parts())


def test_a_model_gone_wrong_does_not_replace_a_good_one(path: Path, line: Any) -> None:
    old = path.read_bytes()
    line.model[0].weight.data[1, 2] = np.nan
    with pytest.raises(
        CheckpointError, match=r"model/0.weight: 1 of 12 numbers are NaN; the file that was there"
    ):
        save_checkpoint(path, step=2, **line.parts())
    assert path.read_bytes() == old


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"step": -1, "model": Holder()}, ValueError, "step: got -1"),
        ({"step": 1.0, "model": Holder()}, ValueError, r"step: got 1\.0"),
        ({}, ValueError, "parts: got nothing to save"),
        ({"configuration": {"f": print}, "model": Holder()}, ValueError, "configuration: got .*JSON"),
        ({"model": Holder(x=np.array([None]))}, CheckpointError, "model/x: got an array of object"),
        ({"model": Holder(x=print)}, CheckpointError, "model/x: got .*expected what JSON can hold"),
    ],
)
def test_what_cannot_be_saved(tmp_path: Path, arguments: Any, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        save_checkpoint(tmp_path / "a.npz", **arguments)
    assert not os.listdir(tmp_path)


def test_what_has_no_state_cannot_be_saved(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match="model: got int, expected what has a state_dict"):
        save_checkpoint(tmp_path / "checkpoint.npz", model=3)  # type: ignore[arg-type]
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("replaced", [False, True])
def test_what_is_said_of_the_file_that_was_there_is_true(
    path: Path, line: Any, monkeypatch: pytest.MonkeyPatch, replaced: bool
) -> None:
    """A save fails, and meanwhile another thread may have saved to the same path."""
    other = save_checkpoint(path.with_name("other.npz"), step=5, **line.parts())
    old = path.read_bytes()

    def fail(*arguments: Any) -> None:
        if replaced:
            os.replace(other, path)
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(checkpoint, "write_array", fail)
    with pytest.raises(CheckpointError, match="not saved: No space left on device") as error:
        save_checkpoint(path, **line.parts())
    assert (path.read_bytes() == old) is not replaced
    assert ("the file that was there is unchanged" in str(error.value)) is not replaced
