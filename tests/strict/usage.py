"""Read source code for names and keywords of NumPy that CuPy lacks.

The package spells array functions ``np.f(x)``, and NumPy's protocols pass such a call on to CuPy, which must
then have the function and every keyword. Running on the stand-in finds what the tests reach; reading the
source finds the rest.
"""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from types import BuiltinFunctionType
from typing import Any

import numpy as np

from .table import UFUNC_METHODS, Table, resolve

# Functions of NumPy that do not dispatch, since they are not about arrays: about types, shapes and settings.
ABOUT_NO_ARRAY = {"broadcast_shapes", "issubdtype", "promote_types", "isscalar", "isdtype"}

# Functions that make an array out of nothing or of host data. Without ``like=`` it is a host array.
CREATION = {
    *("arange", "array", "asanyarray", "asarray", "empty", "eye", "frombuffer", "fromiter", "full"),
    *("identity", "ones", "tri", "zeros"),
}

# These refuse device arrays unless ``like=`` says whose they are; nobody needs them for constants.
CONVERSIONS = {"ascontiguousarray", "asfortranarray"}

# Keywords that NumPy's methods take and CuPy's do not; a Tensor's methods have none of them.
FOREIGN_KEYWORDS = {"where", "initial", "stable", "casting"}


def problems(source: str, table: Table, filename: str = "<source>") -> list[str]:
    """What in `source` would fail on CuPy, one line each, beginning with ``filename:line``.

    Examples
    --------
    >>> problems("np.sum(x, where=mask)", table.load())
    ['<source>:1: np.sum: got an unexpected keyword argument 'where'']
    """
    found = []
    tree = ast.parse(source)
    imported = {alias.asname or alias.name for node in ast.walk(tree) for alias in _aliases(node)} - {"np"}
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and not _belongs_to(node, imported):
            messages = _call_problems(node, table)
        elif isinstance(node, ast.Attribute):
            messages = _name_problems(node, table)
        else:
            continue
        found += [(node.lineno, message) for message in messages]
    return [f"{filename}:{line}: {message}" for line, message in sorted(set(found))]


def _aliases(node: ast.AST) -> list[ast.alias]:
    return node.names if isinstance(node, ast.Import | ast.ImportFrom) else []


def _belongs_to(call: ast.Call, imported: set[str]) -> bool:
    """Whether a call reads ``module.function(...)``, of a module or class that the file imports."""
    owner = call.func.value if isinstance(call.func, ast.Attribute) else None
    return isinstance(owner, ast.Name) and owner.id in imported


def _name_problems(node: ast.Attribute, table: Table) -> Iterator[str]:
    """A name of NumPy, called or handed on, that CuPy lacks."""
    path = _numpy_path(node)
    if path is None or path.startswith(("random.", "lib.format.")):
        return
    try:
        target = resolve(np, path)
    except AttributeError:
        yield f"np.{path}: NumPy has no such name"
        return
    parent = resolve(np, path.rpartition(".")[0])
    if isinstance(parent, np.ufunc):
        if node.attr in UFUNC_METHODS and parent.__name__ not in table.ufunc_methods[node.attr]:
            yield f"np.{path}: CuPy's {parent.__name__} has no .{node.attr}"
    elif isinstance(target, np.ufunc):
        if table.signature("ufunc", target.__name__) is None:
            yield f"np.{path}: CuPy has no such function"
    elif _dispatches(target):
        if table.signature("function", _qualified(target)) is None:
            yield f"np.{path}: CuPy has no such function"
    elif inspect.isroutine(target) and target.__name__ not in ABOUT_NO_ARRAY | CREATION | CONVERSIONS:
        yield f"np.{path}: does not dispatch to CuPy"


def _call_problems(node: ast.Call, table: Table) -> Iterator[str]:
    if not isinstance(node.func, ast.Attribute):
        return
    keywords = {keyword.arg for keyword in node.keywords if keyword.arg}
    path = _numpy_path(node.func)
    if path is None:
        yield from _method_problems(node.func.attr, keywords, table)
        return
    target = _resolve_or_none(path)
    if isinstance(target, np.ufunc):
        yield from _mismatch(path, table.signature("ufunc", target.__name__), node, keywords)
    elif getattr(target, "__name__", None) in CREATION | CONVERSIONS:
        yield from _creation_problems(path, target, node, keywords, table)
    elif _dispatches(target):
        yield from _mismatch(path, table.signature("function", _qualified(target)), node, keywords)


def _creation_problems(
    path: str, target: Any, node: ast.Call, keywords: set[str], table: Table
) -> Iterator[str]:
    if "like" in keywords:
        if not isinstance(target, BuiltinFunctionType):
            # NumPy's own wrapper hands on device=, which CuPy does not know.
            yield f"np.{path}: like= fails on CuPy; use np.empty, np.zeros, or np.{path}_like"
        else:
            yield from _mismatch(path, table.signature("function", path), node, keywords - {"like"})
    elif path in CONVERSIONS:
        yield f"np.{path}: does not dispatch to CuPy without like="


def _method_problems(name: str, keywords: set[str], table: Table) -> Iterator[str]:
    """A call ``x.name(...)`` where `x` may be an array: only what no other type of ours has can be judged."""
    if name.startswith("_") or not hasattr(np.ndarray, name):
        return
    signature = table.signature("method", name)
    if signature is None:
        yield f".{name}(): CuPy's arrays have no such method"
        return
    for keyword in sorted((keywords & FOREIGN_KEYWORDS) - set(signature.parameters)):
        yield f".{name}({keyword}=): CuPy's method has no such keyword"
    if name == "astype" and "casting" in keywords:
        yield ".astype(casting=): CuPy's method does not support it"


def _mismatch(
    path: str, signature: inspect.Signature | None, node: ast.Call, keywords: set[str]
) -> Iterator[str]:
    """The error of binding the call's arguments to CuPy's parameters; starred arguments bind to anything."""
    if signature is None:
        return  # reported by name
    starred = any(isinstance(a, ast.Starred) for a in node.args) or any(k.arg is None for k in node.keywords)
    try:
        bind = signature.bind_partial if starred else signature.bind
        bind(*(a for a in node.args if not isinstance(a, ast.Starred)), **dict.fromkeys(keywords))
    except TypeError as error:
        yield f"np.{path}: {error}"


def _numpy_path(node: ast.expr) -> str | None:
    """``"linalg.norm"`` for the expression ``np.linalg.norm``; None for one that is not below ``np``."""
    names: list[str] = []
    while isinstance(node, ast.Attribute):
        names.append(node.attr)
        node = node.value
    return ".".join(reversed(names)) if isinstance(node, ast.Name) and node.id == "np" else None


def _resolve_or_none(path: str) -> Any:
    try:
        return resolve(np, path)
    except AttributeError:
        return None


def _dispatches(target: Any) -> bool:
    """Whether a function of NumPy looks at the types of its arguments (NEP 18)."""
    return type(target).__name__ == "_ArrayFunctionDispatcher"


def _qualified(function: Any) -> str:
    return f"{function.__module__}.{function.__name__}".removeprefix("numpy.")
