"""The two commands, `python3 demos` and `python3 tests`, called from several folders."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import bootstrap

pytestmark = pytest.mark.host_only

ROOT = Path(bootstrap.ROOT)

PYPROJECT = """
[project]
dependencies = []
[tool.pytest.ini_options]
testpaths = ["tests"]
"""
LESSON = '''
"""{line}

More than the list has room for.
"""
import sys
def main(argv):
    assert sys.argv == ["python3 demos {name}", *argv], sys.argv
    print("{name}", argv)
'''


@pytest.fixture
def project(tmp_path):
    """Return a project that needs nothing installed but pytest, with two lessons and two tests."""
    for folder in ("demos", "tests"):
        (tmp_path / folder).mkdir()
        shutil.copy(ROOT / folder / "__main__.py", tmp_path / folder)
    shutil.copy(ROOT / "bootstrap.py", tmp_path)
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / "demos/tour.py").write_text(LESSON.format(name="tour", line="All of them."))
    (tmp_path / "demos/vae.py").write_text(LESSON.format(name="vae", line="A code with a density."))
    (tmp_path / "demos/_shared.py").write_text("raise RuntimeError('not a lesson')")
    (tmp_path / "tests/test_some.py").write_text("def test_one(): pass\ndef test_two(): assert 1 == 2\n")
    return tmp_path


def call(project, folder, *arguments, cwd="/"):
    command = [sys.executable, str(project / folder), *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


def test_list_has_a_line_for_each_lesson_and_needs_no_environment(project):
    assert call(project, "demos", "--list").stdout == "tour  All of them.\nvae   A code with a density.\n"
    assert not (project / ".venv").exists()


def test_help_says_how_to_call_it(project):
    out = call(project, "demos", "--help").stdout
    assert "usage: python3 demos" in out
    assert "vae   A code with a density." in out


@pytest.mark.parametrize(
    ("arguments", "called"),
    [
        ([], "tour []"),
        (["--quick"], "tour ['--quick']"),
        (["vae"], "vae []"),
        (["vae", "--help"], "vae ['--help']"),
        (["vae", "--data", "mnist", "--root", "/tmp"], "vae ['--data', 'mnist', '--root', '/tmp']"),
    ],
)
def test_demos_calls_the_lesson_that_is_named(project, arguments, called):
    assert call(project, "demos", "--no-venv", *arguments).stdout == called + "\n"


def test_unknown_lesson_is_named_with_those_there_are(project):
    result = call(project, "demos", "vea")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith("There is no demo named 'vea'. Did you mean vae?\n")
    assert "tour  All of them." in result.stderr
    assert not (project / ".venv").exists()


def test_tests_runs_the_suite_from_any_folder_and_passes_the_exit_status(project):
    result = call(project, "tests", "--no-venv", "-q")
    assert result.returncode == 1
    assert "1 failed, 1 passed" in result.stdout


@pytest.mark.parametrize(
    ("arguments", "cwd"),
    [
        (["-k", "one"], "/"),
        (["tests/test_some.py::test_one"], "."),
        (["test_some.py::test_one"], "tests"),
        (["../tests/test_some.py::test_one"], "demos"),
    ],
)
def test_tests_passes_arguments_to_pytest(project, arguments, cwd):
    result = call(project, "tests", "--no-venv", *arguments, cwd=project / cwd)
    assert result.returncode == 0
    assert "1 passed" in result.stdout


def test_every_lesson_of_this_project_is_described():
    lines = call(ROOT, "demos", "--list").stdout.splitlines()
    assert "tour" in [line.split()[0] for line in lines]
    assert [line for line in lines if len(line.split()) < 2] == []
