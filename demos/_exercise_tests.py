"""A plugin of pytest: the learner's copy is imported instead of a module, and a failure is said in words."""

from __future__ import annotations

import importlib.abc
import importlib.machinery
import importlib.util
import json
import linecache
import os
import re
import sys
import traceback
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

MODULE, COPY, TOLD = json.loads(os.environ.get("SCRATCHGEN_EXERCISE", '["", "", ""]'))  # unset: no exercise
DIFFER = re.compile(
    r"(\d+) of (\d+) elements differ; the worst(?: at (\([^)]*\)))?: actual (\S+), desired (\S+?),? ",
    re.DOTALL,
)


class Copy(importlib.abc.MetaPathFinder):
    """Finds the module's code in the copy."""

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        return importlib.util.spec_from_file_location(name, COPY) if name == MODULE else None


if MODULE:
    sys.meta_path.insert(0, Copy())


def in_words(error: BaseException) -> str:
    """What is wrong: what was expected and got, and where; or where in the copy an error arose."""
    lines = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename == COPY]
    message = str(error).strip()
    if found := DIFFER.search(message + " "):
        count, of, place, got, expected = found.groups()
        where = f" at {place}" if place else ""
        return f"Expected {expected}, got {got}{where}; {count} of {of} numbers differ."
    if lines and not isinstance(error, AssertionError):
        line = lines[-1].lineno or 0
        return (
            f"Line {line} of your copy, {linecache.getline(COPY, line).strip()!r}: "
            f"{type(error).__name__}: {message.splitlines()[0] if message else ''}"
        )
    return message.partition("\nassert ")[0][:600] or type(error).__name__


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[Any]) -> Iterator[None]:
    """Note of the first failure what the learner should read."""
    report = yield
    if call.excinfo is not None and not call.excinfo.errisinstance(pytest.skip.Exception):
        name = item.name.partition("[")[0].removeprefix("test_").replace("_", " ")
        said = f"Not yet. The test says: {name}.\n{in_words(call.excinfo.value)}"
        Path(TOLD).write_text(said, encoding="utf-8")
    return report


def pytest_collectreport(report: pytest.CollectReport) -> None:
    """Note that the copy cannot be imported."""
    if report.failed:
        Path(TOLD).write_text(
            f"Your copy cannot be imported:\n{str(report.longrepr)[-800:]}", encoding="utf-8"
        )
