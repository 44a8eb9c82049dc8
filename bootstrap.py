"""Make `python3 demos` and `python3 tests` work on a machine that has Python, and nothing else.

`enter()` returns at once in the project's own environment, `.venv`. Anywhere else it first sees to it that
`.venv` is complete and current, then starts the same command again inside it. Three rules keep that safe:

* **The stamp is written last.** `.venv/bootstrap.json` says what the environment was made for: the project's
  place, the Python, the hash of `pyproject.toml`, the extras. It is emptied before anything is changed and
  filled in when all is done, so what a failed or interrupted install left behind is never trusted: the next
  call starts afresh. An update is first tried with `--dry-run`, so one that cannot work (no network) changes
  nothing.
* **One call at a time.** A lock file is held during the changes, by pip too: an installation whose parent was
  killed still keeps others out until it ends.
* **Nothing of the user's is deleted.** A `.venv` without a stamp was made by someone else: it is renamed.

Only the standard library is used, and the syntax of Python 3.6, so that an old Python reads the message that
it is too old and not a SyntaxError. (Hence the quoted annotations.)
"""

import collections.abc
import contextlib
import hashlib
import io
import json
import os
import sys

OLDEST_PYTHON = (3, 11)
NO_VENV = "--no-venv"

ROOT = os.path.dirname(os.path.realpath(__file__))
VENV = os.path.join(ROOT, ".venv")
PYTHON = os.path.join(VENV, *(("Scripts", "python.exe") if os.name == "nt" else ("bin", "python")))
STAMP = os.path.join(VENV, "bootstrap.json")
PENDING = os.path.join(VENV, "loops-to-compile")
LOG = os.path.join(VENV, "install.log")
LOCK = os.path.join(ROOT, ".venv.lock")

_RESTARTED = "SCRATCHGEN_RESTARTED_PROCESS"
_LOG_LINES_SHOWN = 12


def arguments() -> "list[str]":
    """Return the command's arguments, without the one that is meant for `enter`."""
    return [argument for argument in sys.argv[1:] if argument != NO_VENV]


def check_python() -> None:
    """Exit with a message if this Python is too old, naming a newer one if the machine has it."""
    if sys.version_info >= OLDEST_PYTHON:
        return
    import shutil

    newer = [name for name in (f"python3.{minor}" for minor in range(14, 10, -1)) if shutil.which(name)]
    advice = (
        f"Run: {newer[0]} {' '.join(sys.argv)}" if newer else "Get it from https://www.python.org/downloads/"
    )
    needed, running = (".".join(map(str, version[:2])) for version in (OLDEST_PYTHON, sys.version_info))
    sys.exit(f"This needs Python {needed} or newer; {sys.executable} is Python {running}.\n{advice}")


def enter(extras: "tuple[str, ...]" = (), needs: "tuple[str, ...]" = (), at_once: bool = False) -> None:
    """Return inside a complete and current `.venv`; elsewhere make it so and start the command again in it.

    Call it before the first import of anything that has to be installed.

    Parameters
    ----------
    extras
        Optional dependencies of `pyproject.toml` that the command needs, such as `("test",)`.
    needs
        Modules without which the command cannot run, besides the project's dependencies. Only looked at with
        `--no-venv` on the command line, which takes the running interpreter as it is.
    at_once
        Whether the command goes without compiled loops while there are none; the next one waits for them.

    Raises
    ------
    SystemExit
        With a message for people: an old Python, no `venv` module, a failed install, a folder that cannot be
        written, something missing under `--no-venv`, or an interruption (status 130).
    """
    check_python()
    # What scratchgen/backend/process.py sets too, but lessons and tests may import NumPy before scratchgen.
    os.environ.setdefault("OPENBLAS_THREAD_TIMEOUT", "19")
    if NO_VENV in sys.argv[1:]:
        _check_imports(extras, needs)
        return
    try:
        wanted = _wanted_stamp(extras)
        if _is_ready(wanted):
            if _is_inside():
                _have_loops(at_once)
                return
        else:
            with _lock() as lock:
                if not _is_ready(wanted):
                    _install(wanted, lock)
    except KeyboardInterrupt:
        _say("Interrupted before .venv was ready. Run the same command again to set it up.")
        sys.exit(130)
    except OSError as error:
        sys.exit(f"Cannot set up {VENV}: {error}.\nTo use an environment of your own, add {NO_VENV}.")
    _start_again()


