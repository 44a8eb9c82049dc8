"""The code behind an equation: the statements that end in ``# (label)``.

On a ``def`` the comment stands for the whole function, on a decorator for that.
"""

from __future__ import annotations

import ast
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
    for path in dict.fromkeys(place.path for place in equation.statements):
        text = (equations.ROOT / path).read_text(encoding="utf-8")
        tree = ast.parse(text)
        pieces: list[ast.AST] = []
        for place in equation.statements:
            if place.path == path:
                piece = statement(tree, place.line)
                pieces += [piece] if piece is not None and piece not in pieces else []
        if pieces:
            found.append(Target(path, text, pieces))
    return found


def statement(tree: ast.AST, line: int) -> ast.AST | None:
    """The innermost statement on a line; of a ``def`` the whole function.

    Of a decorator, such as `primitive` with one vjp a line, the lambda on the line, else the decorator.
    """
    best: ast.stmt | None = None
    for node in ast.walk(tree):
        around = isinstance(node, ast.stmt) and first_line(node) <= line <= (node.end_lineno or node.lineno)
        if around and (best is None or first_line(node) >= first_line(best)):
            best = node
    for decorator in getattr(best, "decorator_list", []):
        if decorator.lineno <= line <= (decorator.end_lineno or 0):
            lambdas = (node for node in ast.walk(decorator) if isinstance(node, ast.Lambda))
            return next(
                (node for node in lambdas if node.lineno <= line <= (node.end_lineno or 0)), decorator
            )
    return best


def first_line(node: ast.stmt) -> int:
    """Where a statement begins, its decorators included."""
    decorators = getattr(node, "decorator_list", [])
    return min([node.lineno, *(decorator.lineno for decorator in decorators)])
