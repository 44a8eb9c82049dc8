"""A page for each demo: its prose and code, the pictures that it makes, and a notebook.

A demo is a script of cells (``# %%``) that makes a run folder with a report. What its page shows is of a full
run that was recorded in ``docs/gallery`` (`lessons.py`). Pages and notebooks are written to ``docs/demos/``,
which git ignores.
"""

from __future__ import annotations

import ast
import base64
import json
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

import equations
import lessons
import plain
from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

ROOT = equations.ROOT
PAGES = ROOT / "docs" / "demos"


@dataclass
class Cell:
    """Prose as Markdown, or code."""

    kind: str
    text: str


def cells(source: str) -> list[Cell]:
    """The cells of a demo; the first is its docstring."""
    docstring = ast.get_docstring(ast.parse(source), clean=True) or ""
    title, _, rest = docstring.partition("\n")
    found = [Cell("markdown", f"# {title.rstrip('.')}\n{rest}".rstrip())]
    body = source[source.index('"""', source.index('"""') + 3) + 3 :]
    for part in re.split(r"^# %%", body, flags=re.MULTILINE)[1:]:
        head, _, rest = part.partition("\n")
        head = head.replace("[markdown]", "").strip()
        lines = rest.splitlines()
        prose = [head] if head else []
        while lines and lines[0].startswith("#"):
            prose.append(lines.pop(0).removeprefix("#").removeprefix(" "))
        if prose:
            found.append(Cell("markdown", "\n".join(prose)))
        if code := "\n".join(lines).strip():
            found.append(Cell("code", code))
    return found


@dataclass
class Run:
    """What a demo made: by which command, and its pictures."""

    command: str
    pictures: list[lessons.Picture]
    note: str


def of_record(record: dict[str, Any]) -> Run:
    """A full run that was recorded."""
    return Run(record["command"], lessons.pictures(record), lessons.origin(record))


def unseen(name: str) -> Run:
    """A lesson of which no full run was recorded yet."""
    command = f"python3 demos {name}"
    return Run(command, [], f"`{command}` shows it: no full run of it is recorded here yet.")


