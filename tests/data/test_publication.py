"""Where the files come from: the reader's folder, the environment, the cache, a mirror."""

from __future__ import annotations

import gzip
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from scratchgen.data import DataError
from scratchgen.data.publication import cache_folder, load


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of the test's own, and no folder named in the environment."""
    monkeypatch.delenv("SCRATCHGEN_DATA", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "scratchgen" / "tiny"


def write(folder: Path, contents: dict[str, bytes]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return folder


def files_of(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_loads_images_and_labels(tmp_path: Path, make_publication: Callable[..., Any]) -> None:
    publication, contents = make_publication()
    images = load(publication, write(tmp_path / "own", contents))
    grey = np.frombuffer(gzip.decompress(contents["train-x.gz"])[16:], np.uint8).reshape(6, 4, 5)
    assert (images.train.shape, images.test.shape) == ((6, 1, 4, 5), (2, 1, 4, 5))
    assert (images.name, images.levels, images.shape) == ("tiny", 256, (1, 4, 5))
    np.testing.assert_array_equal(images.train[:, 0], grey.astype(np.float32) / np.float32(255))
    assert list(images.test_labels) == list(gzip.decompress(contents["test-y.gz"])[8:])
    assert (images.train.dtype, images.train_labels.dtype) == (np.float32, np.int64)


@pytest.mark.parametrize("inside", [".", "Tiny/raw"])
@pytest.mark.parametrize("how", ["root", "SCRATCHGEN_DATA"])
def test_finds_the_files_in_a_given_folder(
    tmp_path: Path,
    make_publication: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    inside: str,
    how: str,
) -> None:
    publication, contents = make_publication()
    write(tmp_path / "own" / inside, contents)
    if how == "root":
        images = load(publication, str(tmp_path / "own"))
    else:
        monkeypatch.setenv(how, str(tmp_path / "own"))
        images = load(publication)
    assert len(images.train) == 6


@pytest.mark.parametrize("inside", [".", "Tiny/raw"])
def test_files_that_were_unpacked_or_compressed_anew_are_recognised_by_their_contents(
    tmp_path: Path, make_publication: Callable[..., Any], inside: str
) -> None:
    publication, contents = make_publication()
    expected = load(publication, write(tmp_path / "published", contents))
    train_x, train_y, test_x, test_y = (gzip.decompress(content) for content in contents.values())
    own = write(
        tmp_path / "own" / inside,
        {
            "train-x": train_x,  # as gunzip leaves it
            "train-y.gz": gzip.compress(train_y, compresslevel=1, mtime=7),
            "test-x.gz": test_x,  # a browser may unpack what it saves, and keep the name
            "test-y": gzip.compress(test_y, mtime=7),
        },
    )
    before = files_of(own)
    images = load(publication, tmp_path / "own")
    for name in ("train", "train_labels", "test", "test_labels"):
        np.testing.assert_array_equal(getattr(images, name), getattr(expected, name))
    assert files_of(own) == before


def test_root_comes_before_the_environment(
    tmp_path: Path, make_publication: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    publication, contents = make_publication()
    monkeypatch.setenv("SCRATCHGEN_DATA", str(tmp_path / "nowhere"))
    assert len(load(publication, write(tmp_path / "own", contents)).test) == 2
    with pytest.raises(DataError, match=r"SCRATCHGEN_DATA: .*nowhere' is not a folder"):
        load(publication)


def test_a_folder_without_the_files_is_an_error_not_a_download(
    server: Any, tmp_path: Path, make_publication: Callable[..., Any]
) -> None:
    publication, contents = make_publication((server.url("m"),))
    with pytest.raises(DataError, match=r"root: .* does not hold tiny; expected train-x\.gz, .* Tiny/raw/"):
        load(publication, tmp_path)
    del contents["test-x.gz"]
    with pytest.raises(DataError, match=r"root: .*own lacks test-x\.gz of tiny"):
        load(publication, write(tmp_path / "own", contents))
    assert server.requests == []


@pytest.mark.parametrize("how", ["root", "SCRATCHGEN_DATA"])
def test_a_damaged_file_of_the_readers_is_named_and_left_alone(
    server: Any,
    tmp_path: Path,
    make_publication: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    publication, contents = make_publication((server.url("m"),))
    contents["test-x.gz"] = contents["test-x.gz"][:-9]
    own = write(tmp_path / "own", contents)
    monkeypatch.setenv("SCRATCHGEN_DATA", str(own))
    with pytest.raises(DataError, match=r"own/test-x\.gz: is truncated"):
        load(publication, own if how == "root" else None)
    assert files_of(own) == contents
    assert server.requests == []


def test_downloads_once_into_the_cache(
    server: Any, elsewhere: Path, make_publication: Callable[..., Any]
) -> None:
    publication, contents = make_publication((server.url("m"), server.url("n")))
    server.contents |= {f"/n/{name}": content for name, content in contents.items()}
    images = load(publication)
    assert len(images.train) == 6
    assert files_of(elsewhere) == contents
    asked = len(server.requests)
    assert load(publication) is images
    assert len(server.requests) == asked == 8  # each file: one 404 at the first mirror, then the second


def test_a_folder_in_the_environment_with_other_data_leaves_the_cache_to_help(
    server: Any,
    tmp_path: Path,
    elsewhere: Path,
    make_publication: Callable[..., Any],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publication, contents = make_publication((server.url("m"),))
    server.contents |= {f"/m/{name}": content for name, content in contents.items()}
    (tmp_path / "own").mkdir()
    monkeypatch.setenv("SCRATCHGEN_DATA", str(tmp_path / "own"))
    load(publication)
    assert files_of(elsewhere) == contents
    assert not any((tmp_path / "own").iterdir())


def test_a_damaged_file_in_the_cache_is_named_and_downloaded_again(
    server: Any, elsewhere: Path, make_publication: Callable[..., Any], capsys: pytest.CaptureFixture[str]
) -> None:
    publication, contents = make_publication((server.url("m"),))
    server.contents |= {f"/m/{name}": content for name, content in contents.items()}
    write(elsewhere, contents | {"train-y.gz": b"<html>"})
    load(publication)
    assert files_of(elsewhere) == contents
    assert [path for path, _ in server.requests] == ["/m/train-y.gz"]
    assert "train-y.gz: is neither gzip nor IDX but a web page" in capsys.readouterr().err


def test_offline_says_what_to_do(server: Any, elsewhere: Path, make_publication: Callable[..., Any]) -> None:
    publication, contents = make_publication((server.url("m"),))
    write(elsewhere, contents | {"train-y.gz": b"damaged"})
    with pytest.raises(DataError, match=r"(?s)404.*root=.*SCRATCHGEN_DATA"):
        load(publication)
    assert (elsewhere / "train-y.gz").read_bytes() == b"damaged"


def test_a_file_that_changes_is_checked_again(tmp_path: Path, make_publication: Callable[..., Any]) -> None:
    publication, contents = make_publication()
    own = write(tmp_path / "own", contents)
    assert load(publication, own) is load(publication, own)
    damaged = bytearray(contents["train-x.gz"])
    damaged[40] ^= 1
    (own / "train-x.gz").write_bytes(damaged)
    os.utime(own / "train-x.gz", ns=(1, 1))
    with pytest.raises(DataError, match=r"train-x\.gz"):
        load(publication, own)


def test_cached_arrays_cannot_be_written_to(tmp_path: Path, make_publication: Callable[..., Any]) -> None:
    publication, contents = make_publication()
    images = load(publication, write(tmp_path / "own", contents))
    for array in (images.train, images.train_labels, images.test, images.test_labels):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_a_relative_cache_home_is_ignored(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert cache_folder() == tmp_path / "cache" / "scratchgen"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr("sys.platform", "linux")
    assert cache_folder() == tmp_path / ".cache" / "scratchgen"
