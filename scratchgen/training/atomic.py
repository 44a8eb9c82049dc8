"""Files that are there as a whole or not at all, whatever happens while they are written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO


@contextmanager
def atomic_write(path: Path) -> Iterator[IO[bytes]]:
    """A file to write to, which takes the place of `path` in one step when the block ends without an error.

    The bytes go to a hidden file in the same folder and are forced to the disk; only then is that file
    renamed, and the folder, of which the new name is an entry, forced to the disk too. So a crash, a full
    disk, a power cut or ``kill -9`` at any moment leaves either the old file or the new one.

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
        If the file cannot be written; the old one is unchanged then, and no other is left behind.
    """
    # The process's number keeps two processes that save to one place from writing into one file.
    partial = path.with_name(f".{path.name}.{os.getpid()}.partial")
    try:
        with open(partial, "wb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(partial, path)
    except BaseException:
        partial.unlink(missing_ok=True)
        raise
    _synchronise_folder(path.parent)


def _synchronise_folder(folder: Path) -> None:
    if os.name == "nt":  # Windows can neither open a folder nor needs to
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
