"""The code behind an equation: the statements that end in ``# (label)``, and what else computes the same.

On a ``def`` the comment stands for the whole function, on a decorator for that. Behind a statement of a
``@compiled`` formula there is also the loop of its name, with the functions of its folder which that calls.
And the function around the statement: how the formula is used there, its defaults, its last step.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import equations


@dataclass(frozen=True)
class Target:
    """A file and the pieces of its syntax tree that compute an equation.

    ``around`` are functions around them; what they do besides is for the tests of all equations in them.
    """

    path: str
    text: str
    pieces: list[ast.AST]
    around: tuple[ast.AST, ...] = ()


def targets(equation: equations.Equation) -> list[Target]:
    """The code behind an equation, a `Target` for each file."""
    found = []
    loops: dict[str, list[ast.AST]] = {}
    for path in dict.fromkeys(place.path for place in equation.statements):
        text, tree = parsed(equations.ROOT / path)
        pieces: list[ast.AST] = []
        around: list[ast.AST] = []
        for place in equation.statements:
            if place.path != path:
                continue
            piece = statement(tree, place.line)
            if piece is None or piece in pieces:
                continue
            pieces.append(piece)
            outer = function_around(tree, piece)
            if outer is not None and outer not in around:
                around.append(outer)
                if any(ast.unparse(d) == "compiled" for d in outer.decorator_list) and within(outer, piece):
                    for file, function in twin(path, outer.name):
                        functions = loops.setdefault(file, [])
                        functions += [function] if function not in functions else []
        if pieces:
            found.append(Target(path, text, pieces, tuple(around)))
    for file, functions in loops.items():
        found.append(Target(file, parsed(equations.ROOT / file)[0], functions))
    return found


@cache
def _parsed(file: Path, changed: int) -> tuple[str, ast.Module]:
    text = file.read_text(encoding="utf-8")
    return text, ast.parse(text)


def parsed(file: Path) -> tuple[str, ast.Module]:
    """The text of a file and its syntax tree."""
    return _parsed(file, file.stat().st_mtime_ns)


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


def within(function: ast.FunctionDef, piece: ast.AST) -> bool:
    """Whether a piece stands in the function's body, and not in a decorator."""
    return any(node is piece for line in function.body for node in ast.walk(line)) or function is piece


def function_around(tree: ast.AST, piece: ast.AST) -> ast.FunctionDef | None:
    """The innermost function with the piece in its body (or which it is); None of a decorator."""
    found = None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and within(node, piece):
            found = node
    return found


def twin(path: str, name: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The loop of a formula, and the functions of its folder that it calls, each with its file."""
    file = equations.ROOT / path.replace("scratchgen/", "scratchgen/loops/", 1)
    if not file.is_file() or "@loop" not in file.read_text(encoding="utf-8"):
        return  # a file that only chooses between ways
    waiting, seen = [(file, name)], set()
    while waiting:
        file, name = waiting.pop()
        if (file, name) in seen or not file.is_file():
            continue
        seen.add((file, name))
        tree = parsed(file)[1]
        for node in tree.body:
            if isinstance(node, ast.FunctionDef) and node.name == name:
                yield file.relative_to(equations.ROOT).as_posix(), node
                called = {part.id for part in ast.walk(node) if isinstance(part, ast.Name)}
                waiting += [(file, other) for other in called]
            elif isinstance(node, ast.ImportFrom) and node.level == 1 and node.module:
                beside = file.with_name(f"{node.module}.py")
                waiting += [
                    (beside, alias.name) for alias in node.names if (alias.asname or alias.name) == name
                ]
