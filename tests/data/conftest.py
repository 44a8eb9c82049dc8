"""A web server on this machine that misbehaves on demand, and small data sets to serve."""

from __future__ import annotations

import gzip
import hashlib
import math
import struct
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest

from scratchgen.data.idx import IdxFile
from scratchgen.data.publication import Publication


class Server(ThreadingHTTPServer):
    """Serves `contents` by path; what is not there is a 404.

    `cuts` closes the connection of the next answers for a path after so many bytes of the body; `statuses`
    answers with an error instead; `ranges` says whether the server knows range requests. `requests` records
    every path asked for, with its ``Range`` header.
    """

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.contents: dict[str, bytes] = {}
        self.cuts: dict[str, list[int]] = {}
        self.statuses: dict[str, list[int]] = {}
        self.ranges = True
        self.requests: list[tuple[str, str | None]] = []
        self.released = threading.Event()

    def url(self, folder: str) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/{folder}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        asked = self.headers.get("Range")
        self.server.requests.append((self.path, asked))
        if self.path == "/hang/a.gz":
            self.server.released.wait(10)
        if self.server.statuses.get(self.path):
            self.send_error(self.server.statuses[self.path].pop(0))
        elif self.path not in self.server.contents:
            self.send_error(404)
        else:
            self.answer(asked)

    def answer(self, asked: str | None) -> None:
        body = self.server.contents[self.path]
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked and self.server.ranges else 0
        if start and start >= len(body):
            self.send_error(416)
            return
        self.send_response(206 if start else 200)
        if start:
            self.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        self.send_header("Content-Length", str(len(body) - start))
        self.end_headers()
        cuts = self.server.cuts.get(self.path)
        self.wfile.write(body[start:][: cuts.pop(0) if cuts else None])

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.released.set()
        running.shutdown()
        thread.join()


def idx(array: np.ndarray) -> bytes:
    """`array` as an uncompressed IDX file, written here independently of the reader."""
    return (
        bytes([0, 0, 8, array.ndim]) + b"".join(struct.pack(">I", n) for n in array.shape) + array.tobytes()
    )


def archive(content: bytes) -> bytes:
    return gzip.compress(content, mtime=0)


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def pictures() -> np.ndarray:
    """Three different pictures of different height and width, so that no two axes can be confused."""
    return np.arange(3 * 4 * 5, dtype=np.uint8).reshape(3, 4, 5) * 4


@pytest.fixture
def make_publication() -> Callable[..., tuple[Publication, dict[str, bytes]]]:
    """Make a small data set and the contents of its files, from a seed."""

    def make(
        mirrors: tuple[str, ...] = (), seed: int = 0, name: str = "tiny"
    ) -> tuple[Publication, dict[str, bytes]]:
        rng = np.random.default_rng(seed)
        shapes = {"train-x.gz": (6, 4, 5), "train-y.gz": (6,), "test-x.gz": (2, 4, 5), "test-y.gz": (2,)}
        contents, files = {}, []
        for file, shape in shapes.items():
            values = rng.integers(0, 256 if len(shape) > 1 else 10, math.prod(shape), dtype=np.uint8)
            content = idx(values.reshape(shape))
            contents[file] = archive(content)
            files.append(IdxFile(file, shape, (sha256(archive(content)), sha256(content))))
        return Publication(name, ("Tiny/raw", "."), mirrors, tuple(files)), contents

    return make
