"""The file of a checkpoint: an uncompressed .npz, of which nothing is believed before it is checked.

A zip archive of ``.npy`` files that `numpy.load` opens, and ``manifest.json``. Since nothing is compressed,
what an array claims to hold can be compared with the bytes that are really there: neither a zip bomb nor a
header that declares terabytes gets as far as an allocation.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Mapping
from typing import IO, Any

import numpy as np

from .manifest import KINDS, Entry, Manifest

MANIFEST = "manifest.json"
MANIFEST_LIMIT = 1 << 24  # bytes: room for a hundred thousand arrays
CHUNK = 1 << 20


def write_array(archive: zipfile.ZipFile, name: str, array: np.ndarray) -> Entry:
    """Append `array` to the archive, as ``name.npy``, and return its entry for the manifest.

    Raises
    ------
    ValueError
        If it is of no number's data type, or holds a NaN: a model gone wrong must not replace a good one.
    """
    if array.dtype.kind not in KINDS:
        raise ValueError(f"{name}: got an array of {array.dtype}, expected numbers")
    if np.isnan(array).any():
        raise ValueError(f"{name}: {int(np.isnan(array).sum()):,} of {array.size:,} numbers are NaN")
    array = np.asarray(array, array.dtype.newbyteorder("<"), order="C")
    content = array.reshape(-1).view(np.uint8).data
    with archive.open(_member(f"{name}.npy"), "w", force_zip64=True) as file:
        header = {"descr": array.dtype.str, "fortran_order": False, "shape": array.shape}
        np.lib.format.write_array_header_1_0(file, header)
        file.write(content)
    return Entry(array.shape, array.dtype.str, hashlib.sha256(content).hexdigest())


def write_manifest(archive: zipfile.ZipFile, manifest: Manifest) -> None:
    """Append the manifest to the archive."""
    archive.writestr(_member(MANIFEST), manifest.to_json())


def _member(name: str) -> zipfile.ZipInfo:
    """A member with a fixed date, so that the same state gives the same file, byte for byte."""
    return zipfile.ZipInfo(name, date_time=(1980, 1, 1, 0, 0, 0))


def open_archive(file: IO[bytes]) -> zipfile.ZipFile:
    """The archive in a file, once its table of contents is known to be no lie about sizes.

    Raises
    ------
    ValueError
        Saying what was found and what was expected.
    """
    size = os.fstat(file.fileno()).st_size
    start = file.read(4)
    if not start:
        raise ValueError("it is empty")
    if start != b"PK\x03\x04":
        raise ValueError(f"it is no .npz file: it starts with {start!r}, expected b'PK\\x03\\x04'")
    try:
        archive = zipfile.ZipFile(file)
    except zipfile.BadZipFile as error:
        raise ValueError(f"it is cut short or damaged: {size:,} bytes without a table of contents") from error
    members = archive.infolist()
    if len({member.filename for member in members}) < len(members):
        raise ValueError("two of its members have the same name")
    for member in members:
        if member.compress_type != zipfile.ZIP_STORED or member.compress_size != member.file_size:
            raise ValueError(
                f"its member {member.filename!r} is compressed ({member.compress_size:,} bytes for "
                f"{member.file_size:,}), expected uncompressed members"
            )
    declared = sum(member.file_size for member in members)
    if declared > size:
        raise ValueError(f"its members declare {declared:,} bytes, but the file has {size:,}")
    return archive


def read_manifest(archive: zipfile.ZipFile) -> Manifest:
    """The manifest, checked against the archive's table of contents and the header of every array.

    Raises
    ------
    ValueError
        Saying what was found and what was expected.
    """
    sizes = {member.filename: member.file_size for member in archive.infolist()}
    if MANIFEST not in sizes:
        raise ValueError(f"it has no {MANIFEST}, so it was not written by save_checkpoint")
    if sizes[MANIFEST] > MANIFEST_LIMIT:
        raise ValueError(f"its {MANIFEST} has {sizes[MANIFEST]:,} bytes, expected at most {MANIFEST_LIMIT:,}")
    manifest = Manifest.from_json(archive.read(MANIFEST))
    members = {MANIFEST, *(f"{name}.npy" for name in manifest.arrays)}
    problems = [f"missing: {name}" for name in sorted(members - set(sizes))]
    problems += [f"unexpected: {name}" for name in sorted(set(sizes) - members)]
    for name, entry in manifest.arrays.items():
        if f"{name}.npy" in sizes:
            problems += _header_differences(archive, name, entry)
    if problems:
        raise ValueError("its arrays are not those of its manifest:\n  " + "\n  ".join(problems))
    return manifest


def _header_differences(archive: zipfile.ZipFile, name: str, entry: Entry) -> list[str]:
    with archive.open(f"{name}.npy") as file:
        try:
            shape, dtype = _read_header(file)
        except (
            Exception
        ) as error:  # NumPy reads a header as Python's own parser would, with all that it raises
            return [f"the header of {name} is damaged ({error})"]
        size = archive.getinfo(f"{name}.npy").file_size - file.tell()
    if (shape, dtype.str) != (entry.shape, entry.dtype):
        return [f"{name} declares {dtype} {shape}, expected {np.dtype(entry.dtype)} {entry.shape}"]
    if size != entry.size:
        return [f"{name} has {size:,} bytes, expected {entry.size:,} for {dtype} {shape}"]
    return []


def _read_header(file: IO[bytes]) -> tuple[tuple[int, ...], np.dtype[Any]]:
    """The shape and dtype that a .npy file declares."""
    version = np.lib.format.read_magic(file)
    if version != (1, 0):
        raise ValueError(f"version {version} of the .npy format, expected (1, 0)")
    shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(file)
    if fortran_order:
        raise ValueError("Fortran order, expected C order")
    return shape, dtype


def read_arrays(
    archive: zipfile.ZipFile, entries: Mapping[str, Entry], wanted: set[str]
) -> dict[str, np.ndarray]:
    """The arrays `wanted`; the bytes of all `entries` are checked against their SHA-256.

    Raises
    ------
    ValueError
        Naming the array that is damaged.
    """
    arrays = {}
    for name, entry in entries.items():
        array = np.empty(entry.shape, entry.dtype) if name in wanted else None
        content = None if array is None else array.reshape(-1).view(np.uint8)
        digest, position = hashlib.sha256(), 0
        with archive.open(f"{name}.npy") as file:
            _read_header(file)
            while chunk := file.read(CHUNK):
                digest.update(chunk)
                if content is not None:
                    content[position : position + len(chunk)] = np.frombuffer(chunk, np.uint8)
                position += len(chunk)
        if digest.hexdigest() != entry.sha256:
            raise ValueError(f"{name} is damaged: SHA-256 {digest.hexdigest()}, expected {entry.sha256}")
        if array is not None:
            arrays[name] = array
    return arrays
