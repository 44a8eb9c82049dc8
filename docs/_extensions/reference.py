"""The reference: a page for each package with its public names, file by file, from the docstrings.

A name is listed where users take it from: `scratchgen.exp`, not `scratchgen.autograd.elementwise.exp`. Pages
are written to ``docs/api/``, which git ignores. The docstrings are plain text with formulas, and are made
into reStructuredText here: what would be markup by accident is escaped, and formulas keep their lines.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import shutil
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from types import FunctionType, ModuleType
from typing import Any

import equations
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError

import scratchgen

PAGES = equations.ROOT / "docs" / "api"
ORDER = [
    "autograd",
    "backend",
    "nn",
    "optim",
    "distributions",
    "data",
    "networks",
    "models",
    "metrics",
    "coding",
    "training",
    "plots",
]
MODULES = (
    "scratchgen.nn.functional",
    "scratchgen.nn.init",
    "scratchgen.optim.schedules",
    "scratchgen.data.toy",
)
"""Modules whose names are taken from the module itself, not from its package."""

PROSE_MARKUP = re.compile(r"(\\|\*|\||(?<=\w)_(?=\W|$))")


def packages() -> list[ModuleType]:
    """`scratchgen`, then its packages in the order of teaching, each with its own; without loops."""
    found = [info.name for info in pkgutil.walk_packages(scratchgen.__path__, "scratchgen.") if info.ispkg]
    names = [name for name in [*found, *MODULES] if "._" not in name and name.split(".")[1] != "loops"]
    names.sort(key=lambda name: (ORDER.index(name.split(".")[1]), name))
    return [scratchgen, *map(importlib.import_module, names)]


def public(module: ModuleType) -> list[str]:
    """The names that a module offers: its ``__all__``, else what of the package it imports or defines."""
    names = getattr(module, "__all__", None) or [name for name in vars(module) if not name.startswith("_")]
    return sorted(
        (name for name in names if is_ours(getattr(module, name, None), module)),
        key=lambda name: (name.lower(), name),
    )


def is_ours(item: Any, module: ModuleType) -> bool:
    """Whether an object is a function or class of the project; of a leaf module, one of the same package."""
    home = getattr(item, "__module__", None) or ""
    within = "scratchgen" if hasattr(module, "__path__") else module.__name__.rpartition(".")[0]
    return callable(item) and home.startswith(within)


def listed() -> dict[ModuleType, list[str]]:
    """The public names of each package; each object under one name, the shortest that there is."""
    seen: set[int] = set()
    found = {}
    for module in packages():
        found[module] = [name for name in public(module) if id(getattr(module, name)) not in seen]
        seen.update(id(getattr(module, name)) for name in found[module])
    return found


def documented(found: Mapping[ModuleType, Sequence[str]]) -> dict[int, str]:
    """The name under which each object is listed."""
    return {
        id(getattr(module, name)): f"{module.__name__}.{name}"
        for module, names in found.items()
        for name in names
    }


def families(cls: type, known: Mapping[int, str]) -> tuple[list[type], list[type]]:
    """The bases of a class that have no entry of their own, and those that `known` names."""
    ours = [base for base in cls.__mro__[1:] if base.__module__.startswith("scratchgen")]
    return [base for base in ours if id(base) not in known], [base for base in ours if id(base) in known]


def methods(cls: type, known: Mapping[int, str]) -> list[str]:
    """The methods and properties that the entry of a class has: its own, and of bases without an entry."""
    return sorted(
        {
            name
            for base in (cls, *families(cls, known)[0])
            for name, item in vars(base).items()
            if not name.startswith("_")
            and isinstance(item, FunctionType | property | cached_property | classmethod | staticmethod)
        }
    )


def entry(module: ModuleType, name: str, known: Mapping[int, str]) -> Iterator[str]:
    """The lines of a function, or of a class with its methods.

    Those of a base without an entry are among them: nobody has to know where `VAE.encode` is written.
    """
    item = getattr(module, name)
    if not inspect.isclass(item):
        yield from (f".. autofunction:: {module.__name__}.{name}", "")
        return
    hidden, others = families(item, known)
    yield from (f".. autoclass:: {module.__name__}.{name}", "   :members:")
    if hidden:
        apart = {base.__name__ for base in item.__mro__[1:] if base not in hidden}
        yield f"   :inherited-members: {', '.join(sorted(apart))}"
    if others:
        links = ", ".join(f":class:`{base.__name__} <{known[id(base)]}>`" for base in others)
        yield from ("", f"   It has, besides, what its bases have: {links}.")
    yield ""


def page(module: ModuleType, names: list[str], known: Mapping[int, str]) -> Iterator[str]:
    """The lines of a package's page: a section for each file, with what it is about and its public names."""
    yield from (module.__name__, "=" * len(module.__name__), "", f".. automodule:: {module.__name__}", "")
    files = defaultdict(list)
    for name in names:
        files[getattr(module, name).__module__].append(name)
    for home in sorted(files, key=lambda home: files[home][0].lower()):
        if home != module.__name__:
            path = home.replace(".", "/")
            folder = (equations.ROOT / path).is_dir()
            title = home.removeprefix(module.__name__ + ".").removeprefix("scratchgen.")
            yield from (title, "-" * len(title), "", f".. automodule:: {home}", "   :no-index:", "")
            yield from (f"Source: :source:`{path}{'/__init__' if folder else ''}.py`", "")
        for name in files[home]:
            yield from entry(module, name, known)


