"""Below each numbered equation: the code that computes it, the tests that verify it, the error they measured.

And ``{ledger}``, which lists all equations with the same lines. The tests run once for each state of the
sources, beside the reading of the pages. An equation without code, test or chapter is a warning, and so ends
the build.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import equations
import ledger
from docutils import nodes
from equations import Equation
from freshness import digest
from ledger import Result
from measurements import Measurement
from mutation import record
from sources import link
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

log = logging.getLogger(__name__)

ROOT = equations.ROOT
OF = "evidence-of-"  # the class of a formula that stands for a numbered equation elsewhere
SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


SHARES = 4  # of the marked tests' files, each a run of its own


class Tests:
    """The runs of the marked tests, begun with the build and waited for where their numbers are needed."""

    def __init__(self, app: Sphinx, folder: Path) -> None:
        sources = [*ROOT.glob("scratchgen/**/*.py"), *ROOT.glob("tests/**/*.py"), ROOT / "pyproject.toml"]
        state = digest(sources)
        marked = {test.path for equation in app.equations.values() for test in equation.tests}  # type: ignore[attr-defined]
        files = sorted(marked, key=lambda path: -(ROOT / path).stat().st_size)
        self.runs: dict[Path, Future[str] | None] = {}
        self.found: dict[str, Result] | None = None
        folder.mkdir(parents=True, exist_ok=True)
        for share in range(SHARES):
            file = folder / f"{state}-{share}.json"
            name = f"tests of equations, part {share + 1} of {SHARES}"
            mine = files[share::SHARES]
            self.runs[file] = None if file.exists() else app.jobs.give(name, run_tests, mine, str(file))  # type: ignore[attr-defined]

    def results(self) -> dict[str, Result]:
        """What each test measured."""
        if self.found is None:
            self.found = {}
            for file, run in self.runs.items():
                if run is not None and (end := run.result()):
                    raise ExtensionError(f"the tests of the equations did not run:\n{end}")
                self.found |= ledger.from_json(json.loads(file.read_text(encoding="utf-8")))
        return self.found


def run_tests(files: list[str], results: str) -> str:
    """Run the marked tests of some files; return the end of what was printed if there are no results."""
    command = [sys.executable, "-m", "pytest", "-c", "pyproject.toml", "--rootdir", ".", "--ledger"]
    unfinished = Path(results).with_suffix(".new")
    unfinished.unlink(missing_ok=True)
    ran = subprocess.run(
        [*command, "--ledger-file", str(unfinished), *files],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if ran.returncode not in (0, 1) or not unfinished.exists():  # broken off, or a file that cannot be read
        return ran.stdout[-3000:] or "nothing was printed"
    unfinished.replace(results)
    return ""


def begin(app: Sphinx) -> None:
    """Start the tests, and read where the equations are."""
    app.equations = equations.find()  # type: ignore[attr-defined]
    app.scores = record.scores(app.equations)  # type: ignore[attr-defined]
    app.tests = Tests(app, Path(app.srcdir) / "_build" / "ledger")  # type: ignore[attr-defined]


def check(app: Sphinx, env: BuildEnvironment) -> None:
    """Warn of each equation and each test that is not in order."""
    known, results = app.equations, app.tests.results()  # type: ignore[attr-defined]
    for fault in equations.faults(known) + ledger.faults(results):
        log.warning("%s", fault)
    for test in {test.test for equation in known.values() for test in equation.tests} - results.keys():
        log.warning("%s: did not run", test)


def outdated(app: Sphinx, env: BuildEnvironment, *changes: set[str]) -> list[str]:
    """The pages with numbers of the tests on them, which are made anew each time."""
    return [name for name in env.found_docs if name in ("index", "ledger") or name.startswith("chapters/")]


def number(value: float) -> str:
    """A number of two digits: 0.013, 5, 2.1 × 10⁻¹³."""
    if value and not 1e-3 <= abs(value) < 1e5:
        mantissa, exponent = f"{value:.1e}".split("e")
        mantissa = "" if mantissa == "1.0" else f"{mantissa} × "
        return f"{mantissa}10{str(int(exponent)).translate(SUPERSCRIPTS)}"
    return f"{value:.2g}" if abs(value) < 100 else f"{value:.0f}"


def measured(measurement: Measurement | None) -> str:
    """An error and its tolerance in words."""
    if measurement is None:
        return "nothing measured"
    if not measurement.tolerance:
        return "exact"
    unit = f"{measurement.unit} " if measurement.unit == "standard errors" else ""
    kind = "relative error" if measurement.unit == "relative" else "error"
    return f"{kind} {number(measurement.error)} of {number(measurement.tolerance)} {unit}allowed"


def evidence(
    equation: Equation, results: dict[str, Result], score: record.Score | None = None
) -> list[nodes.Node]:
    """The line below an equation; opened, it lists the tests with the commands that run them."""
    tests = [(test, results[test.test]) for test in equation.tests if test.test in results]
    summary = nodes.inline("", "", classes=["places"])
    for place in equation.anchors[:1]:
        summary += [link(place.path, place.line, short(place.path)), nodes.Text(f" line {place.line}")]
    if equation.theory:
        separator = " · " if equation.anchors else ""
        summary += nodes.Text(f"{separator}a theorem: nothing computes it")
    worst = max((r.measurement for _, r in tests if r.measurement), key=lambda m: m.share, default=None)
    count = f"{len(tests)} tests" if len(tests) != 1 else "1 test"
    summary += nodes.Text(f" · {count} · {measured(worst)}")
    items = nodes.bullet_list()
    for test, result in tests:
        line = nodes.paragraph("", "", link(test.path, test.line, test.name))
        line += nodes.Text(
            f": {measured(result.measurement) if result.outcome == 'passed' else result.outcome}"
        )
        command = nodes.paragraph(
            "", "", nodes.literal("", f"python3 tests {test.test}"), classes=["command"]
        )
        items += nodes.list_item("", line, command)
    if score is not None:
        line = nodes.paragraph(
            "", f"small mistakes put into this code: {score.killed} of {score.tried} noticed"
        )
        line += nodes.Text(" (before the code was last changed)" if score.stale else "")
        command = nodes.literal("", f"python3 tests --mutate {equation.label}")
        items += nodes.list_item("", line, nodes.paragraph("", "", command, classes=["command"]))
    for place in equation.anchors[1:]:
        line = nodes.paragraph("", "also in ", link(place.path, place.line, f"{place.path}:{place.line}"))
        items += nodes.list_item("", line)
    return [
        nodes.raw("", '<details class="evidence"><summary>', format="html"),
        nodes.paragraph("", "", summary),
        nodes.raw("", "</summary>", format="html"),
        items,
        nodes.raw("", "</details>", format="html"),
    ]


def short(path: str) -> str:
    """A file of the package without the package's name."""
    return path.removeprefix("scratchgen/")


