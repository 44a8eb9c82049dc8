"""Measure speed and memory beside PyTorch, JAX and others: `python3 tests/benchmarks`.

usage: python3 tests/benchmarks [--no-venv] [--quick] [--write] [name ...]        names:
       vae, dcgan, unet, memory, formulas, engine, scaling, imports

All figures come from one run: the competitors take turns, and a ratio is the median over the turns. Run it on
an otherwise idle machine. `--quick` takes fewer and shorter turns. `--write` makes of it a page of the book,
`docs/performance.md`, with the machine and the commit. Peers are left out where they are not
installed: `.venv/bin/python -m pip install torch jax autograd`; for Chainer and DeZero see `dcgan.py`.
"""

import importlib
import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.realpath(__file__))))
sys.path[0] = ROOT  # instead of this folder, whose names are nobody's modules

import bootstrap

BENCHMARKS = {
    "vae": "dense_vae",
    "dcgan": "dcgan",
    "unet": "unet",
    "memory": "memory",
    "formulas": "formulas",
    "engine": "engine",
    "scaling": "scaling",
    "imports": "imports",
}
HOW = """\
A step is forward, backward and Adam. Each competitor sits in a process of its own, and they take turns; a
ratio is the median over the turns, its range in brackets. The busy process is one that spins."""
PAGE = os.path.join(ROOT, "docs", "performance.md")


def main(arguments: "list[str]") -> None:
    """Run the benchmarks of these names, or all."""
    bootstrap.check_python()
    if arguments[:1] in (["-h"], ["--help"]):
        print(__doc__)
        return
    quick, write = (option in arguments for option in ("--quick", "--write"))
    names = [argument for argument in arguments if argument not in ("--quick", "--write")]
    if unknown := sorted(set(names) - set(BENCHMARKS)):
        sys.exit(f"There is no benchmark named {', '.join(unknown)}; there are {', '.join(BENCHMARKS)}.")
    bootstrap.enter()
    from scratchgen.backend.environment import describe

    machine = f"{describe()}\ncommit     {commit()}"
    print(machine)
    tables = []
    for name in names or BENCHMARKS:
        for table in importlib.import_module(f"tests.benchmarks.{BENCHMARKS[name]}").tables(quick):
            print(table.text(), flush=True)
            tables.append(table)
    if write:
        with open(PAGE, "w", encoding="utf-8") as page:
            page.write(chapter(machine, sys.argv[1:], [table.markdown() for table in tables]))
        print(f"\n{PAGE}")


def chapter(machine: str, options: "list[str]", tables: "list[str]") -> str:
    """The page of the book."""
    command = " ".join(["python3 tests/benchmarks", *options])
    return (
        "\n\n".join(
            [
                "# Performance",
                f"Written by `{command}`; times are those of this machine, ratios travel better.",
                f"```text\n{machine}\n```",
                HOW,
                *tables,
            ]
        )
        + "\n"
    )


def commit() -> str:
    """The commit that was measured, as far as Git knows."""
    try:
        command = ["git", "-C", ROOT, "describe", "--always", "--dirty=, changed"]
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return "unknown"


if __name__ == "__main__":
    main(bootstrap.arguments())
