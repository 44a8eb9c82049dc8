"""A page for each demo: its prose and code, run when the book is built, with its pictures and a notebook.

A demo is a script of cells (``# %%``) that makes a run folder with a report. Here it runs as ``--quick``,
with a few more steps where these are cheap, once for each state of the sources. Pages and notebooks are
written to ``docs/demos/``, which git ignores.
"""

from __future__ import annotations

import ast
import base64
import html
import json
import re
import shutil
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import equations
from freshness import digest
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError

ROOT = equations.ROOT
PAGES = ROOT / "docs" / "demos"
KEPT = ROOT / "docs" / "_build" / "demos"

QUICK = ["--quick"]
STEPS = {"autoencoder": 400, "vae": 400}
"""Enough for pictures that show something, where a step takes a millisecond."""

FIGURE = re.compile(
    r'<figure>(?:<picture><source[^>]*>)?<img src="data:image/(\w+);base64,([^"]+)"[^>]*>(?:</picture>)?'
    r"<figcaption>(.*?)</figcaption>",
    re.DOTALL,
)


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


def notebook(name: str, parts: list[Cell]) -> dict[str, Any]:
    """The demo as a notebook, to be opened in the project's folder or in one below it."""
    start = (
        "import sys\nfrom pathlib import Path\n\n"
        "# The project's folder is this one, or one above it.\n"
        "here = Path.cwd()\n"
        'sys.path.insert(0, str(next(p for p in (here, *here.parents) if (p / "demos").is_dir())))'
    )
    main = re.compile(r'^if __name__ == "__main__":\n    main\(\)', re.MULTILINE)
    found = [parts[0], Cell("code", start)]
    found += [
        Cell(part.kind, main.sub("main([])  # or with options: main(['--quick'])", part.text))
        for part in parts[1:]
    ]
    return {
        "cells": [
            {
                "id": f"{name}-{number}".replace("_", "-"),
                "cell_type": cell.kind,
                "metadata": {},
                "source": cell.text.splitlines(keepends=True),
            }
            | ({"execution_count": None, "outputs": []} if cell.kind == "code" else {})
            for number, cell in enumerate(found)
        ],
        "metadata": {"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def run(name: str, target: Path) -> None:
    """Run a demo and keep its report and what it printed in a folder."""
    steps = ["--steps", str(STEPS[name])] if name in STEPS else []
    with tempfile.TemporaryDirectory() as out:
        command = [sys.executable, str(ROOT / "demos"), "--no-venv", name, *QUICK, *steps, "--out", out]
        process = subprocess.run(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
        )
        reports = sorted(Path(out).glob("*/report.html"))
        if process.returncode or len(reports) != 1:
            raise ExtensionError(f"demos/{name}.py did not run:\n{process.stdout[-3000:]}")
        unfinished = target.with_suffix(".new")
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(parents=True)
        shutil.copy(reports[0], unfinished / "report.html")
        (unfinished / "command.txt").write_text(
            " ".join(["python3 demos", name, *QUICK, *steps]), encoding="utf-8"
        )
        unfinished.rename(target)


def write_page(name: str, kept: Path) -> str:
    """Write the page of a demo, its pictures and its notebook; return its title."""
    source = (ROOT / "demos" / f"{name}.py").read_text(encoding="utf-8")
    parts = cells(source)
    (PAGES / f"{name}.ipynb").write_text(json.dumps(notebook(name, parts), indent=1) + "\n", encoding="utf-8")
    shutil.copy(kept / "report.html", PAGES / f"{name}-report.html")
    shutil.copy(ROOT / "demos" / f"{name}.py", PAGES / f"{name}.py")
    command = (kept / "command.txt").read_text(encoding="utf-8")
    lines = [
        markdown(parts[0].text),
        f"\nDownload: {{download}}`notebook <{name}.ipynb>` · {{download}}`script <{name}.py>` · "
        f"{{download}}`the page that this run made <{name}-report.html>`\n",
        "## What it makes\n",
        f"By `{command}`, in a few steps of training, for this book. "
        "Without `--quick` and `--steps` it trains in earnest, and the pictures are better.\n",
    ]
    report = (kept / "report.html").read_text(encoding="utf-8")
    for number, (kind, content, caption) in enumerate(FIGURE.findall(report)):
        picture = f"{name}-{number}.{kind}"
        (PAGES / picture).write_bytes(base64.b64decode(content))
        text = markdown(html.unescape(caption))
        lines.append(f"{text}:\n\n```{{image}} {picture}\n:alt: {text}\n:class: run\n```\n")
    lines.append("## How\n")
    lines += [
        markdown(cell.text) + "\n" if cell.kind == "markdown" else f"```python\n{cell.text}\n```\n"
        for cell in parts[1:]
    ]
    (PAGES / f"{name}.md").write_text("\n".join(lines), encoding="utf-8")
    return parts[0].text.splitlines()[0].removeprefix("# ")


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
    """Run the demos that changed, and write all pages."""
    names = sorted(file.stem for file in (ROOT / "demos").glob("[!_]*.py"))
    sources = digest([*ROOT.glob("scratchgen/**/*.py"), *ROOT.glob("demos/*.py"), Path(__file__)])
    kept = {name: KEPT / f"{name}-{sources}" for name in names}
    missing = [name for name in names if not kept[name].exists()]
    with ThreadPoolExecutor(max_workers=2) as pool:
        list(pool.map(lambda name: run(name, kept[name]), missing))
    shutil.rmtree(PAGES, ignore_errors=True)
    PAGES.mkdir()
    for name in names:
        write_page(name, kept[name])
    names.sort(key=lambda name: name != "tour")
    listing = "\n".join(names)
    (PAGES / "index.md").write_text(
        "# The demos\n\nEach is a lesson and a script: `python3 demos` runs the tour, `python3 demos vae` "
        "one of them. These pages were made by running them, with few steps.\n\n"
        f"```{{toctree}}\n:maxdepth: 1\n\n{listing}\n```\n",
        encoding="utf-8",
    )


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("builder-inited", generate)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
