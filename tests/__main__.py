"""Run the tests: `python3 tests`, with pytest's arguments, such as `python3 tests -k vae`.

The first run makes `.venv` and installs the project and its `test` extra in it; `--no-venv` uses the running
Python as it is. `python3 tests --mutate --help` is about breaking the code on purpose.
"""

import os
import sys

sys.path[0] = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))  # instead of this folder

import bootstrap


def absolute(argument: str) -> str:
    """Return a path, or a test's id, as it reads from any folder; another argument as it is."""
    path, colons, test = argument.partition("::")
    is_path = ("/" in path or path.endswith(".py")) and os.path.exists(path)
    return os.path.abspath(path) + colons + test if is_path else argument


def main(arguments: "list[str]") -> int:
    """Run pytest at the root of the project, wherever the command was given; return its exit status."""
    bootstrap.enter(extras=("test",), needs=("pytest", "hypothesis"))
    if arguments[:1] == ["--mutate"]:
        sys.path.insert(0, os.path.join(bootstrap.ROOT, "tests"))
        from mutation.command import main as mutate

        return mutate(arguments[1:])
    import pytest

    arguments = [absolute(argument) for argument in arguments]
    os.chdir(bootstrap.ROOT)
    configuration = ["-c", os.path.join(bootstrap.ROOT, "pyproject.toml"), "--rootdir", bootstrap.ROOT]
    return pytest.main(configuration + arguments)


if __name__ == "__main__":
    sys.exit(main(bootstrap.arguments()))
