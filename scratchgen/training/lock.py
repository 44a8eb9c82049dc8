"""Locks that end with the process that holds them, however it ends."""

from __future__ import annotations

import sys
from typing import IO

if sys.platform != "win32":
    import fcntl


def lock(file: IO[bytes] | int, unknown: bool) -> bool:
    """Whether an open file or folder is now its holder's alone, until it is closed or the process is gone.

    Parameters
    ----------
    file : file or descriptor
    unknown : bool
        What to say where there are no locks: on Windows, on some network file systems.
    """
    if sys.platform == "win32":
        return unknown
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:
        return unknown
    return True
