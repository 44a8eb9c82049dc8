"""Run the lessons: `python3 demos` is the tour of all, `python3 demos vae` is one.

usage: python3 demos [--no-venv] [--list | --help] [name] [the lesson's options]
       python3 demos exercise [--list | LABEL]    write an equation's statement, checked by its tests

The first run makes `.venv` and installs the project in it; `--no-venv` uses the running Python as it is.
`python3 demos vae --help` lists a lesson's options. A lesson is a file of this folder, with a `main(argv)`.
"""

import ast
import importlib
import os
import sys

FOLDER = os.path.dirname(os.path.realpath(__file__))
sys.path[0] = os.path.dirname(FOLDER)  # instead of this folder, whose names are nobody's modules

import bootstrap

TOUR, SHOW = "tour", "show"


def lessons() -> "dict[str, str]":
    """Map the name of each lesson to the first line of its docstring, without importing any."""
    found = {}
    for file in sorted(os.listdir(FOLDER)):
        name, extension = os.path.splitext(file)
        if extension == ".py" and not name.startswith("_"):
            with open(os.path.join(FOLDER, file), encoding="utf-8") as source:
                docstring = ast.get_docstring(ast.parse(source.read(), file))
            found[name] = (docstring or "").partition("\n")[0]
    return found


def listing(known: "dict[str, str]") -> str:
    """Return a line for each lesson: its name, and what it is about."""
    width = max(map(len, known), default=0)
    return "\n".join(f"{name:{width}}  {line}" for name, line in known.items())


def unknown(name: str, known: "dict[str, str]") -> str:
    """Return the message for a name that is no lesson's, with the one that was probably meant."""
    import difflib

    close = difflib.get_close_matches(name, known, n=1)
    hint = f" Did you mean {close[0]}?" if close else ""
    return f"There is no demo named {name!r}.{hint}\n\n{listing(known)}"


def main(arguments: "list[str]") -> None:
    """Run the lesson that the first argument names; without a name, the tour."""
    bootstrap.check_python()
    known = lessons()
    if arguments[:1] in (["-h"], ["--help"]):
        print(f"{__doc__}\n{listing(known)}")
        return
    if arguments[:1] == ["--list"]:
        print(listing(known))
        return
    if arguments[:1] == ["exercise"]:
        bootstrap.enter(extras=("verify",), needs=("pytest", "hypothesis"))
        sys.exit(importlib.import_module("demos._exercise").main(arguments[1:]))
    named = bool(arguments) and not arguments[0].startswith("-")
    name, options = (arguments[0], arguments[1:]) if named else (TOUR, arguments)
    if name not in known:
        sys.exit(unknown(name, known))
    bootstrap.enter(at_once=name == SHOW)
    sys.stdout.reconfigure(line_buffering=True)  # type: ignore[union-attr]  # in a pipe, too, as it comes
    sys.argv[:] = [f"python3 demos {name}", *options]  # as its --help and its page say how to call it
    importlib.import_module(f"demos.{name}").main(options)


if __name__ == "__main__":
    main(bootstrap.arguments())
