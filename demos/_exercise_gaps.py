"""What an exercise takes out of a file, and what it says to who has to write it again."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
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
