"""Your own pictures: a folder of them as one array, which may be larger than memory."""

from __future__ import annotations

import hashlib
import json
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from ..backend import checks
from .errors import DataError
from .picture import MODES, read_square
from .publication import cache_folder
from .record import Images

FORMAT = 1  # of the cache: part of the name of its files
TESTED = 6  # one picture of so many is kept for testing
SHOWN = 10  # of the files left out


class _Found(NamedTuple):
    """A file of the folder: its contents' SHA-256, and the number of its class."""

    path: Path
    sha256: str
    label: int


def folder(path: str | os.PathLike[str], size: int, channels: int = 1) -> Images:
    """The pictures in a folder and in all folders below it, cut to their middle squares and resized.

    What Pillow reads is taken: JPEG, PNG, GIF (its first picture), WebP, TIFF and more; turned as the camera
    noted, laid on white where transparent. Folders directly below `path` are the classes, in the order of
    their names. A sixth of the pictures, drawn by their contents, is for testing.

    Each picture is resized once. The result is one file in the user's cache folder, named by the contents of
    all pictures, from which arrays are mapped into memory: pages are read when they are used, so there may be
    more pictures than memory. Files that cannot be read are listed once, when it is made, and left out.

    Parameters
    ----------
    path : path
    size : int
        The side of a square, in pixels.
    channels : {1, 3}
        Grey, or red, green and blue.

    Returns
    -------
    Images
        Images of shape ``(n, channels, size, size)``, 256 levels, with ``class_names``.

    Raises
    ------
    DataError
        If there is no such folder, it holds fewer than two pictures, or the cache cannot be written.

    Examples
    --------
    >>> folder("holidays", size=32, channels=3)  # doctest: +SKIP
    Images('holidays': 1,000 for training, 200 for testing, 3x32x32, 256 levels)
    """
    size, channels = checks.whole("size", size, 1, 4096), checks.one_of("channels", channels, tuple(MODES))
    place = Path(path).expanduser()
    if not place.is_dir():
        raise DataError(f"path: {str(path)!r} is not a folder")
    names, found = _find(place)
    if not found:
        raise DataError(f"path: {place} and the folders below it hold no files, expected pictures")
    target = cache_folder() / "pictures" / f"{_fingerprint(found, names)}-{size}x{size}x{channels}.f32"
    if not target.exists():
        _make(target, found, size, channels, place)
    return _mapped(target, place, names, (channels, size, size))


def _find(place: Path) -> tuple[tuple[str, ...], list[_Found]]:
    """The names of the classes, and every file, in an order that their contents decide."""
    files = sorted(file for file in place.rglob("*") if file.is_file() and not _is_hidden(file, place))
    groups = {file: file.relative_to(place).parts[:-1][:1] for file in files}
    names = sorted(set(groups.values()))
    numbers = {name: number for number, name in enumerate(names)}
    found = [_Found(file, _sha256(file), numbers[groups[file]]) for file in files]
    return tuple(name[0] if name else place.resolve().name for name in names), sorted(
        found, key=lambda one: (one.sha256, one.label)
    )


def _is_hidden(file: Path, place: Path) -> bool:
    return any(part.startswith(".") for part in file.relative_to(place).parts)


def _sha256(file: Path) -> str:
    """Of a file's contents; of its name, where it cannot be read: it will be listed with the broken ones."""
    try:
        with open(file, "rb") as content:
            return hashlib.file_digest(content, "sha256").hexdigest()
    except OSError:
        return hashlib.sha256(os.fsencode(file)).hexdigest()


def _fingerprint(found: list[_Found], names: tuple[str, ...]) -> str:
    digest = hashlib.sha256(repr((FORMAT, names)).encode())
    for one in found:
        digest.update(f"{one.sha256} {one.label}\n".encode())
    return digest.hexdigest()[:32]


def _make(target: Path, found: list[_Found], size: int, channels: int, place: Path) -> None:
    """Write the pictures one after another, then labels and contents beside them, the pictures' name last."""
    left_out: list[str] = []
    kept: list[_Found] = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.NamedTemporaryFile(dir=target.parent, suffix=".part", delete=False) as file:
            try:
                for one in _telling(found, place):
                    try:
                        with open(one.path, "rb") as content:
                            pixels = read_square(content, size, channels)
                    except OSError as error:
                        left_out.append(f"{one.path.relative_to(place)} ({error.strerror or error})")
                        continue
                    file.write(pixels.tobytes())
                    kept.append(one)
                _tell(left_out, len(found))
                if len(kept) < 2:
                    raise DataError(f"path: {place} holds {len(kept)} pictures, expected two at least")
                note = {"labels": [one.label for one in kept], "test": _test_count(kept)}
                target.with_suffix(".json").write_text(json.dumps(note))
                file.flush()
                os.fsync(file.fileno())
                os.replace(file.name, target)
            except BaseException:
                os.unlink(file.name)
                raise
    except OSError as error:
        raise DataError(f"{target}: cannot be written ({error.strerror or error})") from error


def _test_count(kept: list[_Found]) -> int:
    """How many are for testing: a sixth, and then as many more as have the contents of the last of them."""
    count = max(1, len(kept) // TESTED)
    while count < len(kept) - 1 and kept[count].sha256 == kept[count - 1].sha256:
        count += 1
    return count


def _telling(found: list[_Found], place: Path) -> Iterator[_Found]:
    """The files, with a bar on a terminal, and one line elsewhere."""
    if sys.stderr.isatty():
        from tqdm import tqdm  # only when there is something to see

        yield from tqdm(found, desc=f"pictures of {place}", dynamic_ncols=True)
        return
    print(f"scratchgen: resizing the {len(found):,} files of {place}, once", file=sys.stderr, flush=True)
    yield from found


def _tell(left_out: list[str], count: int) -> None:
    if left_out:
        more = [f"and {len(left_out) - SHOWN:,} more"] if len(left_out) > SHOWN else []
        listed = "".join(f"\n  {line}" for line in [*left_out[:SHOWN], *more])
        print(f"scratchgen: left out {len(left_out):,} of {count:,} files:{listed}", file=sys.stderr)


def _mapped(target: Path, place: Path, names: tuple[str, ...], shape: tuple[int, ...]) -> Images:
    try:
        note: Any = json.loads(target.with_suffix(".json").read_text())
        labels = np.array(note["labels"], np.int64)
        pixels = np.asarray(np.memmap(target, np.float32, "r", shape=(len(labels), *shape)))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise DataError(f"{target}: is damaged ({error}); remove it, and it is made again") from error
    test = int(note["test"])
    return Images(
        place.resolve().name or "pictures",
        pixels[test:],
        labels[test:],
        pixels[:test],
        labels[:test],
        levels=256,
        class_names=names,
        fingerprint=target.stem,
    )
