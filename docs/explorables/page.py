"""All explorables on one page that needs nothing but a browser: `python3 docs/explorables/page.py`.

It writes ``docs/play.html`` from ``docs/play.md``, which is the same page of the book. The file is kept in
the repository, so that somebody who has just cloned it can open it.
"""

from __future__ import annotations

import re
import runpy
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
SOURCE, PAGE = HERE.parent / "play.md", HERE.parent / "play.html"
sys.path[:0] = [str(HERE.parents[1])]

from scratchgen.training.report import Section, render  # noqa: E402

SHOWN = re.compile(r"```\{explorable\} (\w+)\n```")


def sections(text: str) -> tuple[str, str, list[Section]]:
    """Title, introduction and sections of the page; what leads to chapters is left out."""
    head, *parts = re.split(r"^## ", text, flags=re.MULTILINE)
    title, _, introduction = head.removeprefix("# ").partition("\n")
    made = []
    for part in parts:
        name, _, rest = part.partition("\n")
        shown = [runpy.run_path(str(HERE / f"{one}.py"))["show"]() for one in SHOWN.findall(rest)]
        words = [it for it in SHOWN.sub("", rest).split("\n\n") if "{doc}" not in it]
        made.append(Section(name, "\n\n".join(words), explorables=shown))
    return title, introduction, made


def main() -> None:
    """Write the page."""
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=HERE, capture_output=True, text=True
    ).stdout.strip()
    command = "python3 docs/explorables/page.py"
    title, introduction, made = sections(SOURCE.read_text(encoding="utf-8"))
    PAGE.write_text(render(title, introduction, made, {}, {"commit": commit}, command), encoding="utf-8")
    print(f"{PAGE}: {PAGE.stat().st_size >> 10} KB")


if __name__ == "__main__":
    main()
