"""Which lines of the package a change touches."""

from __future__ import annotations

import subprocess

import equations


def base() -> str | None:
    """The commit that the change at hand starts from: where it left origin/main, or else the one before it.

    None where the history does not tell: a clone of one commit, or no clone at all.
    """
    head, fork = _git("rev-parse", "HEAD"), _git("merge-base", "HEAD", "origin/main")
    return fork if fork and fork != head else _git("rev-parse", "--verify", "--quiet", "HEAD~1")


def lines(since: str) -> dict[str, set[int]] | None:
    """The numbers of the package's lines that were added or changed since a commit, by file.

    None where the history does not know that commit.
    """
    diff = _git("diff", "--unified=0", "--no-color", since, "--", "scratchgen")
    if diff is None:
        return None
    found: dict[str, set[int]] = {}
    for line in diff.splitlines():
        if line.startswith("+++ b/"):
            current = found.setdefault(line.removeprefix("+++ b/"), set())
        elif line.startswith("@@"):
            begin, _, count = line.split()[2].removeprefix("+").partition(",")
            current.update(range(int(begin), int(begin) + int(count or 1)))
    return found


def _git(*arguments: str) -> str | None:
    """What git says, None if it says that it cannot."""
    try:
        made = subprocess.run(
            ["git", *arguments], cwd=equations.ROOT, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:  # there is no git
        return None
    return made.stdout.strip() if made.returncode == 0 else None
