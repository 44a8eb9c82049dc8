"""The tour: the autoencoder and the VAE on real digits, and one page of what came out.

It takes a minute or so; each model's own lesson (`python3 demos --list`) goes further.
"""

# %% Settings: `python3 demos --help` lists the lessons, `python3 demos tour --help` these options
from __future__ import annotations

import time
from dataclasses import dataclass, fields
from typing import Any

from demos import _lesson, autoencoder, vae
from scratchgen.training import Run


@dataclass
class Options(_lesson.Options):
    """Run all lessons on the same images and put them on one page."""


# %% Each lesson keeps its own run folder inside the tour's; their sections become one page
LESSONS = {"autoencoder": autoencoder, "vae": vae}


def lesson(options: Options, run: Run) -> None:
    """Each lesson in turn, with the options that all share."""
    shared = {field.name: getattr(options, field.name) for field in fields(_lesson.Options)}
    table: list[list[Any]] = [["model", "seconds", "result"]]
    sections = []
    for name, module in LESSONS.items():
        print(f"\n{name}: {(module.__doc__ or '').splitlines()[0]}")
        part = run.part(name)
        began = time.monotonic()
        numbers = module.lesson(module.Options(**shared), part)
        result = ", ".join(f"{key} {value}" for key, value in numbers.items())
        table.append([name, round(time.monotonic() - began, 1), result])
        sections += part.sections
    run.section("What was trained", table=table)
    run.sections += sections


def main(argv: list[str] | None = None) -> None:
    """`python3 demos`."""
    _lesson.main("tour", "scratchgen: the tour", Options, lesson, argv)


if __name__ == "__main__":
    main()