def generate(app: Sphinx) -> None:
    """Write a page for each package, and their list."""
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir()
    found = {module: names for module, names in listed().items() if names}
    known = documented(found)
    for module, names in found.items():
        text = "\n".join(page(module, names, known))
        (PAGES / f"{module.__name__}.rst").write_text(text, encoding="utf-8")
    pages = "\n".join(f"   {module.__name__}" for module in found)
    count = sum(map(len, found.values()))
    (PAGES / "index.rst").write_text(
        f"Reference\n=========\n\nThe {count} public names of the package, from their docstrings, whose "
        f"examples are tests.\n\n.. toctree::\n   :maxdepth: 1\n\n{pages}\n",
        encoding="utf-8",
    )


def missing(app: Sphinx, env: BuildEnvironment) -> None:
    """Fail if a method of a class is on no page.

    Raises
    ------
    ExtensionError
        Naming all of them.
    """
    found = listed()
    known = documented(found)
    made = env.get_domain("py").objects  # type: ignore[attr-defined]
    items = ((f"{m.__name__}.{name}", getattr(m, name)) for m, names in found.items() for name in names)
    classes = ((name, item) for name, item in items if inspect.isclass(item))
    wanted = [f"{name}.{method}" for name, item in classes for method in methods(item, known)]
    if lost := [name for name in wanted if name not in made]:
        raise ExtensionError(f"The reference has no entry for: {', '.join(lost)}.")


def as_markup(app: Sphinx, what: str, name: str, item: Any, options: Any, lines: list[str]) -> None:
    """Make a docstring's plain text reStructuredText, in place."""
    lines[:] = markup(lines)


def markup(lines: list[str]) -> list[str]:
    """A docstring in which formulas are literal blocks, and prose holds no markup but ``literals``.

    An indented block after an empty line is a formula, unless it belongs to a section such as Parameters,
    where only what is indented once more is.
    """
    found: list[str] = []
    section = doctest = False
    least = 0  # the indentation of the literal block at hand
    for number, line in enumerate(lines):
        indent = len(line) - len(line.lstrip())
        after = lines[number + 1].strip() if number + 1 < len(lines) else ""
        if not line.strip():
            doctest = False
            found.append(line)
            continue
        section = section or (len(after) > 2 and set(after) == {"-"})
        doctest = doctest or line.lstrip().startswith(">>>")
        least = least if indent >= least else 0
        if not least and not doctest and number and not lines[number - 1].strip():
            marked = ended(found).endswith("::")
            if indent > (4 if section else 0) or (marked and indent):
                least = indent
                found += [] if marked else [" " * (4 if section else 0) + "::", ""]
        if least:  # without the way to the margin of the file
            line = re.sub(rf" {{4,}}\(({equations.LABEL})\)$", r"    (\1)", line)
        found.append(
            line if least or doctest else escaped(line, named=section and indent == 0 and " : " in line)
        )
    return found


def ended(lines: list[str]) -> str:
    """The last line that is not empty."""
    return next((line.rstrip() for line in reversed(lines) if line.strip()), "")


def escaped(line: str, named: bool = False) -> str:
    """A line of prose, in which only text in backquotes is marked up; of a named parameter, its type."""
    name, separator, rest = line.partition(" : ") if named else ("", "", line)
    parts = re.split(r"(``.*?``|`[^`]*`)", rest)
    parts[::2] = [PROSE_MARKUP.sub(r"\\\1", part) for part in parts[::2]]
    return name + separator + "".join(parts)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.setup_extension("sphinx.ext.autodoc")
    app.connect("builder-inited", generate)
    app.connect("env-check-consistency", missing)
    app.connect("autodoc-process-docstring", as_markup, priority=100)  # before napoleon
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