class AddEvidence(SphinxPostTransform):
    """Put the evidence below each numbered equation, and each formula of class ``evidence-of-<label>``."""

    default_priority = 500

    def run(self, **options: Any) -> None:
        for block in list(self.document.findall(nodes.math_block)):
            shown = [name.removeprefix(OF) for name in block["classes"] if name.startswith(OF)]
            label = shown[0] if shown else block.get("label")
            if label in self.app.equations:
                parent, place = block.parent, block.parent.index(block)
                parent[place + 1 : place + 1] = evidence(
                    self.app.equations[label], self.app.tests.results(), self.app.scores.get(label)
                )


class Ledger(SphinxDirective):
    """``{ledger}``: every numbered equation, chapter by chapter."""

    def run(self) -> list[nodes.Node]:
        found: list[nodes.Node] = []
        for chapter in equations.chapters(ROOT):
            text = chapter.read_text(encoding="utf-8")
            formulas = list(statements(text))
            if formulas:
                heading = re.search(r"^# (.+)$", text, re.MULTILINE)
                title = heading[1] if heading else chapter.stem
                section = nodes.section("", nodes.title("", title), ids=[nodes.make_id(f"of-{chapter.stem}")])
                for label, latex in formulas:
                    section += self.entry(label, latex)
                found.append(section)
        return found

    def entry(self, label: str, latex: str) -> nodes.Node:
        """One equation: number and label, formula, evidence."""
        reference = addnodes.pending_xref(
            "", nodes.inline("", label), refdomain="math", reftype="eq", reftarget=label, refwarn=True
        )
        reference["refdoc"] = self.env.docname
        head = nodes.paragraph(
            "", "", reference, nodes.Text(" "), nodes.literal("", label), classes=["entry-head"]
        )
        formula = nodes.math_block(latex, latex, nowrap=False, number=None, label=None, classes=[OF + label])
        return nodes.container("", head, formula, classes=["entry"], ids=[f"entry-{label}"])


def statements(text: str) -> Iterator[tuple[str, str]]:
    """Label and formula of each numbered equation of a chapter."""
    for block in equations.FENCE.finditer(text):
        if option := equations.OPTION.search(block["body"]):
            yield option[1], re.sub(r"^:\w+:.*\n", "", block["body"], flags=re.MULTILINE).strip()


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("ledger", Ledger)
    app.add_post_transform(AddEvidence)
    app.connect("builder-inited", begin, priority=300)
    app.connect("env-get-outdated", outdated)
    app.connect("env-check-consistency", check)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
