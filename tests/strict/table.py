"""What CuPy has: functions, ufuncs, methods, and the parameters of each.

The table is checked in as `cupy_names.json`, so that machines without CuPy check against it too. To make it
anew (needs CuPy, but no GPU)::

    python tests/strict/table.py
"""

from __future__ import annotations

import inspect
import json
import re
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

PATH = Path(__file__).with_name("cupy_names.json")
NAMESPACES = ("", "linalg", "fft", "lib.stride_tricks")
UFUNC_METHODS = ("at", "reduce", "accumulate", "reduceat", "outer")
UFUNC_KEYWORDS = "out=0, casting=0, dtype=0"

# These take ``**kwargs``; their source tells which ones they accept.
EXPLICIT = {
    "einsum": "*operands, dtype=0, optimize=0",
    "pad": "array, pad_width, mode=0, *, constant_values=0, end_values=0, stat_length=0, reflect_type=0",
    "meshgrid": "*xi, copy=0, sparse=0, indexing=0",
    "gradient": "f, *varargs, axis=0, edge_order=0",
}


@dataclass(frozen=True)
class Table:
    """Names and parameters, as in ``{"sum": "a, axis=0, keepdims=0"}``: a default only says there is one.

    Attributes
    ----------
    version : str
        The version of CuPy described.
    functions, ufuncs, methods : dict
        Parameters by name; functions of a sub-module carry its name, as in ``"linalg.norm"``.
    ufunc_methods : dict
        For each of `UFUNC_METHODS` the ufuncs that have it.
    attributes : list
        Attributes of ``cupy.ndarray`` that are not methods.
    """

    version: str
    functions: dict[str, str]
    ufuncs: dict[str, str]
    ufunc_methods: dict[str, list[str]]
    methods: dict[str, str]
    attributes: list[str]

    @cached_property
    def _signatures(self) -> dict[tuple[str, str], inspect.Signature]:
        kinds = {"function": self.functions, "ufunc": self.ufuncs, "method": self.methods}
        return {
            (kind, name): _signature(parameters)
            for kind, entries in kinds.items()
            for name, parameters in entries.items()
        }

    def signature(self, kind: str, name: str) -> inspect.Signature | None:
        """The parameters of a "function", "ufunc" or "method", or None where CuPy has none of that name."""
        return self._signatures.get((kind, name))


def load() -> Table:
    """The checked-in table."""
    return Table(**json.loads(PATH.read_text()))


def generate() -> Table:
    """The table of the installed CuPy.

    Raises
    ------
    ImportError
        If there is none.
    """
    import cupy

    functions, ufuncs = {}, {}
    for namespace in NAMESPACES:
        ours, theirs = resolve(np, namespace), resolve(cupy, namespace)
        for name in sorted(set(dir(ours)) & set(dir(theirs))):
            function, twin = getattr(ours, name), getattr(theirs, name)
            if name.startswith("_") or not callable(function) or isinstance(function, type):
                continue
            if function is twin or not callable(twin) or inspect.ismodule(twin):
                continue
            if isinstance(function, np.ufunc):
                ufuncs[name] = _ufunc_parameters(function, twin)
            else:
                path = f"{namespace}.{name}".lstrip(".")
                functions[path] = EXPLICIT.get(path) or _parameters(twin)
    public = [name for name in dir(cupy.ndarray) if not name.startswith("_")]
    methods = {name: getattr(cupy.ndarray, name) for name in public if callable(getattr(cupy.ndarray, name))}
    return Table(
        version=cupy.__version__,
        functions=functions,
        ufuncs=ufuncs,
        ufunc_methods={
            method: [name for name in ufuncs if _has_method(getattr(cupy, name), method)]
            for method in UFUNC_METHODS
        },
        methods={name: _parameters(method) for name, method in methods.items()},
        attributes=[name for name in public if name not in methods],
    )


def resolve(module: Any, path: str) -> Any:
    """The object at a dotted `path` below `module`; an AttributeError if there is none."""
    for name in filter(None, path.split(".")):
        module = getattr(module, name)
    return module


def _ufunc_parameters(ufunc: np.ufunc, twin: Any) -> str:
    if type(twin).__name__ != "ufunc":  # matmul is a generalised one, with a signature of its own
        return _parameters(twin)
    inputs = ", ".join(f"x{i}" for i in range(ufunc.nin))
    outputs = "".join(f", y{i}=0" for i in range(ufunc.nout))
    return f"{inputs}{outputs}, /, *, {UFUNC_KEYWORDS}"


def _has_method(twin: Any, method: str) -> bool:
    """Whether CuPy implements a method of its ufunc; it refuses the others before it looks at arguments."""
    if not hasattr(twin, method):
        return False
    try:
        getattr(twin, method)(None, None)
    except NotImplementedError:
        return False
    except Exception:
        return True
    return True


def _parameters(function: Any) -> str:
    """The parameters of a function, defaults as 0; of a compiled one from its docstring's first line."""
    try:
        signature = inspect.signature(function)
    except ValueError:
        return _parameters_in_docstring(function.__doc__)
    plain = [
        p.replace(annotation=p.empty, default=p.empty if p.default is p.empty else 0)
        for p in signature.parameters.values()
        if p.name != "self"
    ]
    return str(inspect.Signature(plain))[1:-1].replace(" = 0", "=0")


def _parameters_in_docstring(docstring: str) -> str:
    """``reshape(self, *shape, order='C')`` as ``*shape, order=0``; ``int axis=-1`` as ``axis=0``."""
    inside = re.search(r"\((.*)\)", docstring.splitlines()[0])
    assert inside, f"no signature in {docstring[:80]!r}"
    parameters = []
    for text in inside[1].replace("\\", "").split(","):
        declared, equals, _ = text.strip().partition("=")
        name = declared.split()[-1]
        if name != "self":
            parameters.append(name + ("=0" if equals else ""))
    return ", ".join(parameters)


def _signature(parameters: str) -> inspect.Signature:
    return inspect.signature(eval(f"lambda {parameters}: None"))


if __name__ == "__main__":
    PATH.write_text(json.dumps(vars(generate()), indent=1) + "\n")
    print(f"wrote {PATH}")
