"""Every numbered equation has a chapter, a line of code and a test; and the ledger notices if one has not."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from pathlib import Path

import equations
import ledger
import measurements
import numpy as np
import pytest
from equations import Equation, Place
from estimates import assert_mean
from ledger import Result
from measurements import Measurement
from tools import assert_at_most, assert_close

from scratchgen.autograd import check_gradients, exp

pytestmark = pytest.mark.host_only

BOOK = equations.ROOT / "docs" / "chapters"


@pytest.mark.skipif(not BOOK.is_dir(), reason="the book is not beside the tests")
@pytest.mark.skipif(
    not (equations.ROOT / "scratchgen").is_dir(), reason="the package's source is not beside the tests"
)
def test_every_equation_of_the_book_has_code_and_tests() -> None:
    known = equations.find()
    assert equations.faults(known) == []
    assert len(known) >= 80


@pytest.mark.skipif(not BOOK.is_dir(), reason="the book is not beside the tests")
@pytest.mark.skipif(
    not (equations.ROOT / "scratchgen").is_dir(), reason="the package's source is not beside the tests"
)
def test_the_first_page_does_not_count_more_than_there_are() -> None:
    known, chapters = equations.find(), equations.chapters()
    theorems = sum(equation.theory for equation in known.values())
    told = re.compile(r"(\d+)\s+chapters,\s+more\s+than\s+(\d+)\s+equations\s+and\s+(\d+)\s+theorems")
    for page in ("README.md", "CHANGELOG.md"):
        found = told.search((equations.ROOT / page).read_text(encoding="utf-8"))
        assert found, f"{page} does not say how many there are"
        assert int(found[1]) <= len(chapters)
        assert int(found[2]) < len(known) - theorems
        assert int(found[3]) <= theorems


def project(root: Path, chapter: str, code: str, test: str) -> dict[str, Equation]:
    for path, text in {
        "docs/chapters/a.md": chapter,
        "scratchgen/a.py": code,
        "tests/test_a.py": test,
    }.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text, encoding="utf-8")
    return equations.find(root)


CHAPTER = "# A\n\n```{math}\n:label: one-two\nx = y\n```\n"
DOCSTRING = '"""A.\n\n    x = y                (one-two)\n"""\n'
CODE = DOCSTRING + "x = 2 * y  # (one-two)\n"
TEST = 'import pytest\n\n@pytest.mark.equation("one-two")\ndef test_it():\n    pass\n'


def test_the_three_places_of_an_equation_are_found(tmp_path: Path) -> None:
    assert project(tmp_path, CHAPTER, CODE, TEST) == {
        "one-two": Equation(
            "one-two",
            [Place("docs/chapters/a.md", 3)],
            [Place("scratchgen/a.py", 3)],
            [Place("tests/test_a.py", 4, "test_it")],
            [Place("scratchgen/a.py", 5)],
        )
    }


THEOREM = CHAPTER.replace(":label:", ":class: theory\n:label:")


def test_a_theorem_has_tests_and_no_code(tmp_path: Path) -> None:
    known = project(tmp_path, THEOREM, "", TEST)
    assert known["one-two"].theory
    assert equations.faults(known) == []


def test_the_anchor_of_an_equation_is_the_statement_that_computes_it(tmp_path: Path) -> None:
    known = project(tmp_path, CHAPTER, CODE, TEST)
    assert [place.line for place in known["one-two"].anchors] == [5]


@pytest.mark.parametrize(
    ("chapter", "code", "test", "fault"),
    [
        (CHAPTER, CODE, TEST, ""),
        (
            THEOREM,
            CODE,
            TEST,
            "docs/chapters/a.md:3: one-two is called theory, but scratchgen/a.py:5 computes it",
        ),
        ("", CODE, TEST, "scratchgen/a.py:3: no chapter states the equation one-two"),
        (CHAPTER, DOCSTRING, TEST, r"docs/chapters/a.md:3: no statement of the code ends in # \(one-two\)"),
        (CHAPTER, CODE, "", 'docs/chapters/a.md:3: no test is marked equation."one-two".'),
        (
            2 * CHAPTER,
            CODE,
            TEST,
            "docs/chapters/a.md:9: the label one-two is taken, by docs/chapters/a.md:3",
        ),
        (
            CHAPTER,
            CODE,
            TEST.replace("one-two", "other"),
            "tests/test_a.py:4: no chapter states the equation other",
        ),
        (CHAPTER.replace("one-two", "One_two"), "", "", "'One_two' is no label"),
    ],
    ids=["nothing", "theory", "chapter", "code", "test", "one meaning", "equation", "form"],
)
def test_what_is_missing_is_named(tmp_path: Path, chapter: str, code: str, test: str, fault: str) -> None:
    found = equations.faults(project(tmp_path, chapter, code, test))
    if fault:
        assert re.search(fault, "\n".join(found))
    else:
        assert found == []


CARRIERS = {
    "RandomStream",
    "asarray",
    "asnumpy",
    "to_device",
    "tensor",
}  # they move numbers, and compute none


def names_of_the_package(tree: ast.Module) -> tuple[set[str], dict[str, ast.AST]]:
    """What a file of tests imports from the package, or from helpers that use it; and what it defines."""
    imported: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported |= {a.asname or a.name for a in node.names if a.name.startswith("scratchgen")}
        elif isinstance(node, ast.ImportFrom):
            file = equations.ROOT / "tests" / f"{(node.module or '').replace('.', '/')}.py"
            helper = file.stem not in ("tools", "estimates") and file.exists()
            if (node.module or "").partition(".")[0] == "scratchgen" or helper:
                imported |= {a.asname or a.name for a in node.names}
    defined: dict[str, ast.AST] = {}
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            defined[node.name] = node
        elif isinstance(node, ast.Assign):
            targets = [part for target in node.targets for part in ast.walk(target)]
            defined |= {part.id: node for part in targets if isinstance(part, ast.Name)}
    return imported, defined


def calls_the_package(test: str, imported: set[str], defined: dict[str, ast.AST]) -> bool:
    """Whether a test, or what it uses of its file, names something of the package that computes."""
    waiting, seen = [test], {test}
    while waiting:
        for node in ast.walk(defined[waiting.pop()]):
            if isinstance(node, ast.Attribute) and ast.unparse(node.value) in imported:
                if node.attr not in CARRIERS:
                    return True
            elif isinstance(node, ast.Name) and node.id in imported - CARRIERS - {"sg"}:
                return True
            elif isinstance(node, ast.Name) and node.id in defined and node.id not in seen:
                seen.add(node.id)
                waiting.append(node.id)
    return False


@pytest.mark.skipif(not BOOK.is_dir(), reason="the book is not beside the tests")
def test_every_test_of_an_equation_calls_the_package() -> None:
    """One that writes the formula down twice and compares the two would prove nothing about the code."""
    tests: dict[str, set[str]] = {}
    for equation in equations.find().values():
        for place in equation.tests:
            tests.setdefault(place.path, set()).add(place.name)
    idle = []
    for path, names in tests.items():
        imported, defined = names_of_the_package(ast.parse((equations.ROOT / path).read_text("utf-8")))
        idle += [f"{path}::{name}" for name in names if not calls_the_package(name, imported, defined)]
    assert idle == []


def test_a_test_that_compares_a_formula_with_itself_is_found() -> None:
    code = """
