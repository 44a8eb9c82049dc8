"""The command line of lessons: options, their defaults, and what resuming does."""

from __future__ import annotations

import importlib
import re
import shlex
from dataclasses import fields
from pathlib import Path
from types import ModuleType
from typing import Any, get_args, get_type_hints

import numpy as np
import pytest

import scratchgen as sg
from demos import _lesson, _options, autoregressive, avatars, ddpm, gan, naive_bayes, tour, vae
from demos.__main__ import lessons
from scratchgen.training import Run, fit

pytestmark = pytest.mark.host_only

FOLDER = Path(_lesson.__file__).parent


def lesson(options: _lesson.Options, run: Run) -> None:
    """A straight line, in two parts, with a page."""
    for part in ("first", "second"):
        line = sg.nn.Linear(1, 1)
        x = np.linspace(-1, 1, 16, dtype=np.float32)[:, None]
        here = run.part(part)
        rows = fit(
            lambda x, rng, line=line: ((line(x) - 3 * x) ** 2).mean(),
            x,
            sg.optim.SGD(line.parameters(), 0.1),
            steps=options.steps or 3,
            model=line,
            run=here,
            resume=_lesson.resumption(here),
            quiet=True,
        )
        run.section(part, numbers={"loss": f"{rows[-1]['loss']:.3f} (0 is best)"})


def call(*argv: str) -> None:
    _lesson.main("line", "A line", _lesson.Options, lesson, list(argv))


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file): file.read_bytes() for file in sorted(folder.rglob("*")) if file.is_file()}


def test_a_run_ends_with_the_absolute_path_and_the_command_works(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    call("--steps", "4", "--batch-size", "8")
    page = Path(capsys.readouterr().out.splitlines()[-1])
    assert page.is_absolute()
    text = page.read_text()
    assert "python3 demos line --data digits --seed 0 --device auto --steps 4 --batch-size 8" in text
    assert "None" not in text


def test_a_finished_run_stays_as_it_is_unless_more_steps_are_asked_for(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    call("--out", str(tmp_path), "--steps", "4")
    (folder,) = tmp_path.iterdir()
    before = contents(folder)
    call("--resume", str(folder))
    assert contents(folder) == before
    assert "This run is finished, and nothing was changed." in capsys.readouterr().out
    call("--resume", str(folder), "--steps", "6")
    assert contents(folder) != before


def test_a_command_is_resumed_by_the_same_words_and_the_folder() -> None:
    began = vae.Options(data="mnist", published=True, steps=4)
    again = _options.parse("vae", "A VAE", vae.Options, ["--published", "--steps", "6"], began)
    assert (again.published, again.steps, again.data) == (True, 6, "mnist")


def test_the_run_of_another_lesson_is_named(tmp_path: Path) -> None:
    run = Run("vae", _lesson.Options(), root=tmp_path)
    with pytest.raises(SystemExit, match=r"is a run of vae.*python3 demos vae --resume"):
        call("--resume", str(run.folder))


def test_an_interrupted_part_names_the_run_that_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> dict[str, float]:
        import signal

        signal.raise_signal(signal.SIGINT)
        return {}

    real = fit

    def fit_until_interrupted(*args: Any, **rest: Any) -> Any:
        return real(*args, **rest, on_step=[interrupted] * (rest["run"].name == "second"))

    with monkeypatch.context() as patched:
        patched.setitem(globals(), "fit", fit_until_interrupted)
        with pytest.raises(SystemExit) as stop:
            call("--out", str(tmp_path), "--steps", "4")
    assert stop.value.code == 130
    (folder,) = tmp_path.iterdir()
    words = shlex.split(capsys.readouterr().err.partition("To go on: ")[2].partition(" (in")[0])
    assert words == ["--resume", str(folder)]
    call(*words)
    assert (folder / "report.html").exists()


@pytest.mark.parametrize("wrong", [["--seed", "-1"], ["--steps", "0"], ["--batch-size", "-3"]])
def test_numbers_that_make_no_sense(wrong: list[str]) -> None:
    with pytest.raises(SystemExit, match=f"{wrong[0]}: got {wrong[1]}, expected"):
        call(*wrong)


@pytest.mark.parametrize(
    ("module", "argv", "said", "unsaid"),
    [
        (vae, [], ["(default: 5000)"], []),
        (gan, [], ["(default: non-saturating)", "(default: 1200)", "(default: 32)"], []),
        (gan, ["--data", "toy"], ["(default: 4000)", "(default: 2)"], []),
        (gan, ["--data", "mnist"], ["(default: wasserstein-gp)", "(default: 64)"], []),
        (ddpm, ["--data", "mnist"], ["(default: 4400)", "(default: 30)"], []),
        (naive_bayes, [], ["--alpha"], ["--steps", "--batch-size", "--resume"]),
        (avatars, [], ["--people"], ["--root", "--data"]),
        (autoregressive, [], ["what suits each model"], []),
        (tour, [], ["what suits each"], []),
    ],
)
def test_help_offers_what_is_used_with_its_defaults(
    module: object, argv: list[str], said: list[str], unsaid: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        module.main([*argv, "--help"])  # type: ignore[attr-defined]
    text = " ".join(capsys.readouterr().out.replace("│", " ").split())
    assert [words for words in said if words not in text] == []
    assert [words for words in unsaid if words in text] == []


def test_what_is_left_open_is_settled_once() -> None:
    for module in (vae, gan, ddpm):
        settled = module.Options().settled()
        assert settled == settled.settled()
        left = {"root", "resume", "max_minutes"}
        assert {name for name, value in vars(settled).items() if value is None} == left


SHARED = ("_lesson", "_options", "_pictures", "_judge", "_published")


def of_its_own(name: str) -> str:
    """The code of a lesson and of what it is made of, modules that are no lessons; the tour calls those."""
    found, left = {}, [name]
    while left:
        name = left.pop()
        found[name] = (FOLDER / f"{name}.py").read_text(encoding="utf-8")
        named = {
            path.stem for path in FOLDER.glob("*.py") if re.search(rf"\b{path.stem}\b", imports(found[name]))
        }
        parts = {other for other in named if other.startswith("_") or name == "tour"}
        left += parts - set(found) - set(left) - set(SHARED)
    return "".join(found.values())


def imports(code: str) -> str:
    """What a module takes from the lessons' folder."""
    return " ".join(re.findall(r"from demos(?:\.\w+)? import [^\n(]+|from demos\._\w+", code))


@pytest.mark.parametrize("name", sorted(set(lessons()) - {"show"}))
def test_help_offers_what_the_lesson_uses(name: str) -> None:
    """Where training can go on, `--resume`; where there are batches, their size; and so on."""
    lesson = importlib.import_module(f"demos.{name}")
    offered = {field.name for field in fields(lesson.Options) if _options.offered(field)}
    code = of_its_own(name)
    assert ("resume" in offered) == ("resumption(" in code)
    assert ("batch_size" in offered) == ("options.batch_size" in code)
    assert ("steps" in offered) == ("_lesson.steps(" in code)
    assert ("data" in offered) == ("root" in offered) == (len(get_args(hints(lesson)["data"])) > 1)
    assert {"seed", "device", "quick", "out", "open"} <= offered


def hints(lesson: ModuleType) -> dict[str, Any]:
    """The types of a lesson's options."""
    return get_type_hints(lesson.Options)


def test_the_command_leaves_out_what_is_not_offered() -> None:
    lesson = importlib.import_module("demos.avatars")
    assert _options.command("avatars", lesson.Options(people=50)) == (
        "python3 demos avatars --seed 0 --device auto --batch-size 64 --people 50"
    )
