"""Exercises: every one has its gap, its hints and its grade; the equation's own tests say what is wrong."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

from demos import _exercise as exercise, _exercise_gaps as gaps

pytestmark = [
    pytest.mark.host_only,
    pytest.mark.skipif(
        not (exercise.ROOT / "scratchgen").is_dir(), reason="the package's source is not beside the tests"
    ),
]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the copies go."""
    monkeypatch.setattr(exercise, "FOLDER", tmp_path / "exercises")
    monkeypatch.setattr(exercise, "PROGRESS", tmp_path / "exercises/progress.json")
    return tmp_path / "exercises"


def test_there_are_many_in_the_book_s_order_and_each_has_its_gap(folder: Path) -> None:
    known = exercise.exercises()
    assert len(known) >= 60
    order = [label for label in exercise.equations.find() if label in known]
    assert list(known) == order
    for label, one in known.items():
        text = one.with_gaps()
        ast.parse(text)
        assert text.count("\n") <= one.text.count("\n")
        assert f"({label})" in text
        for solution in one.solutions:
            gaps.parsed(solution)
            assert solution in one.text
        ladder = exercise.hints(one)
        assert len(ladder) == 4
        assert all(hint.strip() for hint in ladder)
        assert " ".join(one.solutions[0].split()) in ladder[-1]
    grades = {one.stars for one in known.values()}
    assert grades == {"*", "**", "***"}


def test_the_list_is_graded_and_says_what_is_solved(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    exercise.note("kl-normal", solved=1)
    assert exercise.main(["--list"]) == 0
    out = capsys.readouterr().out
    line = next(line for line in out.splitlines() if " kl-normal " in line)
    assert line.split()[0] == "+"
    assert "1 solved" in out
    assert out.index("naive bayes") < out.index("vae")


def test_an_exercise_from_the_first_call_to_the_last(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    label = "additive-smoothing"
    one = exercise.exercises()[label]

    def said(*flags: str) -> str:
        exercise.main([label, *flags])
        return capsys.readouterr().out

    assert "is a copy of " + one.path in said()
    assert "is still empty" in said()
    numbers = [said("--hint").partition(".")[0] for _ in range(5)]
    assert numbers == [f"Hint {number} of 4" for number in (1, 2, 3, 4, 4)]
    place = one.gaps[-1]
    wrong = f"{one.text[: place.start]}2 * ({one.solutions[-1]}){one.text[place.end :]}"
    exercise.file_of(one).write_text(wrong, encoding="utf-8")
    wrong = said()
    assert "Not yet. The test says:" in wrong
    assert "xpected" in wrong
    assert f"A hint: python3 demos exercise {label} --hint" in wrong
    exercise.file_of(one).write_text(one.text, encoding="utf-8")
    right = said()
    assert right.startswith("Right: ")
    assert "The next: python3 demos exercise" in right
    assert exercise.progress()[label]["solved"] == 1


def test_what_is_not_understood(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert exercise.main(["kl-norml"]) == 1
    assert "Did you mean kl-normal?" in capsys.readouterr().out
    assert exercise.main(["kl-normal", "--what"]) == 1
    exercise.main(["kl-normal"])
    one = exercise.exercises()["kl-normal"]
    exercise.file_of(one).write_text("def f(:\n", encoding="utf-8")
    right, said = exercise.check(one)
    assert not right
    assert said.startswith("Line 1 of your copy is not Python: ")


def test_a_gap_is_the_expression_whatever_stands_before_it() -> None:
    text = "κ = 1\ndef f(x):\n    é = (\n        x + κ\n    )  # (two-lines)\n    return é  # (one-line)\n"
    places = [exercise.gap(text, line) for line in (5, 6)]
    assert [text[place.start : place.end] for place in places if place] == ["x + κ", "é"]
    assert exercise.gap("if x:  # (a-test)\n    pass\n", 1) is None
