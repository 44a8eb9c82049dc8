"""`python3 tests --ledger`: run the tests that verify an equation, and print what each of them measured.

A plugin of pytest, which `conftest` registers. The numbers can also be written to a file (``--ledger-file``),
from which the book takes them.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import equations
import measurements
import pytest
from measurements import Measurement
from mutation import record

LUCK = 0.9
"""The share of its tolerance from which on a test is said to pass by luck."""


@dataclass
class Result:
    """Of one test, over all its parameters: whether it passed, and the error nearest to its tolerance."""

    outcome: str
    measurement: Measurement | None

    def join(self, other: Result) -> Result:
        """The two as one: the worse outcome, the larger share of a tolerance (None: nothing measured)."""
        order = ["passed", "skipped", "failed"]
        both = [self.measurement, other.measurement]
        worst = None if None in both else max(both, key=lambda measurement: measurement.share)
        return Result(max(self.outcome, other.outcome, key=order.index), worst)


class Ledger:
    """Select the tests with an equation, gather what they measure, and print the table at the end."""

    def __init__(self, file: str | None) -> None:
        self.file = file
        self.results: dict[str, Result] = {}
        self.known = equations.find()

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        others = [item for item in items if not item.get_closest_marker("equation")]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item.get_closest_marker("equation")]

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: Any) -> Iterator[None]:
        report = yield
        if report.when == "call" or report.outcome != "passed":
            test = item.nodeid.partition("[")[0]
            result = Result(report.outcome, measurements.largest())
            self.results[test] = self.results[test].join(result) if test in self.results else result
        return report

    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        if self.file:
            Path(self.file).write_text(json.dumps(as_json(self.results), indent=1) + "\n", encoding="utf-8")
        if exitstatus == pytest.ExitCode.OK and self.faults():
            session.exitstatus = pytest.ExitCode.TESTS_FAILED

    def pytest_terminal_summary(self, terminalreporter: pytest.TerminalReporter) -> None:
        terminalreporter.section("ledger")
        for line in table(self.known, self.results):
            terminalreporter.line(line)
        for fault in self.faults():
            terminalreporter.line(fault, red=True)

    def faults(self) -> list[str]:
        """What is out of order with the equations and with the tests that ran."""
        return equations.faults(self.known) + faults(self.results)


def faults(results: dict[str, Result]) -> list[str]:
    """The tests that did not pass, that compared nothing which has a tolerance, or that passed by luck.

    Standard errors are of chance: of many means one may be four of them off, where five are allowed.
    """
    found = []
    for test, result in sorted(results.items()):
        measured = result.measurement
        if result.outcome != "passed":
            found.append(f"{test}: {result.outcome}")
        elif measured is None:
            found.append(f"{test}: measured nothing; compare by tools.assert_close or estimates.assert_mean")
        elif measured.unit != "standard errors" and measured.share > LUCK:
            found.append(
                f"{test}: off by {measured}, which is luck; compare with what is expected to be left"
            )
    return found


def table(known: dict[str, equations.Equation], results: dict[str, Result]) -> list[str]:
    """A line for each equation and each test of it that ran."""
    rows = []
    scores = record.scores(known)
    for equation in known.values():
        head = (
            equation.label,
            Path(equation.chapters[0].path).stem if equation.chapters else "-",
            "theory" if equation.theory else str(equation.anchors[0]) if equation.anchors else "-",
        )
        for test in equation.tests:
            if test.test in results:
                result = results[test.test]
                measured = "measured nothing" if result.measurement is None else str(result.measurement)
                measured = measured if result.outcome == "passed" else result.outcome
                score = scores.get(head[0])
                rows.append((*head, str(test), measured, str(score) if score else ""))
                head = ("", "", "")
    if not rows:
        return ["No test of an equation ran."]
    titles = ("equation", "chapter", "code", "test", "error of tolerance", "mutants")
    widths = [max(map(len, column)) for column in zip(titles, *rows, strict=True)]
    lines = ["  ".join(map(str.ljust, row, widths)).rstrip() for row in (titles, *rows)]
    ran = [equation for equation in known.values() if any(t.test in results for t in equation.tests)]
    theory = sum(equation.theory for equation in ran)
    sums = f"{len(ran) - theory} equations and {theory} theorems, verified by {len(results)} tests"
    return [*lines, "", sums, record.summary(scores)]


def as_json(results: dict[str, Result]) -> dict[str, Any]:
    """The results in the form of the file."""
    return {
        test: {"outcome": result.outcome, "measurement": result.measurement and asdict(result.measurement)}
        for test, result in sorted(results.items())
    }


def from_json(entries: dict[str, Any]) -> dict[str, Result]:
    """What `as_json` made, read again."""
    return {
        test: Result(entry["outcome"], Measurement(**entry["measurement"]) if entry["measurement"] else None)
        for test, entry in entries.items()
    }
