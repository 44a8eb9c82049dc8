"""Where each numbered equation stands: in a chapter of the book, in the code, and on the tests that verify
it.

A label is a name such as ``vae-elbo``. It stands once in a chapter, below a ``{math}`` fence as ``:label:``;
in the package at the end of the formula's line in a docstring, in parentheses, and in a comment
``# (vae-elbo)`` at the end of the statements that compute it; on a test in
``@pytest.mark.equation("vae-elbo")``. A theorem, which no code computes, says so in its fence:
``:class: theory``. Only the text of the files is read here: nothing is imported and nothing is run.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

LABEL = r"[a-z0-9]+(?:-[a-z0-9]+)*"
IN_CODE = re.compile(rf"(?:^|\s\s+|:: )\(({LABEL})\)\s*$")
ON_STATEMENT = re.compile(rf"\S\s+#((?: \({LABEL}\))+)\s*$")
FENCE = re.compile(
    r"^(?P<fence>`{3,}|:{3,})\{math\}[^\n]*\n(?P<body>.*?)^(?P=fence)\s*$", re.MULTILINE | re.DOTALL
)
OPTION = re.compile(r"^:label:[ \t]*(\S+)[ \t]*$", re.MULTILINE)
THEORY = re.compile(r"^:class:[ \t]*theory[ \t]*$", re.MULTILINE)


@dataclass(frozen=True, order=True)
class Place:
    """A line of a file below the root; with the test that begins there, or "theory" for a theorem."""

    path: str
    line: int
    name: str = ""

    @property
    def test(self) -> str:
        """A test as pytest names it: ``tests/models/test_vae.py::test_shapes``."""
        return f"{self.path}::{self.name}"

    def __str__(self) -> str:
        return f"{self.path}:{self.line}"


@dataclass
class Equation:
    """All places of one label."""

    label: str
    chapters: list[Place] = field(default_factory=list)
    code: list[Place] = field(default_factory=list)
    tests: list[Place] = field(default_factory=list)
    statements: list[Place] = field(default_factory=list)

    @property
    def theory(self) -> bool:
        """Whether the equation is a theorem, which tests verify and no code computes."""
        return any(place.name == "theory" for place in self.chapters)

    @property
    def anchors(self) -> list[Place]:
        """Where it is computed: the statements, or else the docstrings that have its formula."""
        return self.statements or self.code

    def faults(self) -> list[str]:
        """What keeps the equation from being in order; empty if it is."""
        found = []
        if not self.chapters:
            place = (self.code + self.statements + self.tests)[0]
            found.append(f"{place}: no chapter states the equation {self.label}")
        found += [
            f"{again}: the label {self.label} is taken, by {self.chapters[0]}" for again in self.chapters[1:]
        ]
        if self.chapters and not re.fullmatch(LABEL, self.label):
            found.append(
                f"{self.chapters[0]}: {self.label!r} is no label: write it in lower case, with hyphens"
            )
        where = (self.chapters + self.code + self.statements + self.tests)[0]
        if not self.statements and not self.theory:
            found.append(f"{where}: no statement of the code ends in # ({self.label})")
        if self.statements and self.theory:
            found.append(f"{where}: {self.label} is called theory, but {self.statements[0]} computes it")
        if not self.tests:
            found.append(f'{where}: no test is marked equation("{self.label}")')
        return found


def find(root: Path = ROOT) -> dict[str, Equation]:
    """Every equation that a chapter, the code or a test names: in the chapters' order, then by label."""
    sources = sorted((root / "scratchgen").rglob("*.py"))
    places: dict[str, dict[str, list[Place]]] = {
        "chapters": collect(root, chapters(root), in_chapter),
        "code": collect(root, sources, in_code),
        "statements": collect(root, sources, on_statements),
        "tests": collect(root, sorted((root / "tests").rglob("test_*.py")), in_tests),
    }
    others = sorted(set(places["code"]) | set(places["statements"]) | set(places["tests"]))
    labels = dict.fromkeys([*places["chapters"], *others])
    return {
        label: Equation(label, **{kind: found.get(label, []) for kind, found in places.items()})
        for label in labels
    }


def chapters(root: Path = ROOT) -> list[Path]:
    """The chapters in the order of the book's contents; those not listed there last."""
    contents = root / "docs" / "index.md"
    text = contents.read_text(encoding="utf-8") if contents.exists() else ""
    order = {
        name: position for position, name in enumerate(re.findall(r"^chapters/([\w-]+)", text, re.MULTILINE))
    }
    files = sorted((root / "docs" / "chapters").glob("*.md"))
    return sorted(files, key=lambda file: order.get(file.stem, len(order)))


def collect(
    root: Path, files: Iterable[Path], read: Callable[[str], list[tuple[str, int, str]]]
) -> dict[str, list[Place]]:
    """The places of each label, in the order of the files and of their lines."""
    found = defaultdict(list)
    for file in files:
        for label, line, name in read(file.read_text(encoding="utf-8")):
            found[label].append(Place(file.relative_to(root).as_posix(), line, name))
    return dict(found)


def in_chapter(text: str) -> list[tuple[str, int, str]]:
    """The labels of a chapter's numbered equations, with the line of each fence, and which are theory."""
    return [
        (option[1], text.count("\n", 0, block.start()) + 1, "theory" if THEORY.search(block["body"]) else "")
        for block in FENCE.finditer(text)
        if (option := OPTION.search(block["body"]))
    ]


def in_code(text: str) -> list[tuple[str, int, str]]:
    """The labels at the ends of lines, at least two spaces after the formula or alone on their line."""
    lines = enumerate(text.splitlines(), start=1)
    return [(match[1], number, "") for number, line in lines if (match := IN_CODE.search(line))]


def on_statements(text: str) -> list[tuple[str, int, str]]:
    """The labels in the comments of statements, ``y = exp(x)  # (label) (another)``: what computes them."""
    lines = enumerate(text.splitlines(), start=1)
    matches = ((number, ON_STATEMENT.search(line)) for number, line in lines)
    return [
        (label, number, "") for number, match in matches if match for label in re.findall(LABEL, match[1])
    ]


def in_tests(text: str) -> list[tuple[str, int, str]]:
    """The labels that decorators of tests name, with the line and the name of the test."""
    found = []
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_"):
            for decorator in node.decorator_list:
                found += [(label, node.lineno, node.name) for label in marks(decorator)]
    return found


def marks(decorator: ast.expr) -> list[str]:
    """The labels in ``pytest.mark.equation("...")``, be it a decorator or the mark of a parameter."""
    return [
        argument.value
        for call in ast.walk(decorator)
        if isinstance(call, ast.Call) and ast.unparse(call.func) == "pytest.mark.equation"
        for argument in call.args
        if isinstance(argument, ast.Constant)
    ]


def faults(equations: dict[str, Equation]) -> list[str]:
    """What is out of order, a line for each fault."""
    return sorted(fault for equation in equations.values() for fault in equation.faults())