import scratchgen as sg
from tools import assert_close

def square(x):
    return sg.exp(x) ** 2

def test_idle():
    assert_close(sg.asarray(2.0) ** 2, 4.0)

def test_calls():
    assert_close(square(0.0), 1.0)
"""
    imported, defined = names_of_the_package(ast.parse(code))
    assert calls_the_package("test_calls", imported, defined)
    assert not calls_the_package("test_idle", imported, defined)


def test_words_in_parentheses_are_no_labels() -> None:
    text = (
        "the rest (one-two) of a line\n# ends in one (one-two)\n    f(one)\n    x = y  (one-two)\n  (three)\n"
    )
    assert equations.in_code(text) == [("one-two", 4, ""), ("three", 5, "")]


def test_marks_of_parameters_count() -> None:
    text = (
        "@pytest.mark.parametrize('x', [1, pytest.param(2, marks=pytest.mark.equation('b'))])\n"
        "@pytest.mark.equation('a')\ndef test_it(x): ...\n@pytest.mark.equation('c')\ndef helper(): ...\n"
    )
    assert sorted(equations.in_tests(text)) == [("a", 3, "test_it"), ("b", 3, "test_it")]


def measured() -> Measurement:
    found = measurements.largest()
    assert found is not None
    return found


def test_comparisons_record_the_error_nearest_to_its_tolerance() -> None:
    assert measurements.largest() is None
    assert_close([1.0, 2.0], [1.0, 2.0], rtol=0)
    assert str(measured()) == "exact"
    assert_close([1.0, 2.0 + 2e-9], [1.0, 2.0], rtol=1e-8)
    assert measured().unit == "relative"
    np.testing.assert_allclose((measured().error, measured().tolerance), (1e-9, 1e-8), rtol=1e-6)
    assert_close([0.0, 1e-3], [0.0, 0.0], atol=2e-3)
    assert measured() == Measurement(1e-3, 2e-3)
    assert_close(1.0, 1.0 + 1e-9)  # a smaller share of its tolerance
    assert measured() == Measurement(1e-3, 2e-3)


def test_means_gradients_and_bounds_are_recorded_too() -> None:
    assert_mean(np.array([0.0, 2.0, 4.0]), 1.0)  # standard deviation 2, mean 2
    assert measured().unit == "standard errors"
    np.testing.assert_allclose(measured().error, 3**0.5 / 2, rtol=1e-6)
    measurements.begin()
    check_gradients(exp, [0.1])
    assert measured().unit == "relative"
    assert 0 < measured().error < measured().tolerance == 1e-7
    assert_at_most([0.1, 4.0], 5.0, "standard errors")
    assert measured() == Measurement(4.0, 5.0, "standard errors")


def test_a_comparison_that_fails_records_nothing() -> None:
    with pytest.raises(AssertionError):
        assert_close(1.0, 2.0)
    with pytest.raises(AssertionError, match="the error 2 is above 1 standard errors"):
        assert_at_most(2.0, 1.0, "standard errors")
    assert measurements.largest() is None


def test_who_passes_by_luck_is_named() -> None:
    results = {
        "a": Result("passed", Measurement(0.0293, 0.03, "relative")),
        "b": Result("passed", Measurement(0.02, 0.03, "relative")),
        "c": Result("passed", Measurement(4.9, 5.0, "standard errors")),
    }
    (fault,) = ledger.faults(results)
    assert fault.startswith("a: off by 0.029 of 0.03 relative, which is luck")


def test_results_of_one_test_are_joined_to_the_worst() -> None:
    small, large = Result("passed", Measurement(1.0, 10.0)), Result("passed", Measurement(1.0, 2.0))
    assert small.join(large) == large.join(small) == large
    assert small.join(Result("failed", None)) == Result("failed", None)
    assert ledger.from_json(ledger.as_json({"a": small, "b": Result("failed", None)})) == {
        "a": small,
        "b": Result("failed", None),
    }


EXAMPLE = """
import pytest
from tools import assert_close

