"""What is broken: for one piece of code, every small mistake that an author could have made there.

A mutant is the file's text with one expression replaced. Only what computes is touched: not the messages of
errors, not annotations, not docstrings.
"""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator
from dataclasses import dataclass

SIGNS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
}
COMPARISONS: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Lt: (ast.Gt, ast.LtE),
    ast.LtE: (ast.GtE, ast.Lt),
    ast.Gt: (ast.Lt, ast.GtE),
    ast.GtE: (ast.LtE, ast.Gt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
}
NAMES = {
    "sum": "mean",
    "mean": "sum",
    "max": "min",
    "min": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "sin": "cos",
    "cos": "sin",
    "zeros": "ones",
    "ones": "zeros",
    "zeros_like": "ones_like",
    "ones_like": "zeros_like",
    "sum_per_example": "mean",
    "argmax": "argmin",
    "rsample": "sample",
    "floor": "ceil",
    "cumsum": "cumprod",
    "cumprod": "cumsum",
}
UNWRAPPED = {
    "sqrt",
    "exp",
    "log",
    "square",
    "abs",
    "raw",
    "detach",
    "sigmoid",
    "tanh",
    "softplus",
    "logsumexp",
}
SAME_NUMBERS = {"out", "like"}  # keywords that say where a result lies, not what it is
SYMMETRIC = {"add", "maximum", "minimum", "multiply", "mul", "logaddexp", "isclose"}
TIMES = {"t", "s", "T", "k"}
# What twice or half of has no meaning.
NO_VALUES = (
    *(ast.Tuple, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.GeneratorExp, ast.Constant, ast.JoinedStr),
    *(ast.Compare, ast.BoolOp, ast.Lambda, ast.Attribute, ast.Starred),
)