def _wanted_stamp(extras: "tuple[str, ...]") -> "dict[str, str]":
    """Return what the stamp of an environment for this call says, at least."""
    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        digest = hashlib.sha256(file.read()).hexdigest()
    # The root belongs in it because environments and editable installs hold absolute paths: in a copy of the
    # project, `.venv` would still run the original.
    python = f"{sys.implementation.cache_tag}{getattr(sys, 'abiflags', '')}"
    return {"root": ROOT, "python": python, "pyproject": digest, "extras": ",".join(extras)}


def _read_stamp() -> "dict[str, str]":
    """Return what `.venv` was made for: empty if it is not there, half-made, or not readable as a stamp."""
    try:
        with open(STAMP, encoding="utf-8") as file:
            stamp = json.load(file)
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def _write_stamp(stamp: "dict[str, str]") -> None:
    """Replace the stamp in one step."""
    with open(STAMP + ".new", "w", encoding="utf-8") as file:
        json.dump(stamp, file, indent=1)
    os.replace(STAMP + ".new", STAMP)


def _is_usable(stamp: "dict[str, str]", wanted: "dict[str, str]") -> bool:
    """Tell whether the environment is whole, in its place, and of this Python."""
    same = all(stamp.get(key) == wanted[key] for key in ("root", "python"))
    return same and os.path.exists(PYTHON) and os.path.exists(os.path.join(VENV, "pyvenv.cfg"))


def _is_ready(wanted: "dict[str, str]") -> bool:
    """Tell whether the environment can be used for this call as it is."""
    stamp = _read_stamp()
    current = _is_usable(stamp, wanted) and stamp.get("pyproject") == wanted["pyproject"]
    return current and _extras(wanted) <= _extras(stamp)


def _extras(stamp: "dict[str, str]") -> "set[str]":
    """Return the extras that a stamp lists."""
    return set(filter(None, stamp.get("extras", "").split(",")))


def _is_inside() -> bool:
    """Tell whether the running interpreter is the environment's."""
    return os.path.realpath(sys.prefix) == os.path.realpath(VENV)


@contextlib.contextmanager
def _lock() -> "collections.abc.Iterator[io.TextIOWrapper | None]":
    """Keep other calls from changing the environment; yield the lock's file (None: no locks here)."""
    try:
        import fcntl
    except ImportError:
        yield None
        return
    with open(LOCK, "a") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("Waiting for another command, which is setting up .venv ...")
            fcntl.flock(file, fcntl.LOCK_EX)
        except OSError:
            _say("This file system has no locks: do not start a second command before .venv is set up.")
        yield file


def _install(wanted: "dict[str, str]", lock: "io.TextIOWrapper | None") -> None:
    """Make the environment, or bring it up to date if it is a whole one of this Python."""
    stamp = _read_stamp()
    # Without compilation the installation takes a third of the time; what is imported is compiled then.
    options = ["--no-compile", "--no-input", "--disable-pip-version-check", "--editable"]
    pip = [PYTHON, "-I", "-m", "pip", "install", *options]
    if _is_usable(stamp, wanted):
        wanted = dict(wanted, extras=",".join(sorted(_extras(stamp) | _extras(wanted))))
        _say("Updating .venv ...")
        _run([*pip, _requirement(wanted["extras"]), "--dry-run"], lock)
        _write_stamp({})
    else:
        _check_venv_module()
        _say("Setting up .venv (first run only) ...")
        _clear()
        # Where this runs in the very environment that it replaces, the Python that made that one is asked.
        _run([getattr(sys, "_base_executable", sys.executable), "-m", "venv", VENV], lock)
    _run([*pip, _requirement(wanted["extras"])], lock)
    open(PENDING, "w").close()
    _write_stamp(wanted)


def _requirement(extras: str, project: str = ".") -> str:
    """Return the project as pip names it: `.[test]`."""
    return f"{project}[{extras}]" if extras else project


def _check_venv_module() -> None:
    """Exit with a message if this Python was packaged without the means to make an environment."""
    import importlib.util

    missing = [name for name in ("venv", "ensurepip") if importlib.util.find_spec(name) is None]
    if missing:
        version = ".".join(map(str, sys.version_info[:2]))
        sys.exit(
            f"This Python ({sys.executable}) lacks {' and '.join(missing)}, from which .venv is made.\n"
            f"On Debian and Ubuntu: sudo apt install python3-venv (or python{version}-venv).\n"
            f"To use an environment of your own instead, add {NO_VENV}."
        )


