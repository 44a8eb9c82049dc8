"""What is known of the mutants: which compute the same, and how many of each equation were killed."""

from __future__ import annotations

import ast
import hashlib
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

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


def read() -> dict[str, tuple[int, int, str]]:
    """The record as it is on disk: of each equation the mutants killed and tried, and its code's digest."""
    if not RECORD.exists():
        return {}
    return {label: tuple(entry) for label, entry in json.loads(RECORD.read_text(encoding="utf-8")).items()}


def scores(known: dict[str, equations.Equation]) -> dict[str, Score]:
    """Of each equation that has been mutated, what became of its mutants."""
    return {
        label: Score(killed, tried, seen != digest(known[label]))
        for label, (killed, tried, seen) in read().items()
        if label in known
    }


def summary(scores: dict[str, Score]) -> str:
    """The sums of all scores, in a sentence."""
    killed, tried = sum(s.killed for s in scores.values()), sum(s.tried for s in scores.values())
    stale = sum(score.stale for score in scores.values())
    since = f"; * the code of {stale} has changed since" if stale else ""
    return f"{killed} of {tried} mutants of {len(scores)} equations killed{since}"


def write(verdicts: Iterable[tuple[tuple[str, ...], bool]], known: dict[str, equations.Equation]) -> None:
    """Add to the record how many were killed of those tried: each mutant by its labels."""
    tried: Counter[str] = Counter()
    killed: Counter[str] = Counter()
    for labels, died in verdicts:
        tried.update(labels)
        killed.update(labels if died else ())
    entries = {label: entry for label, entry in read().items() if label in known}
    entries |= {label: (killed[label], count, digest(known[label])) for label, count in tried.items()}
    lines = (f' "{label}": {json.dumps(entry)}' for label, entry in sorted(entries.items()))
    RECORD.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")
