"""Every way in which a file can be wrong is named, and none is half-used."""

from __future__ import annotations

import gzip
import hashlib
import re
import struct
import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from scratchgen.data import DataError
from scratchgen.data.idx import IdxFile, read_idx
from scratchgen.data.mnist import FASHION_MNIST, MNIST
from scratchgen.data.publication import Publication


def encoded(array: np.ndarray) -> bytes:
    return bytes([0, 0, 8, array.ndim]) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def description(array: np.ndarray, *contents: bytes) -> IdxFile:
    return IdxFile("a.gz", array.shape, tuple(hashlib.sha256(content).hexdigest() for content in contents))


def test_reads_what_was_written(tmp_path: Path, pictures: np.ndarray) -> None:
    packed = gzip.compress(encoded(pictures))
    (tmp_path / "a.gz").write_bytes(packed)
    read = read_idx(tmp_path / "a.gz", description(pictures, packed))
    assert read.dtype == np.uint8
    assert not read.flags.writeable
    np.testing.assert_array_equal(read, pictures)


def test_header_is_that_of_the_published_file() -> None:
    assert MNIST.files[0].header == bytes.fromhex("00000803 0000ea60 0000001c 0000001c")
    assert MNIST.files[3].header == bytes.fromhex("00000801 00002710")
    assert MNIST.files[0].size == 47_040_016


def test_every_published_digest_is_a_sha256() -> None:
    digests = [d for p in (MNIST, FASHION_MNIST) for file in p.files for d in file.digests]
    assert all(re.fullmatch("[0-9a-f]{64}", digest) for digest in digests)
    assert len(set(digests)) == len(digests) == 16  # as published, and of what is inside


def test_the_same_data_compressed_by_another_program_is_accepted(
    tmp_path: Path, pictures: np.ndarray
) -> None:
    content = encoded(pictures)
    (tmp_path / "a.gz").write_bytes(gzip.compress(content, compresslevel=1, mtime=1))
    published = gzip.compress(content, mtime=2)
    np.testing.assert_array_equal(
        read_idx(tmp_path / "a.gz", description(pictures, published, content)), pictures
    )
    with pytest.raises(DataError, match=r"a\.gz: is not the published a\.gz.*SHA-256"):
        read_idx(tmp_path / "a.gz", description(pictures, published))


def test_an_unpacked_file_is_accepted(tmp_path: Path, pictures: np.ndarray) -> None:
    content = encoded(pictures)
    (tmp_path / "a").write_bytes(content)
    file = description(pictures, gzip.compress(content, mtime=2), content)
    np.testing.assert_array_equal(read_idx(tmp_path / "a", file), pictures)
    for bit in range(8 * len(content)):
        damaged = bytearray(content)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "a").write_bytes(damaged)
        with pytest.raises(DataError, match=r"/a: (is n|declares)"):
            read_idx(tmp_path / "a", file)
    for wrong in (content[:-1], content + b"\0", content[:5]):
        (tmp_path / "a").write_bytes(wrong)
        with pytest.raises(DataError, match=r"/a: (holds|ends within)"):
            read_idx(tmp_path / "a", file)


@pytest.mark.parametrize("publication", [MNIST, FASHION_MNIST])
def test_the_published_files_may_be_compressed_anew_or_unpacked(publication: Publication) -> None:
    for file in publication.files:
        assert len(file.digests) == 2
        assert file.names == (file.name, file.name[:-3], file.name[:-3].replace("-idx", ".idx"))


def test_no_flipped_bit_goes_unnoticed(tmp_path: Path, pictures: np.ndarray) -> None:
    packed = gzip.compress(encoded(pictures))
    file = description(pictures, packed)
    for bit in range(8 * len(packed)):
        damaged = bytearray(packed)
        damaged[bit // 8] ^= 1 << bit % 8
        (tmp_path / "a.gz").write_bytes(damaged)
        with pytest.raises(DataError, match=r"a\.gz: "):
            read_idx(tmp_path / "a.gz", file)


def test_no_truncation_goes_unnoticed(tmp_path: Path, pictures: np.ndarray) -> None:
    content = encoded(pictures)
    packed = gzip.compress(content)
    file = description(pictures, packed, content)
    for length in range(len(packed)):
        (tmp_path / "a.gz").write_bytes(packed[:length])
        with pytest.raises(DataError, match=r"is empty|is neither gzip|is truncated after"):
            read_idx(tmp_path / "a.gz", file)


def header(*dimensions: int) -> bytes:
    return bytes([0, 0, 8, len(dimensions)]) + struct.pack(f">{len(dimensions)}I", *dimensions)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is empty"),
        (b"<!DOCTYPE html><title>404</title>", "is neither gzip nor IDX but a web page"),
        (b"\n <html>", "is neither gzip nor IDX but a web page"),
        (b"P5 28 28 255", "is neither gzip nor IDX but something else"),
        (header(3, 4, 5) + bytes(60), "is not the published"),
        (gzip.compress(b""), "decompresses to nothing"),
        (gzip.compress(b"<html></html>"), "magic number is 0x3c68746d, expected 0x00000803"),
        (gzip.compress(header(60) + bytes(60)), "magic number is 0x00000801, expected 0x00000803"),
        (gzip.compress(b"\0\0\x0d\x03" + header(3, 4, 5)[4:] + bytes(60)), "magic number is 0x00000d03"),
        (gzip.compress(header(3, 4, 5)[:9]), "ends within its header, after 9 bytes"),
        (gzip.compress(header(3, 5, 4) + bytes(60)), r"declares .* \(3, 5, 4\), expected \(3, 4, 5\)"),
        (gzip.compress(header(3, 4, 5) + bytes(59)), "holds 75 bytes, expected 76"),
        (gzip.compress(header(3, 4, 5) + bytes(61)), "holds more bytes, expected 76"),
        (gzip.compress(header(3, 4, 5) + bytes(60)) + b"junk", "is damaged"),
        (gzip.compress(header(3, 4, 5) + bytes(60)), "is not the published"),
        (bytes(2000), "is larger than a.gz can be"),
    ],
)
def test_what_is_wrong_is_named(tmp_path: Path, pictures: np.ndarray, content: bytes, message: str) -> None:
    (tmp_path / "a.gz").write_bytes(content)
    with pytest.raises(DataError, match=message) as caught:
        read_idx(tmp_path / "a.gz", description(pictures, encoded(pictures)))
    assert str(tmp_path / "a.gz") in str(caught.value)
    assert (tmp_path / "a.gz").read_bytes() == content


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path, pictures: np.ndarray) -> None:
    for path in (tmp_path / "nowhere.gz", tmp_path):
        with pytest.raises(DataError, match=re.escape(f"{path}: cannot be read")):
            read_idx(path, description(pictures))


@pytest.mark.parametrize("dimensions", [(2**32 - 1, 2**16, 2**16), (200, 28, 28)])
def test_terabytes_are_neither_declared_nor_unpacked_into_memory(
    tmp_path: Path, dimensions: tuple[int, ...]
) -> None:
    bomb = gzip.compress(header(*dimensions) + bytes(1 << 26))
    (tmp_path / "a.gz").write_bytes(bomb)
    file = IdxFile("a.gz", (200, 28, 28), ("0" * 64,))
    assert len(bomb) < file.largest
    tracemalloc.start()
    with pytest.raises(DataError, match=r"declares an array of shape|holds more bytes"):
        read_idx(tmp_path / "a.gz", file)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 4 * file.size  # bytes
