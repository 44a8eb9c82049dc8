"""The mutation of the package: what is broken, where, and that a broken line is noticed."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import equations
import pytest
from mutation import changes, command, mutants, record
from mutation.targets import statement, targets, twin

pytestmark = pytest.mark.host_only

needs_the_source = pytest.mark.skipif(
    not (equations.ROOT / "scratchgen").is_dir(), reason="the package's source is not beside the tests"
)
needs_the_loops = pytest.mark.skipif(
    not (equations.ROOT / "scratchgen/loops").is_dir(), reason="there are no loops"
)


def changed(code: str) -> set[str]:
    """What the mutants of one statement read, but for the one that leaves it out."""
    tree = ast.parse(code)
    made = mutants.mutants("a.py", code, list(tree.body))
    for mutant in made:
        compile(mutant.text, "a.py", "exec")
    return {ast.unparse(ast.parse(mutant.text)) for mutant in made} - {"None"}


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("f(a - b)", {"f(a + b)", "f(b - a)", "f(a)", "f(a.detach() - b)", "f(a - b.detach())"}),
        ("f(a + 3.0)", {"f(a - 3.0)", "f(a)", "f(3.0)", "f(a.detach() + 3.0)", "f(a + 6.0)", "f(a + 1.5)"}),
        ("f(u() / v())", {"f(u() * v())", "f(v() / u())", "f(u())"}),
        ("f(u() @ v())", {"f(v() @ u())", "f(u() * v())"}),
        ("f(u() << v())", {"f(u() >> v())"}),
        ("f(-a)", {"f(a)"}),
        ("f(a, b, c)", {"f(b, a, c)", "f(a, c, b)", "f(a, b)"}),
        ("f(a, sigma=s)", {"f(a)", "f(a, sigma=s - 1)", "f(a, sigma=s + 1)"}),
        ("x.sum(axis=0)", {"x.mean(axis=0)", "x.sum()", "x.sum(axis=1)", "x.sum(axis=-1)"}),
        ("np.maximum(a, b)", {"np.minimum(a, b)", "np.maximum(a)"}),
        ("f(0.5)", {"f(1.0)", "f(0.25)"}),
        ("f(2)", {"f(1)", "f(3)", "f(0.5)"}),
        ("f(True)", {"f(False)"}),
        ("a < b", {"a > b", "a <= b"}),
        ("f(x[t])", {"f(x[t - 1])", "f(x[t + 1])"}),
        ("raw(x)", {"x"}),
        ("x.detach()", {"x"}),
        ("f(x.T)", {"f(x)"}),
        ("q.rsample(rng)", {"q.sample(rng)"}),
        ("rng.normal(n)", {"rng.uniform(n)"}),
        ("x += y", {"x -= y", "x += -y", "x += 2 * y", "x += 0.5 * y", "x += y.detach()", "x"}),
        ("return_ = x", {f"return_ = {y}" for y in ("-x", "2 * x", "0.5 * x", "x.detach()")}),
        (
            "f(a if b < c else e)",
            {f"f({y})" for y in ("e if b < c else a", "a if b > c else e")}
            | {f"f(a if {y} else e)" for y in ("b <= c", "True", "False")},
        ),
        ("f(a and b)", {"f(a or b)"}),
        ("if a:\n    b", {"if not a:\n    b", "if True:\n    b", "if False:\n    b"}),
        ("for a in range(n):\n    b", {f"for a in range({y}):\n    b" for y in ("0 + 1, n", "0, n - 1")}),
        ("with no_grad():\n    a", {"with __import__('contextlib').nullcontext():\n    a"}),
        ("raise ValueError(a - b)", set()),
        ("if n < 1:\n    raise ValueError", set()),
        ("y = np.empty(n)", set()),
        ("f(a, out=y)", set()),
        ("check_size('n', n - 1)", set()),
        ("pieces = count_pieces(n, 1 << 15)", set()),
        ("x.reshape(-1)", set()),
        ("f(checks.whole('n', n, 1, T))", set()),
        ("x: f(1)", set()),
    ],
)
def test_every_small_mistake_is_made_once(code: str, expected: set[str]) -> None:
    assert changed(code) == expected


def test_a_statement_without_a_result_is_left_out() -> None:
    made = mutants.mutants("a.py", "x.update(y)", list(ast.parse("x.update(y)").body))
    assert [mutant.text for mutant in made] == ["(None)"]


def test_a_mutant_keeps_everything_else_to_the_byte() -> None:
    code = "ε = 1.5  # größer\ny = (a\n     - b)  # here\nz = 3\n"
    made = mutants.mutants("a.py", code, [ast.parse(code).body[1]])
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
@needs_the_loops
def test_behind_a_formula_are_its_loop_and_what_that_calls() -> None:
    names = {function.name for _, function in twin("scratchgen/optim/adam.py", "adam")}
    assert {"adam"} < names
    known = equations.find()
    (formula, loop) = targets(known["adam-step"])
    assert (formula.path, loop.path) == ("scratchgen/optim/adam.py", "scratchgen/loops/optim/adam.py")
    assert [function.name for function in formula.around] == ["adam"]
    assert all("/loops/" not in target.path for target in targets(known["vae-elbo"]))


VERDICTS = """
import sys
sys.path.insert(0, 'tests')
import equations
from mutation import run
from mutation.mutants import Mutant

