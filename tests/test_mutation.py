"""The mutation of the package: what is broken, where, and that a broken line is noticed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import equations
import pytest
from mutation import command, operators
from mutation.targets import statement, targets

pytestmark = pytest.mark.host_only

needs_the_source = pytest.mark.skipif(
    not (equations.ROOT / "scratchgen").is_dir(), reason="the package's source is not beside the tests"
)


def changed(code: str) -> set[str]:
    """What the mutants of one statement read."""
    tree = ast.parse(code)
    made = operators.mutants("a.py", code, list(tree.body))
    for mutant in made:
        compile(mutant.text, "a.py", "exec")
    return {ast.unparse(ast.parse(mutant.text)) for mutant in made}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("f(a - b)", {"f(a + b)", "f(b - a)", "f(a)"}),
        ("f(a + b)", {"f(a - b)", "f(a)", "f(b)"}),
        ("f(a / b)", {"f(a * b)", "f(b / a)", "f(a)"}),
        ("f(a @ b)", {"f(b @ a)"}),
        ("f(-a)", {"f(a)"}),
        ("f(a, b, c)", {"f(b, a, c)", "f(a, c, b)"}),
        ("f(a, sigma=s)", {"f(a)", "f(a, sigma=s - 1)", "f(a, sigma=s + 1)"}),
        ("x.sum(axis=0)", {"x.mean(axis=0)", "x.sum()", "x.sum(axis=1)", "x.sum(axis=-1)"}),
        ("np.maximum(a, b)", {"np.minimum(a, b)"}),
        ("f(0.5)", {"f(1.0)"}),
        ("f(True)", {"f(False)"}),
        ("a < b", {"a > b", "a <= b"}),
        ("f(x[t])", {"f(x[t - 1])", "f(x[t + 1])"}),
        ("raw(x)", {"x"}),
        ("x.detach()", {"x"}),
        ("x += y", {"x -= y", "x += -y", "x += 2 * y", "x += 0.5 * y"}),
        ("return_ = x", {"return_ = -x", "return_ = 2 * x", "return_ = 0.5 * x"}),
        ("f(a if c else b)", {"f(b if c else a)"}),
        ("f(a and b)", {"f(a or b)"}),
        ("raise ValueError(a - b)", set()),
        ("if n < 1:\n    raise ValueError", set()),
        ("y = np.empty(n)", set()),
        ("f(a, out=y)", set()),
        ("check_size('n', n - 1)", set()),
        ("x: f(1)", set()),
    ],
)
def test_every_small_mistake_is_made_once(code: str, expected: set[str]) -> None:
    assert changed(code) == expected


def test_a_mutant_keeps_everything_else_to_the_byte() -> None:
    code = "ε = 1.5  # größer\ny = (a\n     - b)  # here\nz = 3\n"
    made = operators.mutants("a.py", code, [ast.parse(code).body[1]])
    assert "ε = 1.5  # größer\ny = (((a) + (b)))  # here\nz = 3\n".replace("((a) + (b))", "(a + b)") in {
        mutant.text for mutant in made
    }
    assert all(mutant.text.startswith("ε = 1.5  # größer\n") for mutant in made)
    assert all(mutant.text.endswith("# here\nz = 3\n") for mutant in made)


CODE = '''
"""A module.

    y = x - 1                     (of-the-module)
"""

@primitive(  # (both-shares)
    lambda g, y, x: g - y,
    lambda g, y, x: g + y,  # (second-share)
)
def f(x):
    """Twice.

    y = 2 x                   (in-a-docstring)
    """
    return 2 * x


def g(x):  # (of-a-function)
    y = x + 1
    return y  # (of-a-statement) (of-another)
'''


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(equations, "ROOT", tmp_path)
    (tmp_path / "scratchgen").mkdir()
    (tmp_path / "scratchgen" / "a.py").write_text(CODE.lstrip(), encoding="utf-8")
    return tmp_path


@pytest.mark.parametrize(
    ("label", "pieces"),
    [
        ("in-a-docstring", []),
        ("second-share", ["lambda g, y, x: g + y"]),
        ("both-shares", ["primitive(lambda g, y, x: g - y, lambda g, y, x: g + y)"]),
        ("of-a-statement", ["return y"]),
        ("of-another", ["return y"]),
    ],
)
def test_a_label_names_the_statement_that_ends_in_it(root: Path, label: str, pieces: list[str]) -> None:
    equation = equations.find(root)[label]
    found = [ast.unparse(piece) for target in targets(equation) for piece in target.pieces]
    assert found == pieces


def test_a_label_of_a_function_means_all_of_it(root: Path) -> None:
    (target,) = targets(equations.find(root)["of-a-function"])
    (piece,) = target.pieces
    assert isinstance(piece, ast.FunctionDef)
    assert piece.name == "g"


def test_the_innermost_statement_of_a_line_is_meant() -> None:
    tree = ast.parse("if a:\n    for b in c:\n        d = e\n")
    assert ast.unparse(statement(tree, 3)) == "d = e"


@needs_the_source
def test_a_mutant_is_noticed_by_the_tests_of_its_label_and_the_code_itself_passes() -> None:
    """In a process of its own: a run forks, and the parent may not have imported the package."""
    script = (
        "import sys; sys.path.insert(0, 'tests')\n"
        "import ast, equations\n"
        "from mutation import run\n"
        "from mutation.operators import Mutant\n"
        "known = equations.find()['softplus']\n"
        "path = known.code[0].path\n"
        "text = (equations.ROOT / path).read_text()\n"
        "broken = text.replace('np.log1p(np.exp(-np.abs(x)))', 'np.log1p(np.exp(np.abs(x)))')\n"
        "assert broken != text\n"
        "tests = tuple(place.test for place in known.tests)\n"
        "jobs = [run.Job(None, tests, 300.0), run.Job(Mutant(path, 1, 'a', 'b', broken), tests, 300.0)]\n"
        "verdicts = {o.job.mutant is None: o.verdict for o in run.run(jobs, 2)}\n"
        "assert verdicts == {True: run.SURVIVED, False: run.KILLED}, verdicts\n"
    )
    subprocess.run([sys.executable, "-c", script], cwd=equations.ROOT, check=True)


@needs_the_source
def test_each_mutant_called_equivalent_still_exists_and_has_a_reason() -> None:
    made = {
        mutant.key for equation in equations.find().values() for mutant in command.of_equation(equation, None)
    }
    listed = command.reasons()
    assert set(listed) <= made
    assert all(len(reason) > 20 for reason in listed.values())


def test_lines_changed_since_a_commit_are_those_of_the_diff(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(equations, "ROOT", tmp_path)
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    (tmp_path / "scratchgen").mkdir()
    file = tmp_path / "scratchgen" / "a.py"
    file.write_text("1\n2\n3\n4\n", encoding="utf-8")
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "first"]):
        subprocess.run([*git, *arguments], check=True)
    file.write_text("1\ntwo\n3\n4\n5\n", encoding="utf-8")
    assert command.changed_lines("HEAD") == {"scratchgen/a.py": {2, 5}}


@needs_the_source
def test_an_unknown_label_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["no-such-equation"]) == 2
    assert "no equation named no-such-equation" in capsys.readouterr().out
