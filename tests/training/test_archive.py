"""Damaged and dishonest files are refused, whatever is in them, before anything is allocated or changed."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scratchgen.training import CheckpointError, load_checkpoint

Refused = Callable[..., str]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"<!DOCTYPE html>", "it is no .npz file: it starts with b'<!DO'"),
        (b"PK\x03\x04", "cut short or damaged"),
    ],
)
def test_a_file_that_is_something_else(
    tmp_path: Path, line: Any, refused: Refused, content: bytes, reason: str
) -> None:
    path = tmp_path / "checkpoint.npz"
    path.write_bytes(content)
    refused(path, line, reason)


def test_cut_short_anywhere(path: Path, line: Any, refused: Refused) -> None:
    content = path.read_bytes()
    for length in range(0, len(content), 97):
        path.write_bytes(content[:length])
        refused(path, line)


def test_a_flipped_bit_anywhere_is_found_or_does_no_harm(
    path: Path, line: Any, new_line: Callable[[], Any]
) -> None:
    content = bytearray(path.read_bytes())
    other, saved = new_line(), line.state()
    initial, found = other.state(), 0
    for i in range(0, len(content), 3):
        content[i] ^= 1 << i % 8
        path.write_bytes(content)
        content[i] ^= 1 << i % 8
        try:
            load_checkpoint(path, **other.parts())
        except CheckpointError:
            assert other.state() == initial
            found += 1
        else:  # a date, say, or a zip field that nobody reads
            assert other.state() == saved
            other = new_line()
    assert found > 0.8 * len(content) / 3


def rewritten(
    path: Path, change: Callable[[str, bytes], bytes | None], compression: int = zipfile.ZIP_STORED
) -> None:
    """Write the archive anew, each member as `change(name, content)`, its checksums right."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w", compression) as archive:
        for name, content in members.items():
            if (new := change(name, content)) is not None:
                archive.writestr(name, new)


def changed_manifest(path: Path, change: Callable[[dict[str, Any]], Any]) -> None:
    def edit(name: str, content: bytes) -> bytes:
        if name != "manifest.json":
            return content
        manifest = json.loads(content)
        change(manifest)
        return json.dumps(manifest).encode()

    rewritten(path, edit)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (
            lambda m: m.update(version=2),
            "its format version is 2, but this scratchgen reads versions up to 1",
        ),
        (lambda m: m.update(format="x"), "its format is 'x', expected 'scratchgen checkpoint'"),
        (lambda m: m.update(step=-1), "its step is -1"),
        (lambda m: m.update(step="1"), "step is '1', expected a JSON int"),
        (lambda m: m.pop("arrays"), "arrays is None, expected a JSON dict"),
        (lambda m: m["arrays"]["model/0.bias"].update(shape=[-4]), "shape of 'model/0.bias' is [-4]"),
        (lambda m: m["arrays"]["model/0.bias"].update(dtype="|O"), "dtype of 'model/0.bias' is '|O'"),
        (lambda m: m["arrays"]["model/0.bias"].update(dtype="<f3"), "dtype of 'model/0.bias' is '<f3'"),
        (lambda m: m["arrays"]["model/0.bias"].update(sha256="0" * 64), "model/0.bias is damaged: SHA-256"),
        (lambda m: m["arrays"].pop("model/0.bias"), "unexpected: model/0.bias.npy"),
        (lambda m: m["arrays"].update(x=m["arrays"]["model/0.bias"]), "missing: x.npy"),
        (lambda m: m["arrays"]["model/0.bias"].update(shape=[10**15]), "declares float32 (4,), expected"),
    ],
)
def test_a_manifest_that_says_something_else(
    path: Path, line: Any, refused: Refused, change: Any, reason: str
) -> None:
    changed_manifest(path, change)
    refused(path, line, reason)


def test_a_file_of_numpy_without_a_manifest(tmp_path: Path, line: Any, refused: Refused) -> None:
    np.savez(tmp_path / "other.npz", x=np.ones(3))
    refused(tmp_path / "other.npz", line, "it has no manifest.json")


def test_a_compressed_file_is_refused_unread(path: Path, line: Any, refused: Refused) -> None:
    """A zip bomb: ten megabytes of zeros that compress to ten kilobytes."""
    rewritten(path, lambda name, content: content + bytes(10**7), zipfile.ZIP_DEFLATED)
    refused(path, line, "is compressed", "expected uncompressed members")


def npy(header: dict[str, Any], content: bytes = b"") -> bytes:
    file = io.BytesIO()
    np.lib.format.write_array_header_1_0(file, header)
    return file.getvalue() + content


@pytest.mark.parametrize(
    ("member", "reason"),
    [
        (npy({"descr": "<f4", "fortran_order": False, "shape": (10**12, 4)}, bytes(16)), "declares float32"),
        (npy({"descr": "|O", "fortran_order": False, "shape": (4,)}, bytes(16)), "declares object"),
        (npy({"descr": "<f4", "fortran_order": True, "shape": (4,)}, bytes(16)), "Fortran order"),
        (
            npy({"descr": "<f4", "fortran_order": False, "shape": (4,)}, bytes(12)),
            "has 12 bytes, expected 16",
        ),
        (b"not an array", "header of model/0.bias is damaged"),
        (b"\x93NUMPY\x01\x00\x04\x00((((", "header of model/0.bias is damaged"),
        (b"", "header of model/0.bias is damaged"),
    ],
)
def test_an_array_that_is_not_what_the_manifest_says(
    path: Path, line: Any, refused: Refused, member: bytes, reason: str
) -> None:
    rewritten(path, lambda name, content: member if name == "model/0.bias.npy" else content)
    refused(path, line, reason)


def test_terabytes_declared_by_all_together(
    path: Path, line: Any, refused: Refused, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Header, manifest and model agree on 16 TB: the bytes are not there, so none is allocated."""
    shape = (10**12, 4)
    header = npy({"descr": "<f4", "fortran_order": False, "shape": shape}, bytes(16))
    rewritten(path, lambda name, content: header if name == "model/0.bias.npy" else content)
    changed_manifest(path, lambda m: m["arrays"]["model/0.bias"].update(shape=list(shape)))
    monkeypatch.setattr(np, "empty", lambda *_: pytest.fail("allocated"))
    refused(path, line, "model/0.bias has 16 bytes, expected 16,000,000,000,000")
