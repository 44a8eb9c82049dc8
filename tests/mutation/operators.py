"""The small mistakes: every wrong version of one expression."""

from __future__ import annotations

import ast
import copy
from collections.abc import Callable, Iterator

SIGNS: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.Pow: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.LShift: ast.RShift,
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
    "sample": "rsample",
    "normal": "uniform",
    "uniform": "normal",
    "any": "all",
    "all": "any",
    "median": "mean",
    "std": "var",
    "var": "std",
    "logaddexp": "maximum",
    "log1p": "log",
    "expm1": "exp",
    "floor": "ceil",
    "cumsum": "cumprod",
    "cumprod": "cumsum",
}
UNWRAPPED = {
    "transpose",
    "matrix_transpose",
    "clip",
    "cumsum",
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
SAME_NUMBERS = {"out", "like", "strict"}  # keywords that say where a result lies, not what it is
SYMMETRIC = {"add", "min", "max", "maximum", "minimum", "multiply", "mul", "logaddexp", "isclose"}
TIMES = {"t", "s", "T", "k", "d", "i", "step", "half"}
# What twice or half of has no meaning.
NO_VALUES = (
    *(ast.Tuple, ast.List, ast.Dict, ast.Set, ast.ListComp, ast.GeneratorExp, ast.Constant, ast.JoinedStr),
    *(ast.Compare, ast.BoolOp, ast.Lambda, ast.Attribute, ast.Starred),
)


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
    for side in ("left", "right"):
        if isinstance(operand := getattr(node, side), ast.Name):
            yield _edited(node, **{side: _detached(operand)})
    if isinstance(node.op, ast.BitAnd | ast.BitOr):
        yield _edited(node, op=ast.BitOr() if isinstance(node.op, ast.BitAnd) else ast.BitAnd())


def _detached(value: ast.expr) -> ast.expr:
    return ast.Call(ast.Attribute(value, "detach", ast.Load()), [], [])


def _augmented(node: ast.AugAssign) -> Iterator[ast.AST]:
    if type(node.op) in SIGNS:
        yield _edited(node, op=SIGNS[type(node.op)]())
    yield node.target


def _attribute(node: ast.Attribute) -> Iterator[ast.AST]:
    if node.attr == "T":
        yield node.value


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
        if value == 2:
            yield ast.Constant(0.5)
    elif isinstance(value, float):
        yield ast.Constant(value * 2 if value else 1.0)
        if value:
            yield ast.Constant(value / 2)


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
    if len(node.args) > 1 and not any(isinstance(a, ast.Starred) for a in node.args):
        yield _edited(node, args=node.args[:-1])
    if name == "range":
        first = node.args[0] if len(node.args) > 1 else ast.Constant(0)
        end, *step = node.args[1:] or node.args
        one = ast.Constant(1)
        yield _edited(node, args=[ast.BinOp(first, ast.Add(), one), end, *step])
        yield _edited(node, args=[first, ast.BinOp(end, ast.Sub(), one), *step])
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
    """Minus, twice and half of a value; and the value without its gradient."""
    if not isinstance(value, NO_VALUES) and not _is_zero(value) and ast.unparse(value) != "NotImplemented":
        yield _detached(value)
        yield ast.UnaryOp(ast.USub(), value)
        yield ast.BinOp(ast.Constant(2), ast.Mult(), value)
        yield ast.BinOp(ast.Constant(0.5), ast.Mult(), value)


def _is_zero(value: ast.expr) -> bool:
    """Whether it is a 0 of some type, such as ``f32(0)``: twice it is the same."""
    return isinstance(value, ast.Call) and [ast.unparse(argument) for argument in value.args] == ["0"]


OPERATORS: list[tuple[type[ast.AST], Callable[..., Iterator[ast.AST]]]] = [
    (ast.BinOp, _binary),
    (ast.AugAssign, _augmented),
    (ast.UnaryOp, _unary),
    (ast.Constant, _constant),
    (ast.Compare, _comparison),
    (ast.Call, _call),
    (ast.Name, _name),
    (ast.Attribute, _attribute),
    (ast.IfExp, _choice),
    (ast.BoolOp, _logic),
]