@dataclass(frozen=True)
class Mutant:
    """A file's text with one mistake in it."""

    path: str
    line: int
    before: str
    after: str
    text: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.before}  ->  {self.after}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What names the mutant wherever its line has moved to."""
        return self.path, self.before, self.after


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
        for node in expressions(piece):
            for changed in changes(node):
                mutant = replace(path, text, node, changed)
                found[mutant.text] = mutant
        for value in results(piece):
            for changed in scaled(value):
                mutant = replace(path, text, value, changed)
                found[mutant.text] = mutant
    found.pop(text, None)
    return list(found.values())


def results(piece: ast.AST) -> Iterator[ast.expr]:
    """What is returned, assigned, or given by a lambda in a piece of code."""
    for node in ast.walk(piece):
        if (
            isinstance(node, ast.Return | ast.Assign | ast.AnnAssign | ast.AugAssign)
            and node.value is not None
        ):
            values = node.value.elts if isinstance(node.value, ast.Tuple) else [node.value]
            yield from (value for value in values if "np.empty" not in ast.unparse(value)[:8])
        elif isinstance(node, ast.Lambda):
            yield node.body


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
    return Mutant(
        path, node.lineno, before, after, (whole[:begin] + inserted.encode() + whole[end:]).decode()
    )


def expressions(piece: ast.AST) -> Iterator[ast.AST]:
    """What computes in a piece of code: its expressions, and assignments such as ``a += b``."""
    if isinstance(piece, ast.Raise | ast.Assert | ast.JoinedStr | ast.Import | ast.ImportFrom | ast.Delete):
        return
    if isinstance(piece, ast.Expr) and isinstance(piece.value, ast.Constant):
        return  # a docstring
    if isinstance(piece, ast.Expr) and isinstance(piece.value, ast.Call) and _is_check(piece.value):
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
            if isinstance(child, ast.AST):
                yield from expressions(child)


def _is_check(call: ast.Call) -> bool:
    return ast.unparse(call.func).rpartition(".")[2].startswith("check") or "checks." in ast.unparse(
        call.func
    )


def _computes(node: ast.expr) -> bool:
    return not isinstance(getattr(node, "ctx", None), ast.Store | ast.Del)


def changes(node: ast.AST) -> Iterator[ast.AST]:
    """Every wrong version of one expression."""
    for kind, make in OPERATORS:
        if isinstance(node, kind):
            yield from make(copy.deepcopy(node))


def _edited(node: ast.AST, **fields: object) -> ast.AST:
    made = copy.deepcopy(node)
    for name, value in fields.items():
        setattr(made, name, value)
    return made


def _binary(node: ast.BinOp) -> Iterator[ast.AST]:
    if type(node.op) in SIGNS:
        yield _edited(node, op=SIGNS[type(node.op)]())
    if isinstance(node.op, ast.Sub | ast.Div | ast.Pow | ast.MatMult):
        yield _edited(node, left=node.right, right=node.left)
    if isinstance(node.op, ast.Add | ast.Sub | ast.Mult | ast.Div | ast.Pow):
        yield node.left
    if isinstance(node.op, ast.Add | ast.Mult):
        yield node.right
    if isinstance(node.op, ast.BitAnd | ast.BitOr):
        yield _edited(node, op=ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd())


def _augmented(node: ast.AugAssign) -> Iterator[ast.AST]:
    if type(node.op) in SIGNS:
        yield _edited(node, op=SIGNS[type(node.op)]())


def _unary(node: ast.UnaryOp) -> Iterator[ast.AST]:
    if isinstance(node.op, ast.USub | ast.Not | ast.Invert):
        yield node.operand


def _constant(node: ast.Constant) -> Iterator[ast.AST]:
    value = node.value
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, int):
        yield ast.Constant(value + 1)
        yield ast.UnaryOp(ast.USub(), ast.Constant(1)) if value == 0 else ast.Constant(value - 1)
    elif isinstance(value, float):
        yield ast.Constant(value * 2 if value else 1.0)


def _comparison(node: ast.Compare) -> Iterator[ast.AST]:
    for i, operator in enumerate(node.ops):
        for other in COMPARISONS.get(type(operator), ()):
            yield _edited(node, ops=[*node.ops[:i], other(), *node.ops[i + 1 :]])


def _call(node: ast.Call) -> Iterator[ast.AST]:
    name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
    if name in NAMES:
        field = "attr" if isinstance(node.func, ast.Attribute) else "id"
        yield _edited(node, func=_edited(node.func, **{field: NAMES[name]}))
    if name in UNWRAPPED:
        if node.args:
            yield node.args[0]
        elif isinstance(node.func, ast.Attribute):
            yield node.func.value
    for i in range(0 if name in SYMMETRIC else len(node.args) - 1):
        swapped = [*node.args[:i], node.args[i + 1], node.args[i], *node.args[i + 2 :]]
        if not any(isinstance(a, ast.Starred) for a in swapped[i : i + 2]):
            yield _edited(node, args=swapped)
    for i in range(len(node.keywords)):
        if node.keywords[i].arg in SAME_NUMBERS:
            continue
        yield _edited(node, keywords=[*node.keywords[:i], *node.keywords[i + 1 :]])


def _name(node: ast.Name) -> Iterator[ast.AST]:
    if node.id in TIMES:
        yield ast.BinOp(node, ast.Sub(), ast.Constant(1))
        yield ast.BinOp(node, ast.Add(), ast.Constant(1))


def _choice(node: ast.IfExp) -> Iterator[ast.AST]:
    yield _edited(node, body=node.orelse, orelse=node.body)


def _logic(node: ast.BoolOp) -> Iterator[ast.AST]:
    yield _edited(node, op=ast.Or() if isinstance(node.op, ast.And) else ast.And())


def scaled(value: ast.expr) -> Iterator[ast.expr]:
    """Minus, twice and half of a value."""
    if not isinstance(value, NO_VALUES):
        yield ast.UnaryOp(ast.USub(), value)
        yield ast.BinOp(ast.Constant(2), ast.Mult(), value)
        yield ast.BinOp(ast.Constant(0.5), ast.Mult(), value)


OPERATORS: list[tuple[type[ast.AST], Callable[..., Iterator[ast.AST]]]] = [
    (ast.BinOp, _binary),
    (ast.AugAssign, _augmented),
    (ast.UnaryOp, _unary),
    (ast.Constant, _constant),
    (ast.Compare, _comparison),
    (ast.Call, _call),
    (ast.Name, _name),
    (ast.IfExp, _choice),
    (ast.BoolOp, _logic),
]
