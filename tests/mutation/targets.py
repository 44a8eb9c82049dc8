"""The code behind an equation: the statements that end in ``# (label)``.

On a ``def`` or a decorator the comment stands for the whole function. Where no statement has the label, and
it stands in the docstring of a function, that function is meant.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

import equations


@dataclass(frozen=True)
class Target:
    """A file and the pieces of its syntax tree that compute an equation."""

    path: str
    text: str
    pieces: list[ast.AST]


def targets(equation: equations.Equation) -> list[Target]:
    """The code behind an equation, a `Target` for each file."""
    found = []
    for path in dict.fromkeys(place.path for place in equation.anchors):
        text = (equations.ROOT / path).read_text(encoding="utf-8")
        tree = ast.parse(text)
        pieces: list[ast.AST] = []
        for place in equation.anchors:
            if place.path == path:
                piece = statement(tree, place.line) if equation.statements else documented(tree, place.line)
                pieces += [piece] if piece is not None and piece not in pieces else []
        if pieces:
            found.append(Target(path, text, pieces))
    return found


def statement(tree: ast.AST, line: int) -> ast.AST | None:
    """The innermost statement on a line; of a function's first lines (decorators, ``def``) all of it.

    Of a decorator with several lines, such as `primitive` with one vjp a line, only the lambda on the line.
    """
    best: ast.stmt | None = None
    for node in ast.walk(tree):
        around = isinstance(node, ast.stmt) and first_line(node) <= line <= (node.end_lineno or node.lineno)
        if around and (best is None or first_line(node) >= first_line(best)):
            best = node
    if isinstance(best, ast.FunctionDef):
        on_line = [
            node
            for decorator in best.decorator_list
            for node in ast.walk(decorator)
            if isinstance(node, ast.Lambda) and node.lineno <= line <= (node.end_lineno or 0)
        ]
        if on_line:
            return on_line[0]
    return best


def first_line(node: ast.stmt) -> int:
    """Where a statement begins, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])


def documented(tree: ast.AST, line: int) -> ast.AST | None:
    """The function in whose docstring a line is."""
    for node in functions(tree):
        first = node.body[0]
        if isinstance(first, ast.Expr) and first.lineno <= line <= (first.end_lineno or 0):
            return node
    return None


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef]:
    """All functions of a file, methods included."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef))
