"""Image sets that others publish as IDX files: where to find them, and how to read them safely."""

from __future__ import annotations

import functools
import os
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import DataError
from .idx import IdxFile, read_idx
from .record import Images, unit_pixels

ENVIRONMENT_VARIABLE = "SCRATCHGEN_DATA"


@dataclass(frozen=True)
class Publication:
    """A set of 256-level images published as four gzip-compressed IDX files.

    Attributes
    ----------
    name : str
        What the set is called; its folder in the cache bears the name too.
    folders : tuple of str
        Where in a folder of data sets its files may lie; the most particular place first.
    mirrors : tuple of str
        Addresses of folders that hold the files, tried in this order.
    files : tuple of IdxFile
        Training images, training labels, test images, test labels.
    """

    name: str
    folders: tuple[str, ...]
    mirrors: tuple[str, ...]
    files: tuple[IdxFile, ...]


def load(publication: Publication, root: str | os.PathLike[str] | None = None) -> Images:
    """The images of `publication`: from `root`, else from ``SCRATCHGEN_DATA``, else from the cache.

    Files of the reader's own (in `root` or ``SCRATCHGEN_DATA``) are only read. In the cache, what is missing
    or damaged is downloaded.

    Parameters
    ----------
    publication : Publication
    root : path, optional

    Returns
    -------
    Images
        Kept in memory while the files stay the same.

    Raises
    ------
    DataError
        If `root` is no folder or lacks a file, a file is damaged, or no mirror delivers it.
    """
    given = _given_folder(publication, root)
    if given is not None:
        return _read(publication, given)
    cached = cache_folder() / publication.name
    try:
        return _read(publication, cached)
    except DataError:
        _complete(publication, cached)
        return _read(publication, cached)


def cache_folder() -> Path:
    """Where downloads are kept: ``scratchgen`` in ``$XDG_CACHE_HOME``, else in the system's usual place."""
    base = os.environ.get("XDG_CACHE_HOME", "")
    if not os.path.isabs(base):  # the XDG specification says to ignore relative paths
        base = os.environ.get("LOCALAPPDATA", "") if sys.platform == "win32" else ""
    return Path(base or Path.home() / ".cache") / "scratchgen"


def _given_folder(publication: Publication, root: str | os.PathLike[str] | None) -> Path | None:
    """The folder of the reader's own that holds the files; None if there is none and none was asked for."""
    origin = ENVIRONMENT_VARIABLE if root is None else "root"
    place = os.environ.get(ENVIRONMENT_VARIABLE, "") if root is None else root
    if place == "" and root is None:
        return None
    base = Path(place).expanduser()
    if not base.is_dir():
        raise DataError(f"{origin}: {str(place)!r} is not a folder")
    names = [file.name for file in publication.files]
    for folder in (base / name for name in publication.folders):
        missing = [file.name for file in publication.files if not file.within(folder).is_file()]
        if not missing:
            return folder
        if len(missing) < len(names):
            raise DataError(f"{origin}: {folder} lacks {', '.join(missing)} of {publication.name}")
    if root is None:
        return None
    raise DataError(
        f"root: {base} does not hold {publication.name}; expected {', '.join(names)} there or in one of "
        f"its folders {', '.join(f'{name}/' for name in publication.folders if name != '.')}"
    )


def _read(publication: Publication, folder: Path) -> Images:
    """The images in `folder`, from memory if the files have not changed since they were read and checked."""
    try:
        states = [file.within(folder).stat() for file in publication.files]
    except OSError as error:
        raise DataError(f"{error.filename}: cannot be read ({error.strerror})") from error
    return _load(publication, folder, tuple((s.st_ino, s.st_size, s.st_mtime_ns) for s in states))


@functools.lru_cache(maxsize=2)
def _load(publication: Publication, folder: Path, states: tuple[tuple[int, int, int], ...]) -> Images:
    """Read and check all four files; `states` only tells the memory when they have changed."""
    train, train_labels, test, test_labels = (
        read_idx(file.within(folder), file) for file in publication.files
    )
    return Images(
        name=publication.name,
        train=unit_pixels(train, levels=256),
        train_labels=train_labels.astype(np.int64),
        test=unit_pixels(test, levels=256),
        test_labels=test_labels.astype(np.int64),
        levels=256,
    )


def _complete(publication: Publication, folder: Path) -> None:
    """Download to `folder` the files that are missing there or damaged."""
    from .download import download  # only here, since HTTP takes longer to import than all the rest

    for file in publication.files:
        path = folder / file.name
        try:
            read_idx(path, file)
            continue
        except DataError as damage:
            if path.exists():
                print(f"scratchgen: {damage}; downloading it again", file=sys.stderr)
        try:
            check = functools.partial(read_idx, file=file)
            download(file.name, path, publication.mirrors, check, largest=file.largest)
        except DataError as error:
            raise DataError(
                f"{error}\nIf you have the files of {publication.name}, pass their folder as root=, or name "
                f"it in the environment variable {ENVIRONMENT_VARIABLE}"
            ) from error
