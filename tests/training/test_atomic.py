"""A file is there as a whole, or the old one is."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from scratchgen.training.atomic import atomic_write


def test_the_new_file_takes_the_place_of_the_old(tmp_path: Path) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")
    with atomic_write(path) as file:
        file.write(b"new")
        assert path.read_bytes() == b"old"
    assert path.read_bytes() == b"new"
    assert os.listdir(tmp_path) == ["a.bin"]


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_an_error_leaves_the_old_file_and_no_other(tmp_path: Path, error: BaseException) -> None:
    path = tmp_path / "a.bin"
    path.write_bytes(b"old")

    def fail() -> None:
        with atomic_write(path) as file:
            file.write(b"half of the n")
            raise error

    with pytest.raises(type(error)):
        fail()
    assert path.read_bytes() == b"old"
    assert os.listdir(tmp_path) == ["a.bin"]


def test_saves_of_many_threads_to_one_path(tmp_path: Path) -> None:
    """Each writes a file of its own: who reads meanwhile always finds a whole one."""
    path, over = tmp_path / "a.bin", threading.Event()

    def save(number: int) -> None:
        for i in range(30):
            with atomic_write(path) as file:
                for _ in range(8):
                    file.write(bytes([number, i]) * 1000)
                    file.flush()

    def read() -> int:
        seen = 0
        while not over.is_set():
            if path.exists():
                content = path.read_bytes()
                assert content == content[:2] * 8000
                seen += 1
        return seen

    with ThreadPoolExecutor(5) as pool:
        reader = pool.submit(read)
        try:
            list(pool.map(save, range(4)))
        finally:
            over.set()
        assert reader.result() > 0
    assert os.listdir(tmp_path) == ["a.bin"]


LEAVES = """
import sys
from pathlib import Path
from scratchgen.training.atomic import atomic_write
with atomic_write(Path(sys.argv[1])) as file:
    file.write(b"half")
    print("half", flush=True)
    sys.stdin.read()
"""


@pytest.mark.host_only
def test_what_a_dead_process_left_is_removed_and_what_a_living_one_writes_is_not(tmp_path: Path) -> None:
    path = tmp_path / "[a].bin"  # a name that means something to glob
    (tmp_path / ".other.123.partial").write_bytes(b"of another file")
    command = [sys.executable, "-c", LEAVES, str(path)]
    dead, living = (
        subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]
        )
        for _ in range(2)
    )
    for process in (dead, living):
        assert process.stdout is not None
        assert process.stdout.readline() == b"half\n"
    (tmp_path / f".{path.name}.123.partial").write_bytes(b"of an older version")
    dead.kill()
    dead.communicate()
    assert len(os.listdir(tmp_path)) == 4
    with atomic_write(path) as file:
        file.write(b"whole")
    (left,) = set(os.listdir(tmp_path)) - {path.name, ".other.123.partial"}
    assert f".{living.pid}-" in left
    living.communicate()
    assert living.returncode == 0
    assert path.read_bytes() == b"half"
    assert sorted(os.listdir(tmp_path)) == [".other.123.partial", path.name]


def test_file_and_folder_reach_the_disk_in_the_right_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, os.replace
    monkeypatch.setattr(os, "replace", lambda a, b: (done.append("rename"), replace(a, b)))

    def recorded(descriptor: int) -> None:
        done.append("folder" if os.path.isdir(f"/proc/self/fd/{descriptor}") else "file")
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", recorded)
    with atomic_write(tmp_path / "a.bin") as file:
        file.write(b"new")
    assert done == ["file", "rename", "folder"]
