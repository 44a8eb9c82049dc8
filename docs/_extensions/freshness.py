"""What of an earlier build still holds: a digest of the files that it was made from."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path


def digest(files: Iterable[Path]) -> str:
    """A name for the contents of the files, and for their places."""
    content = hashlib.sha256()
    for file in sorted(files):
        content.update(str(file).encode() + b"\0" + file.read_bytes() + b"\0")
    return content.hexdigest()[:16]
