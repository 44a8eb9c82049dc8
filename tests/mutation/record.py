"""What is known of the mutants: which compute the same, and how many of each equation were killed."""

from __future__ import annotations

import ast
import hashlib
import json
import subprocess
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import equations

from .targets import targets

EQUIVALENT = Path(__file__).with_name("equivalent.json")
RECORD = Path(__file__).with_name("record.json")

Key = tuple[str, str, str, str]


@dataclass(frozen=True)
class Score:
    """How many mutants of an equation were tried, how many killed, and whether its code has changed since."""

    killed: int
    tried: int
    stale: bool = False

    def __str__(self) -> str:
        """``21 of 21``, with a star where the code has changed since."""
        return f"{self.killed} of {self.tried}{'*' * self.stale}"


def reasons() -> dict[Key, str]:
    """The mutants that compute the same as the code, each with the reason."""
    entries = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    return {(e["path"], e["line"], e["before"], e["after"]): e["reason"] for e in entries}


def digest(equation: equations.Equation) -> str:
    """What changes with the code behind an equation, but not with its comments nor with where it stands."""
    code = hashlib.sha256()
    for target in targets(equation):
        for piece in target.pieces if "/loops/" not in target.path else ():
            code.update(ast.dump(piece).encode())
    return code.hexdigest()[:12]


def read() -> dict[str, Any]:
    """The record as it is on disk: commit, date, and an entry for each equation."""
    if not RECORD.exists():
        return {"commit": "", "date": "", "equations": {}}
    record: dict[str, Any] = json.loads(RECORD.read_text(encoding="utf-8"))
    return record


def scores(known: dict[str, equations.Equation]) -> dict[str, Score]:
    """Of each equation that has been mutated, what became of its mutants."""
    entries = read()["equations"]
    return {
        label: Score(killed, tried, seen != digest(known[label]))
        for label, (killed, tried, seen) in entries.items()
        if label in known
    }


def summary(scores: dict[str, Score]) -> str:
    """The sums of all scores, in a sentence."""
    killed, tried = sum(s.killed for s in scores.values()), sum(s.tried for s in scores.values())
    stale = sum(score.stale for score in scores.values())
    seen = read()
    since = f"; * the code of {stale} has changed since" if stale else ""
    return (
        f"{killed} of {tried} mutants of {len(scores)} equations killed, at commit {seen['commit']} of "
        f"{seen['date']}{since}"
    )


def write(verdicts: Iterable[tuple[tuple[str, ...], bool]], known: dict[str, equations.Equation]) -> None:
    """Add to the record how many were killed of those tried: each mutant by its labels."""
    tried: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    for labels, died in verdicts:
        tried.update(labels)
        killed.update(labels if died else ())
    entries = {label: entry for label, entry in read()["equations"].items() if label in known}
    entries |= {label: [killed[label], count, digest(known[label])] for label, count in tried.items()}
    head = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=equations.ROOT, capture_output=True)
    lines = (f'  "{label}": {json.dumps(entry)}' for label, entry in sorted(entries.items()))
    RECORD.write_text(
        f'{{\n "commit": "{head.stdout.decode().strip()}",\n "date": "{date.today()}",\n'
        ' "equations": {\n' + ",\n".join(lines) + "\n }\n}\n",
        encoding="utf-8",
    )