def _clear() -> None:
    """Leave `.venv` empty but for an empty stamp, by which the next call knows it for unfinished."""
    import shutil

    empty = os.path.isdir(VENV) and not os.listdir(VENV)
    if os.path.lexists(VENV) and not os.path.isfile(STAMP) and not empty:
        number = 1
        while os.path.lexists(f"{VENV}.old-{number}"):
            number += 1
        os.rename(VENV, f"{VENV}.old-{number}")
        _say(f"The .venv found here was not made by this command: it is kept as .venv.old-{number}.")
    os.makedirs(VENV, exist_ok=True)
    _write_stamp({})
    for entry in os.scandir(VENV):
        if entry.is_dir(follow_symlinks=False):
            shutil.rmtree(entry.path)
        elif entry.path != STAMP:
            os.remove(entry.path)


def _run(command: "list[str]", lock: "io.TextIOWrapper | None") -> None:
    """Run one step of the installation, its output in the log; exit with the log's last lines if it fails."""
    import subprocess

    with open(LOG, "a", encoding="utf-8") as log:
        status = subprocess.call(
            command,
            cwd=ROOT,
            env=dict(os.environ, PIP_USER="0"),  # pip refuses --user, which some machines preset, in here
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            pass_fds=(lock.fileno(),) if lock else (),  # so the lock outlives this process, if that is killed
        )
    if status:
        with open(LOG, encoding="utf-8", errors="replace") as log:
            lines = ["    " + line for line in log.read().splitlines()[-_LOG_LINES_SHOWN:]]
        sys.exit(
            "\n".join([f"Setting up .venv failed. The end of its log, {LOG}:", "", *lines, ""])
            + "\nThe usual cause is the network, for pip downloads the dependencies named in pyproject.toml."
            "\nRun the same command again when it is mended (behind a proxy, set HTTPS_PROXY); nothing has to"
            f"\nbe cleaned up. To use an environment of your own instead, add {NO_VENV}."
        )


def _have_loops(at_once: bool) -> None:
    """Compile the package's loops if nobody has since installing: the first training would wait for that.

    It may fail. What is to be seen `at_once` goes without them.
    """
    if not os.path.exists(PENDING):
        return
    if at_once:
        os.environ.setdefault("SCRATCHGEN_LOOPS", "0")
        return
    import subprocess

    if os.path.isdir(os.path.join(ROOT, "scratchgen", "loops")):
        command = [PYTHON, "-m", "scratchgen", "--compile"]
        subprocess.call(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=sys.stderr)
    with contextlib.suppress(OSError):
        os.remove(PENDING)


def _start_again() -> None:
    """Start the same command line, options of the interpreter included, with the environment's Python."""
    if os.environ.get(_RESTARTED) == str(os.getpid()):
        sys.exit(f"{PYTHON} does not run in its own environment. Remove {VENV} and try again.")
    os.environ.pop("PYTHONHOME", None)  # it would override the environment
    command = [PYTHON, *sys.orig_argv[1:]]
    sys.stdout.flush()
    if os.name == "posix":
        os.environ[_RESTARTED] = str(os.getpid())  # execv keeps the process and its number
        os.execv(PYTHON, command)
    import subprocess

    process = subprocess.Popen(command)
    while True:
        try:
            sys.exit(process.wait())
        except KeyboardInterrupt:  # the child gets it too, and decides
            continue


def _check_imports(extras: "tuple[str, ...]", needs: "tuple[str, ...]") -> None:
    """Exit with a message if the running interpreter lacks a dependency of the project or one of `needs`."""
    import importlib.util
    import re
    import tomllib

    with open(os.path.join(ROOT, "pyproject.toml"), "rb") as file:
        dependencies = tomllib.load(file)["project"]["dependencies"]
    modules = [re.split(r"[^\w]", requirement)[0] for requirement in dependencies] + list(needs)
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        install = f'{sys.executable} -m pip install -e "{_requirement(",".join(extras), ROOT)}"'
        sys.exit(f"{sys.executable} lacks {', '.join(missing)}.\nTry: {install}\nor leave out {NO_VENV}.")


def _say(message: str) -> None:
    """Print a line of progress where it does not mix with the command's own output."""
    print(message, file=sys.stderr, flush=True)
