"""A checkpoint's table of contents: what every array must be, before a byte of it is read."""

from __future__ import annotations

import dataclasses
import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np

FORMAT = "scratchgen checkpoint"
VERSION = 1
KINDS = "biufc"  # booleans and numbers: no objects, records or strings


@dataclass(frozen=True)
class Entry:
    """What one array must be.

    Attributes
    ----------
    shape : tuple of int
    dtype : str
        As NumPy writes it, with the byte order: ``"<f4"``.
    sha256 : str
        Of the array's bytes in C order.
    """

    shape: tuple[int, ...]
    dtype: str
    sha256: str

    @property
    def size(self) -> int:
        """The number of bytes."""
        size = np.dtype(self.dtype).itemsize
        for length in self.shape:  # Python's whole numbers do not wrap around
            size *= length
        return size


@dataclass(frozen=True)
class Manifest:
    """What a checkpoint holds.

    Attributes
    ----------
    step : int
        Steps done.
    configuration : dict
        The settings of the run.
    parts : dict
        The class of each part (``{"model": "VAE", "optimiser": "Adam"}``).
    arrays : dict
        The `Entry` of each array; ``model/encoder.0.weight`` belongs to the part ``model``.
    values : dict
        What the parts remember besides arrays: numbers, strings, None.
    """

    step: int
    configuration: dict[str, Any]
    parts: dict[str, str]
    arrays: dict[str, Entry] = field(default_factory=dict)
    values: dict[str, Any] = field(default_factory=dict)

    def to_json(self) -> str:
        """The manifest as it stands in the file."""
        return json.dumps({"format": FORMAT, "version": VERSION, **asdict(self)}, indent=1)

    @classmethod
    def from_json(cls, text: bytes) -> Manifest:
        """The manifest that `to_json` wrote, every item of it checked.

        Raises
        ------
        ValueError
            Saying what was found and what was expected.
        """
        content = json.loads(text)
        _require(content, dict, "the manifest")
        if content.get("format") != FORMAT:
            raise ValueError(f"its format is {content.get('format')!r}, expected {FORMAT!r}")
        version = _require(content.get("version"), int, "version")
        if version > VERSION:
            raise ValueError(
                f"its format version is {version}, but this scratchgen reads versions up to {VERSION}; "
                "install a newer scratchgen"
            )
        step = _require(content.get("step"), int, "step")
        if step < 0:
            raise ValueError(f"its step is {step}, expected 0 or more")
        parts = _require(content.get("parts"), dict, "parts")
        for name, kind in parts.items():
            _require(kind, str, f"the class of {name!r}")
        arrays = _require(content.get("arrays"), dict, "arrays")
        return cls(
            step,
            _require(content.get("configuration"), dict, "configuration"),
            parts,
            {name: _entry(name, item) for name, item in arrays.items()},
            _require(content.get("values"), dict, "values"),
        )


def _entry(name: str, item: Any) -> Entry:
    _require(item, dict, f"the entry of {name!r}")
    shape = _require(item.get("shape"), list, f"the shape of {name!r}")
    if not all(type(length) is int and length >= 0 for length in shape):
        raise ValueError(f"the shape of {name!r} is {shape}, expected whole numbers of 0 or more")
    dtype = _require(item.get("dtype"), str, f"the dtype of {name!r}")
    if not re.fullmatch(rf"[<|][{KINDS}]\d{{1,2}}", dtype):
        raise ValueError(f"the dtype of {name!r} is {dtype!r}, expected a number's, such as '<f4'")
    try:
        np.dtype(dtype)
    except TypeError as error:
        raise ValueError(f"the dtype of {name!r} is {dtype!r}, which NumPy does not know") from error
    sha256 = _require(item.get("sha256"), str, f"the SHA-256 of {name!r}")
    return Entry(tuple(shape), dtype, sha256)


def _require(value: Any, kind: type, what: str) -> Any:
    if type(value) is not kind:
        raise ValueError(f"{what} is {value!r:.60}, expected a JSON {kind.__name__}")
    return value


def differences(
    manifest: Manifest, states: Mapping[str, Mapping[str, Any]], classes: Mapping[str, str]
) -> list[str]:
    """Everything in which a checkpoint does not fit the parts that shall be loaded, a line each.

    Parameters
    ----------
    manifest : Manifest
    states : mapping
        The present state of each part.
    classes : mapping
        The class of each part.
    """
    lines: list[str] = []
    for part, state in states.items():
        if part not in manifest.parts:
            lines.append(f"missing: {part}; the file holds {', '.join(manifest.parts)}")
            continue
        if manifest.parts[part] != classes[part]:
            lines.append(f"wrong class: {part} is of a {manifest.parts[part]}, expected a {classes[part]}")
        expected = {f"{part}/{name}": leaf for name, leaf in state.items()}
        found = {**manifest.arrays, **manifest.values}
        lines += [f"missing: {name}" for name in expected if name not in found]
        lines += [f"unexpected: {name}" for name in found if belongs(name, part) and name not in expected]
        for name, leaf in expected.items():
            if name in found:
                lines += _leaf_differences(name, found[name], leaf)
    return lines


def belongs(name: str, part: str) -> bool:
    """Whether the leaf `name` is one of the part's."""
    return name.partition("/")[0] == part


def _leaf_differences(name: str, found: Any, expected: Any) -> list[str]:
    if isinstance(found, Entry) and hasattr(expected, "dtype"):
        pairs: list[tuple[str, Any, Any]] = [
            ("shape", found.shape, tuple(expected.shape)),
            ("dtype", np.dtype(found.dtype), np.dtype(expected.dtype)),
        ]
    else:
        pairs = [("kind", _kind(found), _kind(expected))]
    return [f"wrong {what}: {name} is {a}, expected {b}" for what, a, b in pairs if a != b]


def _kind(leaf: Any) -> str:
    if isinstance(leaf, Entry) or hasattr(leaf, "dtype"):
        return "an array"
    # 1 and 1.0 are the same to whoever writes a learning rate.
    return "a number" if type(leaf) in (int, float) else f"a {type(leaf).__name__}"


def settings(configuration: Any) -> dict[str, Any]:
    """A configuration, given as a mapping or a dataclass, as JSON will give it back.

    Raises
    ------
    ValueError
        If it holds what JSON cannot.
    """
    if dataclasses.is_dataclass(configuration) and not isinstance(configuration, type):
        configuration = dataclasses.asdict(configuration)
    return json_ready(dict(configuration or {}), "configuration")


def json_ready(value: Any, name: str) -> Any:
    """`value` as JSON will give it back; `name` is what an error calls it."""
    try:
        return json.loads(json.dumps(value, default=os.fspath))
    except (TypeError, ValueError) as error:
        raise ValueError(f"{name}: got {value!r:.80}, expected what JSON can hold ({error})") from error
