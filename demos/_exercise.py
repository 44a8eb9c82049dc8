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
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
FOLDER = ROOT / "exercises"
PROGRESS = FOLDER / "progress.json"
EMPTY = "..."
GRADES = ((14, "*"), (30, "**"))  # so many parts of an expression at most; beyond, three stars

sys.path.append(str(ROOT / "tests"))
import equations  # noqa: E402


@dataclass(frozen=True)
class Gap:
    """A piece of a file that is taken out: from `start` to `end` in its text, and the line of its label."""

    start: int
    end: int
    line: int


@dataclass(frozen=True)
class Exercise:
    """An equation whose statements are to be filled in."""

    label: str
    path: str
    text: str
    gaps: tuple[Gap, ...]
    equation: equations.Equation

    @property
    def file(self) -> Path:
        """The learner's copy."""
        return FOLDER / f"{self.label}.py"

    @property
    def solutions(self) -> list[str]:
        """What was taken out."""
        return [self.text[gap.start : gap.end] for gap in self.gaps]

    @property
    def stars(self) -> str:
        """How much there is to write."""
        parts = sum(len(list(ast.walk(node))) for node in map(parsed, self.solutions))
        return next((stars for most, stars in GRADES if parts <= most), "***")

    def with_gaps(self) -> str:
        """The file with an empty place for each piece."""
        text = self.text
        for gap in sorted(self.gaps, key=lambda gap: -gap.start):
            text = text[: gap.start] + EMPTY + text[gap.end :]
        return text


def parsed(piece: str) -> ast.AST:
    """The syntax tree of an expression that may have been cut out of several lines."""
    return ast.parse(f"({piece}\n)", mode="eval")


def exercises() -> dict[str, Exercise]:
    """All equations that can be taken out of a file, in the order of the book."""
    found = {}
    for label, equation in equations.find(ROOT).items():
        if not (equation.chapters and equation.tests and equation.statements):
            continue
        path = equation.statements[0].path
        text = (ROOT / path).read_text(encoding="utf-8")
        lines = [place.line for place in equation.statements if place.path == path]
        gaps = [gap(text, line) for line in lines]
        one = Exercise(label, path, text, tuple(filter(None, gaps)), equation)
        if (
            "/loops/" not in path
            and all(gaps)
            and one.with_gaps().count(f"({label})") == text.count(f"({label})")
        ):
            found[label] = one
    return found


@cache
def computing(text: str) -> list[Any]:
    """The statements of a file that compute something, and its lambdas."""
    kinds = (ast.Assign, ast.AnnAssign, ast.AugAssign, ast.Return, ast.Lambda)
    return [node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds)]


@cache
def formulas(path: Path) -> dict[str, str]:
    """The formulas of a chapter as it writes them, by label."""
    found = {}
    for block in equations.FENCE.finditer(path.read_text(encoding="utf-8")):
        if option := equations.OPTION.search(block["body"]):
            lines = [line for line in block["body"].splitlines() if line.strip() and line[0] != ":"]
            found[option[1]] = "\n".join(f"    {line}" for line in lines)
    return found


def gap(text: str, line: int) -> Gap | None:
    """What to take out of the statement whose label ends a line: the expression that it computes."""
    best: Any = None
    for node in computing(text):
        if node.lineno <= line <= (node.end_lineno or 0):
            best = node if best is None or node.lineno >= best.lineno else best
    value = best.body if isinstance(best, ast.Lambda) else getattr(best, "value", None)
    if value is None:
        return None
    begins = [0, *(match.end() for match in re.finditer("\n", text))]

    def offset(row: int, column: int) -> int:
        begin = begins[row - 1]
        rest = text[begin:].encode()[:column]  # the parser counts bytes
        return begin + len(rest.decode())

    start = offset(value.lineno, value.col_offset)
    return Gap(start, offset(value.end_lineno or value.lineno, value.end_col_offset or 0), line)


def hints(exercise: Exercise) -> list[str]:
    """What helps, one after another; the last is the solution."""
    place = exercise.equation.chapters[0]
    formula = formulas(ROOT / place.path)[exercise.label]
    names = sorted({name for piece in exercise.solutions for name in names_in(piece)})
    shape = "\n".join(f"    {skeleton(piece)}" for piece in exercise.solutions)
    solution = "\n".join(f"    {' '.join(piece.split())}" for piece in exercise.solutions)
    return [
        f"The chapter derives it ({place.path}, line {place.line}):\n{formula}",
        f"It is written with: {', '.join(names)}.",
        f"Its form, with _ for each name and number:\n{shape}",
        f"The solution:\n{solution}",
    ]


def names_in(piece: str) -> Iterator[str]:
    """The names that an expression uses, functions with their module."""
    for node in ast.walk(parsed(piece)):
        if isinstance(node, ast.Attribute):
            yield ast.unparse(node)
        elif isinstance(node, ast.Name):
            yield node.id


def skeleton(piece: str) -> str:
    """An expression in which all that is not an operation or a call is a blank."""

    class Blank(ast.NodeTransformer):
        def visit_Name(self, node: ast.Name) -> ast.Name:
            return ast.Name("_")

        def visit_Attribute(self, node: ast.Attribute) -> ast.Name:
            return ast.Name("_")

        def visit_Constant(self, node: ast.Constant) -> ast.Name:
            return ast.Name("_")

    return ast.unparse(Blank().visit(parsed(piece)))


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
    exercise.file.write_text(exercise.with_gaps(), encoding="utf-8")
    note(exercise.label, hints=0, solved=0)
    places = ", ".join(map(str, empty_lines(exercise)))
    return (
        f"{os.path.relpath(exercise.file)} is a copy of {exercise.path}, in which {EMPTY} stands for what\n"
        f"computes ({exercise.label}): line {places}. The docstring above it has the formula.\n"
        f"Fill it in, then: python3 demos exercise {exercise.label}"
    )


def empty_lines(exercise: Exercise) -> list[int]:
    """The lines of the copy where a place is still empty; SyntaxError if it is not Python."""
    text = exercise.file.read_text(encoding="utf-8")
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
            "SCRATCHGEN_EXERCISE": json.dumps([module, str(exercise.file), str(told)]),
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
        import difflib

        close = difflib.get_close_matches(labels[0], known, n=1)
        print(f"There is no exercise {labels[0]!r}." + (f" Did you mean {close[0]}?" if close else ""))
        return 1
    return one(known, known[labels[0]], flags)


def one(known: dict[str, Exercise], exercise: Exercise, flags: set[str]) -> int:
    """One exercise: begin it, give a hint, or check it."""
    label = exercise.label
    if not exercise.file.exists() or "--again" in flags:
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
