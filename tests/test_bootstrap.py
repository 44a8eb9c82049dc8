"""bootstrap.py on small projects of its own, with a stand-in for pip: nothing is downloaded.

A stand-in for the module `venv` makes real environments, and puts into each a `pip` that writes down how it
was called and then does what the environment variable PIP_DOES says.
"""

import ast
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

import bootstrap

ROOT = Path(bootstrap.ROOT)
BASE_PYTHON = getattr(sys, "_base_executable", sys.executable)

pytestmark = [pytest.mark.host_only, pytest.mark.skipif(os.name != "posix", reason="sends POSIX signals")]

QUIET = {"EXTRAS": "", "NEEDS": "", "EXIT": "0"}
DRIVER = """
import os, sys
import bootstrap
at_once = "--at-once" in sys.argv
bootstrap.enter(tuple(os.environ["EXTRAS"].split()), tuple(os.environ["NEEDS"].split()), at_once)
inside = os.path.realpath(sys.prefix) == os.path.realpath(bootstrap.VENV)
print("inside" if inside else "outside", *bootstrap.arguments())
sys.exit(int(os.environ["EXIT"]))
"""

PIP = """
import os, sys, time
does, calls = os.environ["PIP_DOES"], open("pip-calls", "a", buffering=1)
print(does, *sys.argv[1:], file=calls)
if does == "fail":
    print("Could not find a version that satisfies the requirement numpy")
    sys.exit(1)
if does.isdigit() and "--dry-run" not in sys.argv:
    time.sleep(int(does))
print("end", file=calls)
"""

VENV = f"""
import sys
sys.path = [folder for folder in sys.path if not folder.endswith("stand-ins")]
sys.modules.pop("venv", None)
import venv
venv.create(sys.argv[1], symlinks=True)
from pathlib import Path
pip = next(Path(sys.argv[1]).glob("lib/python*/site-packages")) / "pip"
pip.mkdir(exist_ok=True)
(pip / "__main__.py").write_text({PIP!r})
"""


