"""Downloading a file: from the first mirror that has it whole, resuming what was interrupted.

The bytes gather in ``<name>.part`` beside the destination. Only when the check has passed is that file
renamed into place, in one step; so what lies under the final name was once complete and right.
"""

from __future__ import annotations

import http.client
import os
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Sequence
from pathlib import Path

from .errors import DataError

BLOCK = 1 << 16  # bytes read at a time
ATTEMPTS = 3  # at each mirror; each resumes where the last one was interrupted
PAUSE = 1.0  # seconds before the second attempt, twice that before the third, and so on
TIMEOUT = 20.0  # seconds to wait for a connection, or for the next bytes


class _Interrupted(Exception):
    """The connection failed part of the way: what has arrived is kept, and it is worth going on."""


def download(
    name: str,
    destination: Path,
    mirrors: Sequence[str],
    check: Callable[[Path], object],
    *,
    largest: int,
) -> None:
    """Download `name` to `destination` from the first of `mirrors` that delivers a file that `check` accepts.

    Parameters
    ----------
    name : str
        The file's name; its address is ``mirror + "/" + name``.
    destination : pathlib.Path
        Where to put it. What lies there already is replaced only by a file that passed the check.
    mirrors : sequence of str
        Addresses of folders, tried in this order.
    check : callable
        Called with the path of the complete download; raises `DataError` if the file is not the right one.
    largest : int
        The most bytes to accept.

    Raises
    ------
    DataError
        If no mirror delivers; the message says what each answered. Or if the folder cannot be written.
    """
    part = destination.with_name(destination.name + ".part")
    failures = []
    try:
        destination.parent.mkdir(parents=True, exist_ok=True)
        for mirror in mirrors:
            address = f"{mirror.rstrip('/')}/{name}"
            print(f"scratchgen: downloading {address} to {destination.parent}", file=sys.stderr)
            failure = _from_one_mirror(address, part, check, largest)
            if failure is None:
                os.replace(part, destination)
                return
            failures.append(f"  {address}: {failure}")
    except OSError as error:
        raise DataError(f"{destination}: cannot be written ({error.strerror or error})") from error
    raise DataError(f"{name}: cannot be downloaded\n" + "\n".join(failures))


def _from_one_mirror(
    address: str,
    part: Path,
    check: Callable[[Path], object],
    largest: int,
) -> str | None:
    """Fill `part` from `address`; None when it is complete and right, otherwise why it is not."""
    failure = "was not tried"
    for attempt in range(ATTEMPTS):
        time.sleep(PAUSE * attempt)
        have = part.stat().st_size if part.exists() else 0
        try:
            _append(address, part, have, largest)
        except _Interrupted as interruption:
            failure = str(interruption)
            continue
        except DataError as error:
            return str(error)
        try:
            check(part)
            return None
        except DataError as error:
            failure = str(error)
            part.unlink(missing_ok=True)
            if have == 0:
                return failure  # this mirror's own bytes are wrong, not those of an earlier attempt
    return failure


def _append(address: str, part: Path, have: int, largest: int) -> None:
    """Ask `address` for what follows the `have` bytes in `part`, and append it.

    Raises `_Interrupted` when it is worth asking again, `DataError` when it is not.
    """
    request = urllib.request.Request(address, headers={"Accept-Encoding": "identity"})
    if have:
        request.add_header("Range", f"bytes={have}-")
    try:
        response = urllib.request.urlopen(request, timeout=TIMEOUT)
    except urllib.error.HTTPError as error:
        error.close()
        if have and error.code == http.client.REQUESTED_RANGE_NOT_SATISFIABLE:
            return  # nothing follows: the check decides
        answer = f"the server answers {error.code} {error.reason}"
        if error.code in (http.client.REQUEST_TIMEOUT, http.client.TOO_MANY_REQUESTS) or error.code >= 500:
            raise _Interrupted(answer) from error
        raise DataError(answer) from error
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(_reason(error)) from error
    with response:
        partial = response.status == http.client.PARTIAL_CONTENT
        continues = partial and response.headers.get("Content-Range", "").startswith(f"bytes {have}-")
        _store(response, part, have if continues else 0, largest)


def _store(response: http.client.HTTPResponse, part: Path, size: int, largest: int) -> None:
    """Write the body of `response` after the first `size` bytes of `part`, or in its place if that is 0."""
    with part.open("ab" if size else "wb") as file:
        while size <= largest and (block := _read_block(response)):  # what is too large fails the check
            file.write(block)
            size += len(block)
        file.flush()
        os.fsync(file.fileno())
    if size <= largest and response.length:  # http.client ends without an error when a connection is cut
        raise _Interrupted(f"the connection was closed after {size:,} of {size + response.length:,} bytes")


def _read_block(response: http.client.HTTPResponse) -> bytes:
    try:
        return response.read(BLOCK)
    except (OSError, http.client.HTTPException) as error:
        raise _Interrupted(_reason(error)) from error


def _reason(error: Exception) -> str:
    return str(getattr(error, "reason", error)) or type(error).__name__
