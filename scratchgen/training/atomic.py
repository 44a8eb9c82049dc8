"""Files that are there as a whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import glob
import itertools
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from .lock import lock

_number = itertools.count()


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` in one step when the block ends without an error.

    The bytes go to a hidden file in the same folder and are forced to the disk; only then is that file
    renamed, and the folder, of which the new name is an entry, forced to the disk too. So a crash, a full
    disk, a power cut or ``kill -9`` at any moment leaves either the old file or the new one. Hidden files
    that dead processes left are removed.

    Parameters
    ----------
    path : Path
        Where the file shall be.

    Yields
    ------
    file
        Open for writing in binary mode, and seekable.

    Raises
    ------
    OSError
        If the file cannot be written; no other is left behind then.
    """
    _remove_leftovers(path)
    file = _new_partial(path)
    try:
        with file:
            yield file
            file.flush()
            os.fsync(file.fileno())
            if os.name == "nt":  # where an open file cannot be renamed
                file.close()
            os.replace(file.name, path)
    except BaseException:
        Path(file.name).unlink(missing_ok=True)
        raise
    _synchronise_folder(path.parent)


def _new_partial(path: Path) -> IO[bytes]:
    """A new hidden file beside `path`, locked while it is open: one that can be locked is left over.

    Its name holds the process's number and a count, so that no two saves, of any thread, share it.
    """
    while True:
        partial = path.with_name(f".{path.name}.{os.getpid()}-{next(_number)}.partial")
        try:
            file = open(partial, "xb")  # noqa: SIM115 (the caller closes it)
        except FileExistsError:  # by a process of the same number on another machine
            continue
        if lock(file, unknown=True) and partial.exists():
            return file
        file.close()  # taken for a leftover in the moment before it was locked


def _remove_leftovers(path: Path) -> None:
    for leftover in path.parent.glob(f".{glob.escape(path.name)}.*.partial"):
        with suppress(OSError), open(leftover, "rb") as file:
            if lock(file, unknown=False):
                leftover.unlink()


def _synchronise_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows can neither open a folder nor needs to
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
