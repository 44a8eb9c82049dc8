"""Formula or loop: the one choice, and how a loop is compiled.

A formula marked ``@compiled`` is what a reader reads: plain NumPy, as the paper prints it. Its loop, of the
same path, name and arguments under ``scratchgen/loops/``, is what a processor likes: one pass over memory
instead of one for each operation. float32 NumPy arrays go to the loop, everything else (float64, Tensors,
arrays of a device, a Python without Numba) to the formula; nothing else chooses. ``SCRATCHGEN_LOOPS=0`` in
the environment leaves every call to the formulas.

A loop's file holds plain functions of the formulas' names, which allocate the results and lay out the
memory, and pieces of work marked ``@loop``, which Numba compiles at their first call and keeps in a folder
(`cache_folder`). Numba is imported with the first loop, not before.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import importlib
import importlib.util
import os
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

Function = TypeVar("Function", bound=Callable[..., Any])

PACKAGE = __name__.split(".")[0]
SINGLE = np.dtype(np.float32)

formulas: dict[str, Callable[..., Any]] = {}
"""Every formula that claims a loop, by ``path:name``; a test walks them."""

_found: list[list[Callable[..., Any] | None]] = []


def compiled(formula: Function) -> Function:
    """Let float32 NumPy arrays go to the formula's loop.

    All arrays among the positional arguments have to be such; numbers and keywords do not matter. A loop
    may return NotImplemented, which leaves a call (shapes that broadcast, say) to its formula.

    Parameters
    ----------
    formula : function
        Of ``scratchgen.path``; the loop is the function of that name in ``scratchgen.loops.path``.

    Returns
    -------
    function
        With the formula as its attribute ``formula``.
    """
    path = formula.__module__.removeprefix(PACKAGE + ".")
    formulas[f"{path}:{formula.__name__}"] = formula
    found: list[Callable[..., Any] | None] = []  # the loop, once it has been looked for
    _found.append(found)

    @functools.wraps(formula)
    def choice(*args: Any, **static: Any) -> Any:
        single = False
        for a in args:
            if type(a) is np.ndarray:
                if a.dtype is not SINGLE and a.dtype != SINGLE:  # an unpickled one is another object
                    return formula(*args, **static)
                single = True
            elif not (a is None or isinstance(a, int | float)):
                return formula(*args, **static)
        if single:
            if not found:
                found.append(find(path, formula.__name__))
            if found[0] is not None:
                y = found[0](*args, **static)
                if y is not NotImplemented:
                    return y
        return formula(*args, **static)

    choice.formula = formula  # type: ignore[attr-defined]
    return choice  # type: ignore[return-value]


@functools.cache
def available() -> bool:
    """Whether loops can be compiled: both they and Numba are there, and ``SCRATCHGEN_LOOPS`` is not 0."""
    there = (Path(__file__).parents[1] / "loops").is_dir() and importlib.util.find_spec("numba") is not None
    return there and os.environ.get("SCRATCHGEN_LOOPS") != "0"


def find(path: str, name: str) -> Callable[..., Any] | None:
    """The loop of a formula; None where there are no loops, or Numba does not load."""
    if not available():
        return None
    try:
        importlib.import_module("numba")
    except ImportError:
        return None
    module = importlib.import_module(f"{PACKAGE}.loops.{path}")
    crew = importlib.import_module(f"{PACKAGE}.backend.crew")
    crew.start()
    return getattr(module, name)


def _find_again() -> None:
    for found in _found:
        found.clear()


if hasattr(os, "register_at_fork"):  # a child has no helpers: its first loop starts them
    os.register_at_fork(after_in_child=_find_again)


def loop(function: Function) -> Function:
    """Compile a piece of work: without Python's lock, and with sums in an order that vectorises.

    NaN and infinity keep their meaning (``fastmath=True`` would assume them away). Division by zero gives
    what IEEE says. A loop slices first, ``row = x[i]``, and indexes from 0: an index that might be negative
    is not vectorised, and nor are the rows that unpacking gives, ``a, b = np.empty((2, n))``, since Numba
    forgets that they are contiguous.
    """
    import numba

    compile_ = numba.njit(nogil=True, error_model="numpy", fastmath={"reassoc", "contract", "nsz", "arcp"})
    dispatcher = compile_(function)
    dispatcher._cache = _cache(function)
    return dispatcher


def cache_folder() -> Path | None:
    """Where compiled loops are kept, or None where nothing can be written.

    ``NUMBA_CACHE_DIR`` if the environment sets it, else the user's folder for such things.
    """
    own = os.environ.get("NUMBA_CACHE_DIR")
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(own) if own else Path(base, PACKAGE, "loops")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=folder).close()
    except OSError:
        return None
    return folder


@functools.cache
def _folder() -> Path | None:
    try:
        return cache_folder()
    except RuntimeError:  # no home
        return None


@functools.cache
def _sources(folder: Path) -> str:
    """A digest of what loops in that folder are compiled from.

    Numba compiles into a loop whatever it calls, but looks at the loop's own file only. Here a loop belongs
    to its folder, to what stands directly in ``loops/`` and to the threads.
    """
    package = Path(__file__).parents[1]
    own = (package / "backend" / f"{name}.py" for name in ("compiled", "crew", "threads", "words"))
    shared = [*(package / "loops").glob("*.py"), *own]
    digest = hashlib.sha256()
    for file in sorted({*shared, *folder.glob("*.py")}):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def _inline_where_called(function: Callable[..., Any], library: Any) -> None:
    """Let every loop that calls this one have its code inside, instead of a copy under the same name.

    A copy is optimised once more, so its sums may be taken in another order, and which of the two runs would
    depend on which was loaded first: in a process that has just compiled them another one than in the next,
    which loads them from the cache. (The crew computes with whole numbers, where this makes no difference.)
    """
    if function.__module__.startswith(f"{PACKAGE}.loops"):
        for code in library._get_module_for_linking().functions:
            if not code.is_declaration and PACKAGE in code.name:
                code.add_function_attribute("alwaysinline")


def _no_cache(function: Callable[..., Any]) -> Any:
    from numba.core import caching

    class NoCache(caching.NullCache):
        def save_overload(self, signature: Any, result: Any) -> None:
            _inline_where_called(function, result.library)

    return NoCache()


def _cache(function: Callable[..., Any]) -> Any:
    """Numba's cache of a loop, in our folder; none where that cannot be written."""
    from numba.core import caching

    folder = _folder()
    if folder is None:
        return _no_cache(function)

    class Locator(caching._CacheLocator):
        def __init__(self, file: str) -> None:
            self._py_file = file

        def get_cache_path(self) -> str:
            return str(folder / self.get_suitable_cache_subpath(self._py_file))

        def get_source_stamp(self) -> str:
            return _sources(Path(self._py_file).parent)

        def get_disambiguator(self) -> str:
            return str(function.__code__.co_firstlineno)

        @classmethod
        def from_function(cls, function: Callable[..., Any], file: str) -> Locator:
            return cls(file)

    class Files(caching.CompileResultCacheImpl):
        _locator_classes = (Locator,)

    class Cache(caching.FunctionCache):
        """A damaged file, a full disk: compile then, as if nothing had been there."""

        _impl_class = Files

        def load_overload(self, *args: Any) -> Any:
            try:
                return super().load_overload(*args)
            except Exception:
                return None

        def save_overload(self, signature: Any, result: Any) -> None:
            _inline_where_called(function, result.library)
            try:
                super().save_overload(signature, result)
            except Exception:
                self.disable()
                with contextlib.suppress(OSError):
                    self.flush()

    return Cache(function)
