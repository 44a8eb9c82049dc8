"""Which lines of the package a change touches."""

from __future__ import annotations

import subprocess

import equations


def lines(since: str) -> dict[str, set[int]] | None:
    """The numbers of the package's lines that were added or changed since a commit, by file.

    None where the history does not know that commit: a shallow clone, or no clone at all.
    """
    command = ["git", "diff", "--unified=0", "--no-color", since, "--", "scratchgen"]
    try:
        made = subprocess.run(command, cwd=equations.ROOT, capture_output=True, text=True, check=False)
    except FileNotFoundError:  # no git
        return None
    if made.returncode:
        return None
    found: dict[str, set[int]] = {}
    for line in made.stdout.splitlines():
        if line.startswith("+++ b/"):
            current = found.setdefault(line.removeprefix("+++ b/"), set())
        elif line.startswith("@@"):
            begin, _, count = line.split()[2].removeprefix("+").partition(",")
            current.update(range(int(begin), int(begin) + int(count or 1)))
    return found
