"""Checkpoints: all that training needs to go on exactly where it stopped, in one file."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any, Protocol

from ..backend import asnumpy, checks
from .archive import open_archive, read_arrays, read_manifest, write_array, write_manifest
from .atomic import atomic_write
from .errors import CheckpointError
from .manifest import Manifest, belongs, differences, json_ready, settings


class Stateful(Protocol):
    """Anything that a checkpoint can hold: a Module, an optimiser, a moving average."""

    def state_dict(self) -> Mapping[str, Any]:
        """All that it needs to go on from here: arrays, numbers, strings and None by name."""
        ...

    def load_state_dict(self, state: Any) -> Any:
        """Go on from `state`."""
        ...


@dataclass(frozen=True)
class Checkpoint:
    """What `load_checkpoint` read besides the state of the parts.

    Attributes
    ----------
    path : Path
    step : int
        Steps done when it was saved.
    configuration : dict
        The settings it was saved with.
    parts : dict
        The class of each part the file holds, by name.
    """

    path: Path
    step: int
    configuration: dict[str, Any]
    parts: dict[str, str]


def save_checkpoint(
    path: str | PathLike[str], *, step: int = 0, configuration: Any = None, **parts: Stateful
) -> Path:
    """Write the state of a model, an optimiser and whatever else training changes to one file.

    The file is an uncompressed ``.npz`` with a manifest in JSON: the shape, dtype and SHA-256 of every array,
    the configuration and the step. It takes the old one's place in one step, so a crash at any moment leaves
    one of the two whole. The same state gives the same bytes.

    Parameters
    ----------
    path : path
        By custom ``checkpoint.npz``.
    step : int
        Steps done.
    configuration : mapping or dataclass, optional
        Settings, of what JSON can hold.
    **parts : Module, optimiser, ...
        What to save, by name: ``model=vae, optimiser=adam``.

    Raises
    ------
    TypeError
        If a part has no ``state_dict``.
    CheckpointError
        If the file cannot be written, or an array holds a NaN; the old file is unchanged then.

    Examples
    --------
    >>> import tempfile
    >>> from scratchgen.nn import Linear
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save_checkpoint(f"{folder}/checkpoint.npz", step=7, model=Linear(2, 3))
    ...     load_checkpoint(path, model=Linear(2, 3)).step
    7
    """
    path = Path(path)
    step = checks.whole("step", step, 0)
    if not parts:
        raise ValueError("parts: got nothing to save, expected for example model=..., optimiser=...")
    for name, part in parts.items():
        if not hasattr(part, "state_dict"):
            raise TypeError(
                f"{name}: got {type(part).__name__}, expected what has a state_dict, as a model has"
            )
    manifest = Manifest(
        step, settings(configuration), {name: type(part).__name__ for name, part in parts.items()}
    )
    leaves = {f"{part}/{name}": leaf for part in parts for name, leaf in parts[part].state_dict().items()}
    before = _identity(path)
    try:
        with atomic_write(path) as file, zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
            for name, leaf in leaves.items():
                if hasattr(leaf, "dtype"):
                    manifest.arrays[name] = write_array(archive, name, asnumpy(leaf))
                else:
                    manifest.values[name] = json_ready(leaf, name)
            write_manifest(archive, manifest)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error
        kept = "; the file that was there is unchanged" if before and before == _identity(path) else ""
        raise CheckpointError(f"{path}: not saved: {reason}{kept}") from error
    return path


def _identity(path: Path) -> tuple[int, ...] | None:
    """What tells a file from one that took its place, if there is one."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino, found.st_mtime_ns


def load_checkpoint(path: str | PathLike[str], **parts: Stateful) -> Checkpoint:
    """Restore the parts from a file that `save_checkpoint` wrote.

    Everything is checked before memory is taken or anything is changed: the file against its manifest, the
    manifest against the parts, and the SHA-256 of every array.

    Parameters
    ----------
    path : path
    **parts : Module, optimiser, ...
        What to restore, under the names given when saving. Parts of the file that are not asked for are left
        alone: ``load_checkpoint(path, model=vae)`` suffices to sample, and ``load_checkpoint(path)`` to see
        what a file is.

    Raises
    ------
    CheckpointError
        If the file is missing, damaged, of a newer format or of other parts. All names, shapes and dtypes
        that do not fit are listed at once.
    """
    path = Path(path)
    states = {name: part.state_dict() for name, part in parts.items()}
    classes = {name: type(part).__name__ for name, part in parts.items()}
    with _errors_naming(path), open(path, "rb") as file, open_archive(file) as archive:
        manifest = read_manifest(archive)
        if problems := differences(manifest, states, classes):
            raise ValueError("it does not fit:\n  " + "\n  ".join(problems))
        wanted = {name for name in manifest.arrays if any(belongs(name, part) for part in parts)}
        found = {**manifest.values, **read_arrays(archive, manifest.arrays, wanted)}
        _restore(parts, states, found)
    return Checkpoint(path, manifest.step, manifest.configuration, manifest.parts)


def _restore(
    parts: Mapping[str, Stateful], before: Mapping[str, Mapping[str, Any]], found: Mapping[str, Any]
) -> None:
    """Give every part its state, or, should one refuse it, give all of them their old state back."""
    try:
        for name, part in parts.items():
            part.load_state_dict({key: found[f"{name}/{key}"] for key in before[name]})
    except Exception:
        for name, part in parts.items():
            part.load_state_dict(before[name])
        raise


@contextmanager
def _errors_naming(path: Path) -> Iterator[None]:
    """Whatever can go wrong with a file that holds anything at all, as one error that names the file."""
    try:
        yield
    except FileNotFoundError as error:
        raise CheckpointError(f"{path}: there is no such checkpoint") from error
    except OSError as error:
        raise CheckpointError(f"{path}: cannot be read: {error.strerror or error}") from error
    # Of a damaged archive, zipfile raises any of these.
    except (ValueError, EOFError, RuntimeError, zipfile.BadZipFile, struct.error, OverflowError) as error:
        raise CheckpointError(f"{path}: cannot be used: {error}") from error
