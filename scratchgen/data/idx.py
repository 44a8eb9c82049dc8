"""The IDX format, in which MNIST and its relatives are published, compressed by gzip.

An IDX file is a big-endian header and then the numbers, row by row (Y. LeCun, C. Cortes and C. Burges, "The
MNIST database of handwritten digits")::

    0  0  type  n      type 0x08: unsigned bytes; n: the number of dimensions
    size of dimension 1 .. n     four bytes each
    the numbers
"""

from __future__ import annotations

import gzip
import hashlib
import io
import math
import struct
import zlib
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from .errors import DataError

UNSIGNED_BYTE = 0x08


@dataclass(frozen=True)
class IdxFile:
    """An IDX file of unsigned bytes, compressed by gzip, as its publisher describes it.

    Attributes
    ----------
    name : str
        Its file name, for example ``"train-labels-idx1-ubyte.gz"``.
    shape : tuple of int
        The shape of the array in it.
    digests : tuple of str
        SHA-256 in hexadecimal of the compressed file, or of the IDX file inside. The second recognises the
        same data compressed by another program, or unpacked. One of them has to match.
    """

    name: str
    shape: tuple[int, ...]
    digests: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names it may lie under: its own, and those that unpacking gives."""
        unpacked = self.name.removesuffix(".gz")
        return tuple(dict.fromkeys((self.name, unpacked, unpacked.replace("-idx", ".idx"))))

    def within(self, folder: Path) -> Path:
        """Its path in `folder`, under the first of its names that is there; under its own if none is."""
        found = (folder / name for name in self.names if (folder / name).is_file())
        return next(found, folder / self.name)

    @property
    def header(self) -> bytes:
        """The only header that a file of this shape can begin with."""
        return struct.pack(f">HBB{len(self.shape)}I", 0, UNSIGNED_BYTE, len(self.shape), *self.shape)

    @property
    def size(self) -> int:
        """The bytes of the IDX file, uncompressed."""
        return len(self.header) + math.prod(self.shape)

    @property
    def largest(self) -> int:
        """More bytes than this the compressed file cannot have: gzip adds less than a thousandth."""
        return self.size * 1001 // 1000 + 1024


def read_idx(path: Path, file: IdxFile) -> np.ndarray:
    """The array in the IDX file at `path`, compressed or not, which has to be the one that `file` describes.

    Its contents say what the file is, not its name. The expected shape bounds what is read and decompressed,
    so that neither a header that declares terabytes nor an archive that unpacks to them costs memory.

    Parameters
    ----------
    path : pathlib.Path
        Where it lies, under whatever name.
    file : IdxFile
        What it has to be.

    Returns
    -------
    numpy.ndarray
        uint8, of shape ``file.shape``, read-only.

    Raises
    ------
    DataError
        If the file cannot be read, is neither gzip nor IDX, is truncated or damaged, holds another shape, or
        is well formed but has another SHA-256.
    """
    try:
        with path.open("rb") as stream:
            stored = stream.read(file.largest + 1)
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror})") from error
    content = _unpacked(path, stored, file)
    _check_content(path, content, file)
    found = [hashlib.sha256(data).hexdigest() for data in (stored, content)]
    if not set(found) & set(file.digests):
        raise DataError(
            f"{path}: is not the published {file.name}: its SHA-256 is {found[0]} ({found[1]} uncompressed), "
            f"expected {' or '.join(file.digests)}; it is altered, or of another data set"
        )
    return np.frombuffer(content, dtype=np.uint8, offset=len(file.header)).reshape(file.shape)


def _unpacked(path: Path, stored: bytes, file: IdxFile) -> bytes:
    """The IDX file itself, or as much of it as is enough to see that there is too much."""
    if not stored:
        raise DataError(f"{path}: is empty")
    if len(stored) > file.largest:
        raise DataError(f"{path}: is larger than {file.name} can be ({file.largest:,} bytes)")
    if stored.startswith(b"\0\0"):  # as IDX begins
        return stored
    if not stored.startswith(b"\x1f\x8b"):
        looks = "a web page" if stored.lstrip()[:1] == b"<" else "something else"
        raise DataError(f"{path}: is neither gzip nor IDX but {looks}; it begins with {stored[:16]!r}")
    try:
        with gzip.GzipFile(fileobj=io.BytesIO(stored)) as stream:
            return stream.read(file.size + 1)
    except EOFError as error:
        raise DataError(f"{path}: is truncated after {len(stored):,} bytes") from error
    except (gzip.BadGzipFile, zlib.error) as error:
        raise DataError(f"{path}: is damaged ({error})") from error


def _check_content(path: Path, content: bytes, file: IdxFile) -> None:
    """Raise unless `content` has the header and the length that `file` has to have."""
    if not content:
        raise DataError(f"{path}: is an empty gzip archive, it decompresses to nothing")
    expected = file.header
    if content[:4] != expected[:4]:
        raise DataError(
            f"{path}: is not the IDX file {file.name}: its magic number is 0x{content[:4].hex()}, "
            f"expected 0x{expected[:4].hex()}"
        )
    if len(content) < len(expected):
        raise DataError(f"{path}: ends within its header, after {len(content)} bytes")
    if content[: len(expected)] != expected:
        shape = struct.unpack_from(f">{len(file.shape)}I", content, 4)
        raise DataError(f"{path}: declares an array of shape {shape}, expected {file.shape}")
    if len(content) != file.size:
        amount = "more" if len(content) > file.size else f"{len(content):,}"
        raise DataError(f"{path}: holds {amount} bytes, expected {file.size:,} for an array of {file.shape}")
