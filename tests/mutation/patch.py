"""A mutant in a process that has imported the package already: new code for the functions that exist.

Importing the package and collecting the tests takes longer than most tests do. So a mutant's text is
compiled, its functions are paired with those of the file as it is, and wherever the two differ, every living
function of the old code gets the new one. What only runs at an import (a constant, the body of a class)
cannot be changed like that: `patch` then says no.
"""

from __future__ import annotations

import gc
import importlib.abc
import importlib.machinery
import os
import sys
from collections import defaultdict
from functools import cache
from types import CodeType, FunctionType, ModuleType
from typing import Any

import equations

from .mutants import Mutant

Key = tuple[Any, ...]


class MutatedFile(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import one module of the package from a mutant's text."""

    def __init__(self, mutant: Mutant) -> None:
        self.name = module_of(mutant.path)
        self.mutant = mutant
        self.is_package = mutant.path.endswith("/__init__.py")

    def find_spec(self, name: str, path: object = None, target: object = None) -> object:
        if name != self.name:
            return None
        file = str(equations.ROOT / self.mutant.path)
        spec = importlib.machinery.ModuleSpec(name, self, origin=file, is_package=self.is_package)
        spec.has_location = True
        if self.is_package:
            spec.submodule_search_locations = [os.path.dirname(file)]
        return spec

    def exec_module(self, module: ModuleType) -> None:
        exec(compile(self.mutant.text, str(equations.ROOT / self.mutant.path), "exec"), module.__dict__)


def module_of(path: str) -> str:
    """The module that a file holds: ``scratchgen.nn`` of ``scratchgen/nn/__init__.py``."""
    return path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")


def import_mutated(mutant: Mutant) -> None:
    """Let the mutant's module, which nothing has imported yet, be imported from its text."""
    sys.meta_path.insert(0, MutatedFile(mutant))
    if "/loops/" in mutant.path:
        compile_again(mutant.path)


def compile_again(path: str) -> None:
    """Compile the loops that may differ: those on disk belong to the files there."""
    from numba.core import caching

    from scratchgen.backend import compiled

    folder = os.path.dirname(equations.ROOT / path)
    keep = compiled._cache

    def cache(function: Any) -> Any:
        own = os.path.dirname(function.__code__.co_filename)
        shared = folder.endswith("loops")  # what stands there is compiled into all loops
        return caching.NullCache() if shared or own == folder else keep(function)

    compiled._cache = cache


def patch(mutant: Mutant) -> bool:
    """Turn the living functions of the mutant's file into the mutant's; False if that is not all of it.

    A module that is not imported yet is imported from the mutant's text, when the tests come to it.
    """
    if module_of(mutant.path) not in sys.modules:
        import_mutated(mutant)
        return True
    file = str(equations.ROOT / mutant.path)
    with open(file, encoding="utf-8") as stream:
        old = compile(stream.read(), file, "exec", dont_inherit=True)
    new = compile(mutant.text, file, "exec", dont_inherit=True)
    try:
        return _exchange(old, new, living().get(file, {}))
    except ValueError:  # a function that no longer needs what surrounds it
        return False


def _exchange(old: CodeType, new: CodeType, living: dict[Key, list[FunctionType]]) -> bool:
    """Give the functions of `old` the code of `new` wherever they differ; whether that reached all of it."""
    if _same(old, new):
        return True
    functions = living.get(_key(old), [])
    for function in functions:
        function.__code__ = new
    if functions:
        return True
    inner, others = _inner(old), _inner(new)
    if _own(old) != _own(new) or len(inner) != len(others):
        return False
    return all(_exchange(a, b, living) for a, b in zip(inner, others, strict=True))


def _same(old: CodeType, new: CodeType) -> bool:
    inner, others = _inner(old), _inner(new)
    same = _own(old) == _own(new) and len(inner) == len(others)
    return same and all(_same(a, b) for a, b in zip(inner, others, strict=True))


def _inner(code: CodeType) -> list[CodeType]:
    return [constant for constant in code.co_consts if isinstance(constant, CodeType)]


def _own(code: CodeType) -> Key:
    """What a code does itself, wherever its lines are."""
    constants = [(type(c), repr(c)) for c in code.co_consts if not isinstance(c, CodeType)]
    names = code.co_names, code.co_varnames, code.co_freevars, code.co_cellvars
    return (code.co_code, constants, *names)


def _key(code: CodeType) -> Key:
    return code.co_qualname, code.co_firstlineno, tuple(code.co_positions())


@cache
def living() -> dict[str, dict[Key, list[FunctionType]]]:
    """The package's functions, by file and by code; of all that a process has imported when it first asks."""
    package = str(equations.ROOT / "scratchgen")
    found: dict[str, dict[Key, list[FunctionType]]] = defaultdict(lambda: defaultdict(list))
    for thing in gc.get_objects():
        if type(thing) is FunctionType and thing.__code__.co_filename.startswith(package):
            found[thing.__code__.co_filename][_key(thing.__code__)].append(thing)
    return found
