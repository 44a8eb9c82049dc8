"""`python3 demos exercise LABEL`: write the statement behind an equation of the book yourself.

usage: python3 demos exercise --list
       python3 demos exercise LABEL [--hint | --solution | --again]

The first call copies the file that computes the equation to `exercises/LABEL.py` and takes the statement out;
its docstring, which shows the formula and the shapes, stays. Fill the place in and call again: the tests that
verify this equation in the package run on your copy, and what is wrong is said in words. `--hint` gives one
hint after another, the solution last; `--again` begins anew. Nothing of the package is changed.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import subprocess
import sys
from pathlib import Path

from demos._exercise_gaps import EMPTY, ROOT, Exercise, equations, exercises, gap, hints

FOLDER = ROOT / "exercises"
PROGRESS = FOLDER / "progress.json"


def file_of(exercise: Exercise) -> Path:
    """The learner's copy."""
    return FOLDER / f"{exercise.label}.py"


def progress() -> dict[str, dict[str, int]]:
    """The hints taken and the exercises solved, by label."""
    try:
        kept = json.loads(PROGRESS.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return kept if isinstance(kept, dict) else {}


def note(label: str, **values: int) -> None:
    """Remember something of an exercise."""
    kept = progress()
    kept.setdefault(label, {}).update(values)
    FOLDER.mkdir(exist_ok=True)
    PROGRESS.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def listing(known: dict[str, Exercise]) -> str:
    """All exercises by chapter, with stars and what is solved."""
    kept, lines, chapter = progress(), [], ""
    for label, exercise in known.items():
        here = Path(exercise.equation.chapters[0].path).stem
        if here != chapter:
            chapter = here
            lines.append(f"\n{chapter.replace('_', ' ')}")
        mark = "+" if kept.get(label, {}).get("solved") else " "
        lines.append(f"  {mark} {exercise.stars:3}  {label:34} {exercise.path}")
    solved = sum(bool(kept.get(label, {}).get("solved")) for label in known)
    return "\n".join([*lines, "", f"{len(known)} exercises, {solved} solved (+). More stars: more to write."])


def begin(exercise: Exercise) -> str:
    """Make the copy, and say what to do."""
    FOLDER.mkdir(exist_ok=True)
    file_of(exercise).write_text(exercise.with_gaps(), encoding="utf-8")
    note(exercise.label, hints=0, solved=0)
    places = ", ".join(map(str, empty_lines(exercise)))
    copy = os.path.relpath(file_of(exercise))
    return (
        f"{copy} is a copy of {exercise.path}, in which {EMPTY} stands for what\n"
        f"computes ({exercise.label}): line {places}. The docstring above it has the formula.\n"
        f"Fill it in, then: python3 demos exercise {exercise.label}"
    )


def empty_lines(exercise: Exercise) -> list[int]:
    """The lines of the copy where a place is still empty; SyntaxError if it is not Python."""
    text = file_of(exercise).read_text(encoding="utf-8")
    ast.parse(text)
    lines = [line for label, line, _ in equations.on_statements(text) if label == exercise.label]
    places = [(line, gap(text, line)) for line in lines]
    return [line for line, found in places if found and text[found.start : found.end] == EMPTY]


def check(exercise: Exercise) -> tuple[bool, str]:
    """Whether the tests of the equation pass on the copy, and what is wrong in words."""
    try:
        empty = empty_lines(exercise)
    except SyntaxError as error:
        return False, f"Line {error.lineno} of your copy is not Python: {error.msg}."
    if empty:
        return False, f"Line {', '.join(map(str, empty))} of your copy is still empty."
    tests = list(dict.fromkeys(place.test for place in exercise.equation.tests))
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-x",
        "-q",
        "-p",
        "demos._exercise_tests",
        "-p",
        "no:cacheprovider",
    ]
    told = FOLDER / "said.txt"
    told.unlink(missing_ok=True)
    module = exercise.path.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    ran = subprocess.run(
        [*command, "-c", "pyproject.toml", "--rootdir", ".", *tests],
        cwd=ROOT,
        capture_output=True,
        text=True,
        env={
            **os.environ,
            "SCRATCHGEN_EXERCISE": json.dumps([module, str(file_of(exercise)), str(told)]),
            "SCRATCHGEN_LOOPS": "0",  # loops would compute it instead
        },
    )
    if ran.returncode == 0:
        return (
            True,
            f"Right: {len(tests)} test{'s' * (len(tests) > 1)} of ({exercise.label}) passed on your copy.",
        )
    said = told.read_text(encoding="utf-8") if told.exists() else ran.stdout[-1500:] + ran.stderr[-500:]
    return False, said


def main(arguments: list[str]) -> int:
    """Run the command; its exit status."""
    known = exercises()
    flags = {word for word in arguments if word.startswith("-")}
    labels = [word for word in arguments if not word.startswith("-")]
    if flags & {"--list", "-l"} or not (flags or labels):
        print(listing(known))
        return 0
    if flags & {"-h", "--help"} or flags - {"--hint", "--solution", "--again"} or len(labels) != 1:
        print(__doc__)
        return int(not flags & {"-h", "--help"})
    if labels[0] not in known:
        close = difflib.get_close_matches(labels[0], known, n=1)
        print(f"There is no exercise {labels[0]!r}." + (f" Did you mean {close[0]}?" if close else ""))
        return 1
    return one(known, known[labels[0]], flags)


def one(known: dict[str, Exercise], exercise: Exercise, flags: set[str]) -> int:
    """One exercise: begin it, give a hint, or check it."""
    label = exercise.label
    if not file_of(exercise).exists() or "--again" in flags:
        print(begin(exercise))
        return 0
    if flags & {"--hint", "--solution"}:
        ladder, taken = hints(exercise), progress().get(label, {}).get("hints", 0)
        number = len(ladder) - 1 if "--solution" in flags else min(taken, len(ladder) - 1)
        note(label, hints=number + 1)
        print(f"Hint {number + 1} of {len(ladder)}. {ladder[number]}")
        return 0
    right, said = check(exercise)
    print(said)
    if not right:
        print(f"\nA hint: python3 demos exercise {label} --hint")
        return 1
    note(label, solved=1)
    kept = progress()
    open_ones = [name for name in known if not kept.get(name, {}).get("solved")]
    print(f"The next: python3 demos exercise {open_ones[0]}" if open_ones else "That was the last one.")
    return 0