class Project:
    """A project with bootstrap.py, a command `run.py`, and the stand-ins."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.venv = root / ".venv"
        (root / "stand-ins/venv").mkdir(parents=True)
        (root / "stand-ins/venv/__main__.py").write_text(VENV)
        (root / "stand-ins/venv/__init__.py").touch()
        shutil.copy(ROOT / "bootstrap.py", root)
        (root / "run.py").write_text(DRIVER)
        self.describe("numpy")

    def describe(self, dependency: str) -> None:
        (self.root / "pyproject.toml").write_text(f'[project]\ndependencies = ["{dependency}>=1"]\n')

    def start(self, *arguments: str, **settings: str) -> subprocess.Popen:
        defaults = {"PYTHONPATH": str(self.root / "stand-ins"), "PIP_DOES": "succeed"} | QUIET
        return subprocess.Popen(
            [BASE_PYTHON, str(self.root / "run.py"), *arguments],
            env=os.environ | defaults | settings,
            cwd="/",
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def run(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess:
        process = self.start(*arguments, **settings)
        out, err = process.communicate(timeout=60)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def pip_calls(self) -> list[str]:
        calls = self.root / "pip-calls"
        return calls.read_text().splitlines() if calls.exists() else []

    def installs(self) -> list[str]:
        """Return what each call of pip was to install, trials left out."""
        return [call.split()[-1] for call in self.pip_calls() if re.search(r"--editable \S+$", call)]

    def start_and_wait_for_pip(self, seconds: int) -> subprocess.Popen:
        before = len(self.installs())
        process = self.start(PIP_DOES=str(seconds))
        deadline = time.monotonic() + 30
        while len(self.installs()) == before:
            assert time.monotonic() < deadline, "pip was never called"
            time.sleep(0.01)
        return process


@pytest.fixture
def project(tmp_path):
    root = tmp_path / "a project"  # a space, as in many a home folder
    root.mkdir()
    return Project(root)


def test_first_call_sets_up_in_one_line_and_continues_inside(project):
    result = project.run("vae", "--steps", "3", EXIT="7")
    assert (result.returncode, result.stdout) == (7, "inside vae --steps 3\n")
    assert result.stderr == "Setting up .venv (first run only) ...\n"
    assert project.installs() == ["."]


def test_second_call_installs_nothing_and_says_nothing(project):
    project.run()
    os.utime(project.root / "pyproject.toml")  # a new date is no new content
    result = project.run()
    assert (result.stdout, result.stderr) == ("inside\n", "")
    assert len(project.installs()) == 1


def test_options_of_the_interpreter_are_kept(project):
    project.run()
    (project.root / "run.py").write_text(DRIVER.replace("sys.exit", "print(sys.flags.optimize)#"))
    command = [BASE_PYTHON, "-OO", "run.py"]
    out = subprocess.check_output(command, env=os.environ | QUIET, cwd=project.root, text=True)
    assert out == "inside\n2\n"


def test_changed_pyproject_updates_the_same_environment(project):
    project.run()
    kept = project.venv / "kept"
    kept.touch()
    project.describe("scipy")
    assert project.run().stderr == "Updating .venv ...\n"
    assert kept.exists()
    assert project.installs() == [".", "."]
    assert project.run().stderr == ""


def test_update_that_cannot_work_changes_nothing(project):
    project.run()
    before = (project.venv / "bootstrap.json").read_text()
    project.describe("scipy")
    assert project.run(PIP_DOES="fail").returncode == 1
    assert project.pip_calls()[-1].endswith("--dry-run")
    assert (project.venv / "bootstrap.json").read_text() == before
    project.describe("numpy")  # true again of what is installed, so pip is not called
    assert project.run(PIP_DOES="fail").stdout == "inside\n"


def test_extras_add_up(project):
    project.run(EXTRAS="parity")
    project.run(EXTRAS="test")
    project.run()
    project.run(EXTRAS="test parity")
    assert project.installs() == [".[parity]", ".[parity,test]"]


def test_failed_install_shows_the_log_and_is_not_trusted(project):
    result = project.run(PIP_DOES="fail")
    assert (result.returncode, result.stdout) == (1, "")
    assert "    Could not find a version that satisfies the requirement numpy\n" in result.stderr
    assert str(project.venv / "install.log") in result.stderr
    assert "--no-venv" in result.stderr
    assert "Traceback" not in result.stderr
    assert project.run().stdout == "inside\n"
    assert len(project.installs()) == 2


def test_interrupted_install_is_not_trusted(project):
    process = project.start_and_wait_for_pip(30)
    os.killpg(process.pid, signal.SIGINT)  # Ctrl-C reaches every process of the terminal's foreground
    _, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert err.splitlines()[-1].startswith("Interrupted before .venv was ready.")
    assert "end" not in project.pip_calls()
    assert project.run().stdout == "inside\n"


def test_interrupted_update_is_not_trusted(project):
    project.run()
    project.describe("scipy")
    process = project.start_and_wait_for_pip(30)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    project.describe("numpy")
    assert project.run().stderr == "Setting up .venv (first run only) ...\n"


def test_install_that_lost_its_parent_is_waited_for_and_not_trusted(project):
    process = project.start_and_wait_for_pip(2)
    process.kill()
    result = project.run()
    assert result.stdout == "inside\n"
    assert "Waiting for another command" in result.stderr
    assert [call.split()[0] for call in project.pip_calls()] == ["2", "end", "succeed", "end"]
    process.communicate()


def test_simultaneous_calls_install_once(project):
    processes = [project.start(PIP_DOES="1") for _ in range(3)]
    assert [process.communicate(timeout=60)[0] for process in processes] == ["inside\n"] * 3
    assert len(project.installs()) == 1


@pytest.mark.parametrize("damage", ["empty stamp", "no JSON", "no object", "no interpreter", "no pyvenv.cfg"])
def test_damaged_environment_is_made_anew(project, damage):
    project.run()
    stamp = project.venv / "bootstrap.json"
    if damage == "no interpreter":
        (project.venv / "bin/python").unlink()
        (project.venv / "bin/python").symlink_to("/nonexistent/python")
    elif damage == "no pyvenv.cfg":
        (project.venv / "pyvenv.cfg").unlink()
    else:
        stamp.write_text({"empty stamp": "{}", "no JSON": '{"root": ', "no object": "[]"}[damage])
    (project.venv / "leftover").touch()
    result = project.run()
    assert (result.stdout, result.stderr) == ("inside\n", "Setting up .venv (first run only) ...\n")
    assert not (project.venv / "leftover").exists()


@pytest.mark.parametrize("key", ["root", "python"])
def test_environment_of_another_place_or_python_is_made_anew(project, key):
    project.run()
    stamp = project.venv / "bootstrap.json"
    stamp.write_text(json.dumps(json.loads(stamp.read_text()) | {key: "another"}))
    assert project.run().stderr == "Setting up .venv (first run only) ...\n"


def test_environment_of_someone_else_is_kept(project):
    project.venv.mkdir()
    (project.venv / "precious").write_text("mine")
    result = project.run()
    assert result.stdout == "inside\n"
    assert "kept as .venv.old-1" in result.stderr
    assert (project.root / ".venv.old-1/precious").read_text() == "mine"


def test_no_venv_takes_the_running_interpreter(project):
    (project.root / "pyproject.toml").write_text("[project]\ndependencies = []\n")
    assert project.run("vae", "--no-venv", "--quick").stdout == "outside vae --quick\n"
    assert not project.venv.exists()


def test_no_venv_names_everything_that_is_missing(project):
    project.describe("surely_missing")
    result = project.run("--no-venv", EXTRAS="test", NEEDS="json also_missing")
    assert result.returncode == 1
    assert "lacks surely_missing, also_missing." in result.stderr
    assert f'-m pip install -e "{project.root}[test]"' in result.stderr


@pytest.mark.parametrize("module", ["venv", "ensurepip"])
def test_missing_venv_module_says_what_to_install(project, module):
    finder = f"lambda name: None if name == {module!r} else name"
    lacking = f"import importlib.util as util\nutil.find_spec = {finder}"
    (project.root / "run.py").write_text(lacking + DRIVER)
    result = project.run()
    assert result.returncode == 1
    assert f"lacks {module}," in result.stderr
    assert "apt install python3-venv" in result.stderr
    assert not project.venv.exists()


def test_folder_that_cannot_be_written_gets_a_message(project):
    (project.root / ".venv.lock").mkdir()  # root may write anywhere, so a folder stands in the way instead
    result = project.run()
    assert result.returncode == 1
    assert result.stderr.startswith(f"Cannot set up {project.venv}: ")
    assert "--no-venv" in result.stderr


def test_old_python_gets_a_message(project):
    (project.root / "run.py").write_text("import sys; sys.version_info = (3, 9, 1)" + DRIVER)
    result = project.run()
    assert result.returncode == 1
    assert re.match(r"This needs Python 3\.11 or newer; \S+ is Python 3\.9\.\n(Run|Get)", result.stderr)


@pytest.mark.parametrize("file", ["bootstrap.py", "demos/__main__.py", "tests/__main__.py"])
def test_old_python_can_parse_what_it_meets_first(file):
    ast.parse((ROOT / file).read_text(), feature_version=(3, 6))


def test_loops_are_compiled_once_after_installing_and_may_fail(project):
    package = project.root / "scratchgen"
    (package / "loops").mkdir(parents=True)
    note = "import sys; open('compiled', 'a').write(' '.join(sys.argv[1:])); sys.exit(3)"
    (package / "__main__.py").write_text(note)
    compiled = project.root / "compiled"
    # What is to be seen at once goes without, the next one compiles, and that was it.
    driver = DRIVER.replace("print(", 'print(os.environ.get("SCRATCHGEN_LOOPS"), ')
    (project.root / "run.py").write_text(driver)
    assert project.run("--at-once").stdout.startswith("0 inside")
    assert not compiled.exists()
    assert project.run().stdout.startswith("None inside")
    assert project.run("--at-once").stdout.startswith("None inside")
    assert compiled.read_text() == "--compile"
