"""What is broken: for one piece of code, every small mistake that an author could have made there.

A mutant is the file's text with one expression replaced. Only what computes is touched: not the messages of
errors, not annotations, not docstrings.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from .operators import SAME_NUMBERS, changes, scaled

LAYOUT = {"count_pieces", "parallel_slices", "parallel_for", "piece_of", "hold_blas", "release_blas"}
"""Calls that say how a loop's work is cut, which changes no number."""


@dataclass(frozen=True)
class Mutant:
    """A file's text with one mistake in it."""

    path: str
    line: int
    before: str
    after: str
    source: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before}  ->  {self.after}"

    @property
    def key(self) -> tuple[str, str, str, str]:
        """What names the mutant wherever its line has moved to."""
        return self.path, self.source, self.before, self.after


def mutants(path: str, text: str, pieces: list[ast.AST]) -> list[Mutant]:
    """Every mutant of some pieces (statements, functions or expressions) of a file, each once.

    Parameters
    ----------
    path : str
        Of the file, for the report.
    text : str
        The file.
    pieces : list of nodes
        Of the syntax tree of that very text.
    """
    found = {}
    for piece in pieces:
        computing = list(expressions(piece))
        wrong = [(node, changed) for node in computing for changed in changes(node)]
        wrong += [(value, changed) for value in results(piece) for changed in scaled(value)]
        wrong += [pair for pair in statements(piece) if any(pair[0] is node for node in computing)]
        if "/loops/" in path:
            wrong = [(node, changed) for node, changed in wrong if ".detach()" not in ast.unparse(changed)]
            numbers = {id(node) for node in of_numbers(piece)}
            wrong = [(node, changed) for node, changed in wrong if id(node) in numbers]
        for node, changed in wrong:
            mutant = replace(path, text, node, changed)
            found[mutant.text] = mutant
    found.pop(text, None)
    return list(found.values())


def of_numbers(piece: ast.AST) -> Iterator[ast.AST]:
    """What a loop computes, not how it divides the work and finds its way: neither indices nor sizes."""
    if isinstance(piece, ast.Return | ast.Assign | ast.AugAssign):
        words = ast.unparse(piece)
        if not any(word in words for word in ("shape", ".size", "//", "len(", "np.empty", "np.zeros")):
            inside = {id(part) for node in ast.walk(piece) if isinstance(node, ast.Subscript)
                      for part in ast.walk(node.slice)}  # fmt: skip
            yield from (node for node in ast.walk(piece) if id(node) not in inside)
    else:
        for child in ast.iter_child_nodes(piece):
            yield from of_numbers(child)


def results(piece: ast.AST) -> Iterator[ast.expr]:
    """What is returned, assigned, or given by a lambda in a piece of code, but for room yet to be filled."""
    rooms = {
        target.id
        for node in ast.walk(piece)
        if isinstance(node, ast.Assign) and ast.unparse(node.value).startswith("np.empty")
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    for node in ast.walk(piece):
        if (
            isinstance(node, ast.Return | ast.Assign | ast.AnnAssign | ast.AugAssign)
            and node.value is not None
        ):
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            yield from (value for value in values if not (_is_place(value, rooms) or _is_layout(value)))
        elif isinstance(node, ast.Lambda):
            yield node.body


def statements(piece: ast.AST) -> Iterator[tuple[ast.expr, ast.expr]]:
    """What is decided, done without a result or done within a context, each with what turns or omits it."""
    for node in ast.walk(piece):
        if isinstance(node, ast.If | ast.While | ast.IfExp):
            if not isinstance(node.test, ast.Compare):
                yield node.test, ast.UnaryOp(ast.Not(), node.test)
            yield node.test, ast.Constant(False)
            if not isinstance(node, ast.While):
                yield node.test, ast.Constant(True)
        elif isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            yield node.value, ast.Constant(None)
        elif isinstance(node, ast.withitem) and node.optional_vars is None:
            yield node.context_expr, ast.parse("__import__('contextlib').nullcontext()", mode="eval").body


def replace(path: str, text: str, node: ast.AST, changed: ast.AST) -> Mutant:
    """The text with the node's own characters replaced; the columns of a syntax tree count bytes."""
    assert isinstance(node, ast.expr | ast.AugAssign)
    lines = text.encode().splitlines(keepends=True)
    starts = [0]
    for line in lines:
        starts.append(starts[-1] + len(line))
    begin = starts[node.lineno - 1] + node.col_offset
    end = starts[(node.end_lineno or node.lineno) - 1] + (node.end_col_offset or 0)
    whole = text.encode()
    before, after = ast.unparse(node), ast.unparse(ast.fix_missing_locations(changed))
    inserted = after if isinstance(node, ast.AugAssign) else f"({after})"
    source = lines[node.lineno - 1].decode().strip()
    made = (whole[:begin] + inserted.encode() + whole[end:]).decode()
    return Mutant(path, node.lineno, before, after, source, made)


def expressions(piece: ast.AST) -> Iterator[ast.AST]:
    """What computes in a piece of code: its expressions, and assignments such as ``a += b``."""
    if isinstance(piece, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Delete):
        return
    if isinstance(piece, ast.Expr) and isinstance(piece.value, ast.Constant):
        return  # a docstring
    if isinstance(piece, ast.Expr) and isinstance(piece.value, ast.Call) and _is_check(piece.value):
        return
    if isinstance(piece, ast.Call) and ast.unparse(piece.func).startswith("checks."):
        return  # what it refuses is for the tests of bad input
    if _is_layout(piece) or (isinstance(piece, ast.keyword) and piece.arg in SAME_NUMBERS):
        return
    if isinstance(piece, ast.If) and all(isinstance(line, ast.Raise) for line in piece.body):
        yield from (node for line in piece.orelse for node in expressions(line))
        return  # a guard: what it lets through is for the tests of bad input
    if isinstance(piece, ast.AugAssign) or (isinstance(piece, ast.expr) and _computes(piece)):
        yield piece
    for field, value in ast.iter_fields(piece):
        if field in ("annotation", "returns", "decorator_list", "args", "type_params") and isinstance(
            piece, ast.FunctionDef | ast.AnnAssign | ast.ClassDef | ast.Lambda
        ):
            continue
        if isinstance(piece, ast.Subscript) and field == "ctx":
            continue
        for child in value if isinstance(value, list) else [value]:
            if isinstance(child, ast.AST) and not (field == "args" and _is_unknown_length(piece, child)):
                yield from expressions(child)


def _is_place(value: ast.expr, rooms: set[str]) -> bool:
    """Whether a value is room for others: ``np.empty(...)``, or a part of what that gave."""
    part = isinstance(value, ast.Subscript) and ast.unparse(value.value) in rooms
    return part or ast.unparse(value).startswith("np.empty")


def _is_layout(node: ast.AST) -> bool:
    return isinstance(node, ast.Call) and ast.unparse(node.func) in LAYOUT


def _is_unknown_length(call: ast.AST, argument: ast.AST) -> bool:
    """The -1 of ``x.reshape(-1)``: any number below 0 says the same."""
    return ast.unparse(argument) == "-1" and ast.unparse(call).rpartition("(")[0].endswith(".reshape")


def _is_check(call: ast.Call) -> bool:
    name = ast.unparse(call.func)
    return name.rpartition(".")[2].startswith("check") or "checks." in name


def _computes(node: ast.expr) -> bool:
    return not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)