def job(path, before, after, seconds=30):
    text = (equations.ROOT / path).read_text()
    assert before in text
    return run.Job(Mutant(path, 1, before, after, '', text.replace(before, after)), tests, seconds)

def work(collected):
    for outcome in collected.run([run.Job(None, tests), *jobs], 2):
        print(outcome.job.mutant and outcome.job.mutant.after, outcome.verdict)

tests = tuple(place.test for place in equations.find()['softplus'].tests)
fused = 'scratchgen/autograd/fused.py'
formula = 'np.log1p(np.exp(-np.abs(x)))'
jobs = [
    job(fused, formula, 'np.log1p(np.exp(np.abs(x)))'),
    job(fused, formula, '(np.log1p(np.exp(-np.abs(x))))'),
    job(fused, formula, '[x for y in iter(int, 1)]', 1),
    job(fused, formula, 'np.zeros(1 << 40)'),
    job(fused, 'import numpy as np', 'import nampy as np'),
]
run.collected(tests, work)
"""


@needs_the_source
def test_a_mutant_is_noticed_by_the_tests_of_its_label_and_the_code_itself_passes() -> None:
    """In a process of its own, for it forks; a mutant that hangs or asks for all memory dies of that."""
    command = [sys.executable, "-c", VERDICTS]
    made = subprocess.run(command, cwd=equations.ROOT, check=True, capture_output=True, text=True)
    assert sorted(made.stdout.splitlines()) == sorted(
        [
            "None survived",
            "np.log1p(np.exp(np.abs(x))) killed",
            "(np.log1p(np.exp(-np.abs(x)))) survived",
            "[x for y in iter(int, 1)] killed, by time",
            "np.zeros(1 << 40) killed",
            "import nampy as np killed",
        ]
    )


@needs_the_source
@needs_the_loops
def test_each_mutant_called_equivalent_still_exists_and_has_a_reason() -> None:
    known = equations.find()
    made = {trial.mutant.key for trial in command.trials(list(known.values()), known, False)}
    listed = record.reasons()
    loops = {path for path, *_ in listed if "/loops/" in path}
    for equation in known.values():
        for target in targets(equation):
            if target.path in loops:
                made |= {m.key for m in mutants.mutants(target.path, target.text, target.pieces)}
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
    assert changes.lines("HEAD") == {"scratchgen/a.py": {2, 5}}
    assert changes.lines("no-such-commit") is None
    assert changes.base() is None  # a history of one commit
    first = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout
    for message in ("second", "third"):
        subprocess.run([*git, "commit", "-qam", message, "--allow-empty"], check=True)
        assert changes.base() == changes._git("rev-parse", "HEAD~1")
    subprocess.run([*git, "update-ref", "refs/remotes/origin/main", first.strip()], check=True)
    assert changes.base() == first.strip()


@needs_the_source
def test_an_unknown_label_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["no-such-equation"]) == 2
    assert "no equation named no-such-equation" in capsys.readouterr().out
    assert command.main(["vae-elbow"]) == 2
    assert "did you mean vae-elbo" in capsys.readouterr().out


@needs_the_source
def test_the_record_counts_the_mutants_of_code_that_stands(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(record, "RECORD", tmp_path / "record.json")
    known = equations.find(root)
    record.write([(("of-a-function",), True), (("of-a-function", "second-share"), False)], known)
    assert {label: str(score) for label, score in record.scores(known).items()} == {
        "of-a-function": "1 of 2",
        "second-share": "0 of 1",
    }
    (root / "scratchgen" / "a.py").write_text(CODE.lstrip().replace("x + 1", "x + 2"), encoding="utf-8")
    now = equations.find(root)
    assert {label: str(score) for label, score in record.scores(now).items()} == {
        "of-a-function": "1 of 2*",
        "second-share": "0 of 1",
    }
    record.write([(("of-a-function",), True)], now)
    assert str(record.scores(now)["of-a-function"]) == "1 of 1"


@needs_the_source
def test_the_record_has_every_equation_and_no_mutant_that_lives() -> None:
    """Of a new one `python3 tests --mutate LABEL --write` puts it there; most of the code still stands."""
    known = equations.find()
    scores = record.scores(known)
    computed = {label for label, equation in known.items() if not equation.theory}
    assert computed - set(scores) == set(), "run: python3 tests --mutate LABEL ... --write"
    assert {label: str(score) for label, score in scores.items() if score.killed < score.tried} == {}
    stale = {label for label, score in scores.items() if score.stale}
    assert len(stale) <= 0.2 * len(computed), sorted(stale)
