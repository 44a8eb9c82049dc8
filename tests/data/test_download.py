"""Downloads: resumed, checked, and complete or absent."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from scratchgen.data import DataError, download as downloading
from scratchgen.data.download import BLOCK, download

BODY = bytes(range(256)) * 1000


def must_be_body(path: Path) -> None:
    if path.read_bytes() != BODY:
        raise DataError(f"{path}: is wrong")


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits long here."""
    monkeypatch.setattr(downloading, "PAUSE", 0.0)
    monkeypatch.setattr(downloading, "TIMEOUT", 5.0)


@pytest.fixture
def once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each mirror is tried once."""
    monkeypatch.setattr(downloading, "ATTEMPTS", 1)


def fetch(server: Any, folder: Path, *mirrors: str, largest: int = len(BODY)) -> Path:
    addresses = [server.url(mirror) for mirror in mirrors]
    download("a.gz", folder / "a.gz", addresses, must_be_body, largest=largest)
    assert [path.name for path in folder.iterdir()] == ["a.gz"]
    return folder / "a.gz"


def test_downloads_into_a_new_folder(server: Any, tmp_path: Path) -> None:
    server.contents["/m/a.gz"] = BODY
    assert fetch(server, tmp_path / "new" / "folder", "m").read_bytes() == BODY
    assert server.requests == [("/m/a.gz", None)]


def test_an_interrupted_download_is_resumed(server: Any, tmp_path: Path) -> None:
    server.contents["/m/a.gz"] = BODY
    server.cuts["/m/a.gz"] = [100_000, 50_000]
    assert fetch(server, tmp_path, "m").read_bytes() == BODY
    assert [asked for _, asked in server.requests] == [None, "bytes=100000-", "bytes=150000-"]


def test_the_next_call_resumes_what_the_last_one_left(server: Any, tmp_path: Path, once: None) -> None:
    server.contents["/m/a.gz"] = BODY
    server.cuts["/m/a.gz"] = [1000]
    with pytest.raises(DataError, match=r"the connection was closed after 1,000 of 256,000 bytes"):
        fetch(server, tmp_path, "m")
    assert not (tmp_path / "a.gz").exists()
    assert fetch(server, tmp_path, "m").read_bytes() == BODY
    assert server.requests[-1] == ("/m/a.gz", "bytes=1000-")


def test_another_mirror_goes_on_where_the_first_stopped(server: Any, tmp_path: Path, once: None) -> None:
    server.contents |= {"/m/a.gz": BODY, "/n/a.gz": BODY}
    server.cuts["/m/a.gz"] = [1000]
    assert fetch(server, tmp_path, "m", "n").read_bytes() == BODY
    assert server.requests == [("/m/a.gz", None), ("/n/a.gz", "bytes=1000-")]


def test_a_server_that_cannot_resume_starts_over(server: Any, tmp_path: Path) -> None:
    server.contents["/m/a.gz"] = BODY
    server.cuts["/m/a.gz"] = [1000]
    server.ranges = False
    assert fetch(server, tmp_path, "m").read_bytes() == BODY
    assert [asked for _, asked in server.requests] == [None, "bytes=1000-"]


@pytest.mark.parametrize("left_behind", [b"x" * 1000, b"x" * len(BODY), BODY + b"x"])
def test_a_wrong_beginning_is_thrown_away(server: Any, tmp_path: Path, left_behind: bytes) -> None:
    server.contents["/m/a.gz"] = BODY
    (tmp_path / "a.gz.part").write_bytes(left_behind)
    assert fetch(server, tmp_path, "m").read_bytes() == BODY
    assert server.requests[-1] == ("/m/a.gz", None)


def test_a_complete_part_needs_only_the_check(server: Any, tmp_path: Path) -> None:
    server.contents["/m/a.gz"] = BODY
    (tmp_path / "a.gz.part").write_bytes(BODY)
    assert fetch(server, tmp_path, "m").read_bytes() == BODY
    assert server.requests == [("/m/a.gz", f"bytes={len(BODY)}-")]


@pytest.mark.parametrize(
    "wrong", [BODY[:-1], BODY[:-1] + b"\x00", b"<html>not found</html>", b"", BODY + b"x"]
)
def test_a_wrong_file_sends_on_to_the_next_mirror(server: Any, tmp_path: Path, wrong: bytes) -> None:
    server.contents |= {"/m/a.gz": wrong, "/n/a.gz": BODY}
    assert fetch(server, tmp_path, "m", "n").read_bytes() == BODY
    assert [path for path, _ in server.requests] == ["/m/a.gz", "/n/a.gz"]


@pytest.mark.parametrize(("status", "requests"), [(404, 1), (403, 1), (500, 3), (503, 3), (429, 3)])
def test_a_failing_server_sends_on_to_the_next_mirror(
    server: Any, tmp_path: Path, status: int, requests: int
) -> None:
    server.contents["/n/a.gz"] = BODY
    server.statuses["/m/a.gz"] = [status] * 3
    assert fetch(server, tmp_path, "m", "n").read_bytes() == BODY
    assert [path for path, _ in server.requests] == ["/m/a.gz"] * requests + ["/n/a.gz"]


def test_a_server_that_recovers_is_asked_again(server: Any, tmp_path: Path) -> None:
    server.contents["/m/a.gz"] = BODY
    server.statuses["/m/a.gz"] = [503, 503]
    assert fetch(server, tmp_path, "m").read_bytes() == BODY


def test_a_silent_server_is_given_up(
    server: Any, tmp_path: Path, once: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(downloading, "TIMEOUT", 0.1)
    server.contents["/hang/a.gz"] = BODY
    with pytest.raises(DataError, match="timed out"):
        fetch(server, tmp_path, "hang")


def test_an_endless_file_is_not_stored(server: Any, tmp_path: Path) -> None:
    server.contents["/m/a.gz"] = BODY * 20
    sizes = []

    def refuse(path: Path) -> None:
        sizes.append(path.stat().st_size)
        raise DataError(f"{path}: is too large")

    with pytest.raises(DataError, match="is too large"):
        download("a.gz", tmp_path / "a.gz", [server.url("m")], refuse, largest=len(BODY))
    assert len(BODY) < sizes[0] <= len(BODY) + BLOCK
    assert len(server.requests) == 1
    assert list(tmp_path.iterdir()) == []


def test_when_all_fail_each_is_named_and_the_old_file_stays(server: Any, tmp_path: Path) -> None:
    (tmp_path / "a.gz").write_bytes(b"old")
    server.contents["/m/a.gz"] = b"wrong"
    with pytest.raises(DataError) as caught:
        fetch(server, tmp_path, "m", "n")
    first, second, third = str(caught.value).splitlines()
    assert first == "a.gz: cannot be downloaded"
    assert server.url("m/a.gz") in second
    assert "is wrong" in second
    assert server.url("n/a.gz") in third
    assert "404" in third
    assert (tmp_path / "a.gz").read_bytes() == b"old"


def test_nobody_listening(server: Any, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="refused"):
        download("a.gz", tmp_path / "a.gz", ["http://127.0.0.1:1"], must_be_body, largest=9)


def test_a_folder_that_cannot_be_made_is_named(server: Any, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(DataError, match=r"a\.gz: cannot be written"):
        fetch(server, tmp_path / "file", "m")
    assert server.requests == []