@pytest.mark.equation("vae-elbo")
@pytest.mark.parametrize("x", [1.0, 1.0 + 1e-9])
def test_measures(x):
    assert_close(x, 1.0, rtol=1e-8)

@pytest.mark.equation("vae-elbo")
def test_measures_nothing():
    assert True

def test_has_no_equation():
    raise AssertionError
"""


@pytest.mark.slow
def test_the_command_runs_marked_tests_only_and_writes_what_they_measure(tmp_path: Path) -> None:
    file, out = Path(__file__).with_name("test_example_of_the_ledger.py"), tmp_path / "ledger.json"
    file.write_text(EXAMPLE, encoding="utf-8")
    try:
        command = [sys.executable, "-m", "pytest", "-q", "--ledger", "--ledger-file", str(out), str(file)]
        process = subprocess.run(command, capture_output=True, text=True, cwd=equations.ROOT)
    finally:
        file.unlink()
    results = ledger.from_json(json.loads(out.read_text(encoding="utf-8")))
    name = f"tests/{file.name}::test_measures"
    assert set(results) == {name, f"{name}_nothing"}
    assert results[name].measurement is not None
    np.testing.assert_allclose(results[name].measurement.error, 1e-9, rtol=1e-6)
    assert results[f"{name}_nothing"].measurement is None
    assert f"{name}_nothing: measured nothing" in process.stdout
    assert process.returncode == 1