def notebook(name: str, parts: list[Cell], made: Run) -> dict[str, Any]:
    """The demo as a notebook with a run's outputs, to be opened in the project's folder or below it."""
    start = (
        "import sys\nfrom pathlib import Path\n\n"
        "# The project's folder is this one, or one above it.\n"
        "here = Path.cwd()\n"
        'sys.path.insert(0, str(next(p for p in (here, *here.parents) if (p / "demos").is_dir())))'
    )
    main = re.compile(r'^if __name__ == "__main__":\n    main\(\)', re.MULTILINE)
    found = [parts[0], Cell("code", start)]
    options = made.command.split()[3:]
    found += [Cell(part.kind, main.sub(f"main({options})", part.text)) for part in parts[1:]]
    cells: list[dict[str, Any]] = [
        {
            "id": f"{name}-{number}".replace("_", "-"),
            "cell_type": cell.kind,
            "metadata": {},
            "source": cell.text.splitlines(keepends=True),
        }
        | ({"execution_count": number, "outputs": []} if cell.kind == "code" else {})
        for number, cell in enumerate(found)
    ]
    for number, picture in enumerate(made.pictures):
        data = {f"image/{picture.kind}": base64.b64encode(picture.content).decode()}
        cells.append(
            {
                "id": f"{name}-picture-{number}".replace("_", "-"),
                "cell_type": "markdown",
                "metadata": {},
                "source": [f"{markdown(picture.caption)}\n", "\n", f"![](attachment:{name}-{number})"],
                "attachments": {f"{name}-{number}": data},
            }
        )
    return {
        "cells": cells,
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def typeset(text: str) -> str:
    """A docstring as Markdown, its formulas typeset."""
    lines = [
        f"```{{math}}\n{plain.latex(line)}\n```" if line.startswith("    ") else line
        for line in markdown(text).splitlines()
    ]
    return "\n".join(lines)


def images(file: str, picture: lessons.Picture) -> Iterator[str]:
    """A picture whose files lie beside the page, and for dark pages as well."""
    files = {file: "only-light", dark_of(file): "only-dark"} if picture.dark else {file: ""}
    for one, mode in files.items():
        yield f"```{{image}} {one}\n:alt: {markdown(picture.caption)}\n:class: run {mode}\n```\n"


def shown(file: str, picture: lessons.Picture) -> Iterator[str]:
    """A picture of a page below its caption."""
    yield f"{markdown(picture.caption)}:\n\n" + "::::{container} chart\n" * picture.chart
    yield from images(file, picture)
    yield "::::\n" * picture.chart


def dark_of(file: str) -> str:
    """The name of the picture that takes the place of another on dark pages."""
    return file.replace(".", "-dark.")


def write_page(name: str, made: Run) -> None:
    """Write the page of a demo, its pictures and its notebook."""
    source = (ROOT / "demos" / f"{name}.py").read_text(encoding="utf-8")
    parts = cells(source)
    (PAGES / f"{name}.ipynb").write_text(
        json.dumps(notebook(name, parts, made), indent=1) + "\n", encoding="utf-8"
    )
    shutil.copy(ROOT / "demos" / f"{name}.py", PAGES / f"{name}.py")
    lines = [
        typeset(parts[0].text),
        f"\nDownload: {{download}}`notebook <{name}.ipynb>` · {{download}}`script <{name}.py>`\n",
        "## What it makes\n",
        f"{made.note}\n",
    ]
    titled = len({picture.section for picture in made.pictures}) > 1
    for number, picture in enumerate(made.pictures):
        if titled and (number == 0 or picture.section != made.pictures[number - 1].section):
            lines.append(f"### {markdown(picture.section)}\n")
        file = f"{name}-{number}.{picture.kind}"
        (PAGES / file).write_bytes(picture.content)
        if picture.dark:
            (PAGES / dark_of(file)).write_bytes(picture.dark)
        lines += shown(file, picture)
    lines.append("## How\n")
    lines += [
        markdown(cell.text) + "\n" if cell.kind == "markdown" else f"```python\n{cell.text}\n```\n"
        for cell in parts[1:]
    ]
    (PAGES / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")


def card(name: str, made: Run) -> str:
    """What the list shows of a demo: its first picture that rests, and what it is about."""
    source = (ROOT / "demos" / f"{name}.py").read_text(encoding="utf-8")
    title, _, about = cells(source)[0].text.splitlines()[0].removeprefix("# ").partition(": ")
    if not about:
        title, about = name.replace("_", " ").capitalize(), title
    covers = ((f"{name}-{i}.{it.kind}", it) for i, it in enumerate(made.pictures) if it.kind != "gif")
    cover = ":::{card-header}\n" + "".join(images(*one)) + ":::\n\n" if (one := next(covers, None)) else ""
    return (
        f"::::{{grid-item-card}}\n:link: {name}\n:link-type: doc\n\n{cover}"
        f"**{markdown(title)}**\n\n{markdown(about[0].upper() + about[1:])}.\n::::\n"
    )


def markdown(text: str) -> str:
    """Plain prose as Markdown: what would be markup in it is escaped, headings go down one level."""
    lines = []
    for line in text.splitlines():
        if line.startswith("    "):
            lines.append(line)
        else:
            pieces = re.split(r"(`[^`]*`)", line)
            pieces[::2] = [re.sub(r"([*_<>$\[\]|\\])", r"\\\1", piece) for piece in pieces[::2]]
            lines.append(
                "".join(pieces).replace("## ", "### ", 1) if line.startswith("## ") else "".join(pieces)
            )
    return "\n".join(lines)


def generate(app: Sphinx) -> None:
    """Write all pages."""
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir()
    cards = {}
    for name in sorted(file.stem for file in (ROOT / "demos").glob("[!_]*.py")):
        record = lessons.recorded(name)
        made = unseen(name) if record is None else of_record(record)
        write_page(name, made)
        cards[name] = card(name, made)
    names = sorted(cards, key=lambda name: name != "tour")
    listing = "\n".join(names)
    (PAGES / "index.md").write_text(
        "# The demos\n\nEach is a lesson and a script: `python3 demos` runs the tour, `python3 demos vae` "
        "one of them. Their pages show what they make, after a full training.\n\n"
        f":::::{{grid}} 1 2 2 3\n:gutter: 3\n:class-container: gallery\n\n"
        f"{''.join(cards[name] for name in names)}:::::\n\n"
        f"```{{toctree}}\n:hidden:\n\n{listing}\n```\n",
        encoding="utf-8",
    )


class Recorded(SphinxDirective):
    """A picture of a recorded run, by the lesson's name and its number; below it, where it comes from."""

    required_arguments = 2
    option_spec: ClassVar = {"alt": directives.unchanged_required}

    def run(self) -> list[nodes.Node]:
        """The picture and its origin."""
        name, number = self.arguments
        record = lessons.recorded(name)
        if record is None:
            raise self.error(f"docs/gallery has no record of {name!r}")
        self.env.note_dependency(str(lessons.RECORDS / f"{name}.json"))
        made = record["pictures"][int(number)]
        modes = {"file": "only-light", "dark": "only-dark"} if "dark" in made else {"file": ""}
        pictures = [
            nodes.image(uri=f"/gallery/{made[key]}", alt=self.options["alt"], classes=["run", *mode.split()])
            for key, mode in modes.items()
        ]
        box = nodes.container("", *pictures, classes=["chart"] * made.get("chart", False))
        words, problems = self.parse_inline(lessons.origin(record))
        return [box, nodes.paragraph("", "", *words, classes=["origin"]), *problems]


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("recorded", Recorded)
    app.connect("builder-inited", generate)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
