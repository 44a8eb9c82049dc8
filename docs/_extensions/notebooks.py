"""Each chapter as a notebook that was run, and below each block of its page what the block showed.

The blocks run once for each state of the sources (`blocks`), beside the reading of the pages. The notebook
has the chapter's prose, its formulas and drawings, and its code with the outputs; it is linked below the
title.
"""

from __future__ import annotations

import base64
import json
import re
from concurrent.futures import Future
from pathlib import Path
from typing import Any

import blocks
import drawings
import equations
from docutils import nodes
from freshness import digest
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform

ROOT = equations.ROOT
KEPT = ROOT / "docs" / "_build" / "blocks"
SITE = "_notebooks"

START = """\
import contextlib
import sys
from pathlib import Path

# Where the package is not installed: the project's folder is this one, or one above it.
sys.path += [str(folder) for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "scratchgen").is_dir()]
with contextlib.suppress(NameError):  # outside of a notebook
    get_ipython().run_line_magic("matplotlib", "inline")"""
"""The first cell: where the package is, and figures below their cells."""

FENCE = re.compile(r"^(`{3,}|:{3,})\{(\w+)\}[ \t]*(.*?)\n(.*?)^\1[ \t]*$", re.MULTILINE | re.DOTALL)
TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
ROLE = re.compile(r"\{(\w+)\}`([^`]+)`")
SETTING = re.compile(r"^:(\w+):[ \t]*(.*)\n", re.MULTILINE)


def begin(app: Sphinx) -> None:
    """Run the blocks of the chapters that changed."""
    package = digest([*ROOT.glob("scratchgen/**/*.py"), Path(blocks.__file__)])
    KEPT.mkdir(parents=True, exist_ok=True)
    waited: dict[str, tuple[Path, Future[str] | None]] = {}
    for chapter in equations.chapters():
        file = KEPT / f"{chapter.stem}-{package}-{digest([chapter])}.json"
        job = None
        if not file.exists():
            job = app.jobs.give(f"code of {chapter.stem}", blocks.keep, str(chapter), str(file))  # type: ignore[attr-defined]
        waited[chapter.stem] = (file, job)
    app.blocks = waited  # type: ignore[attr-defined]


def shown(app: Sphinx, chapter: str) -> list[blocks.Shown]:
    """What the blocks of a chapter showed, once they have run."""
    file, job = app.blocks[chapter]  # type: ignore[attr-defined]
    if job is not None and (fault := job.result()):
        raise ExtensionError(f"docs/chapters/{chapter}.md: {fault}")
    return blocks.kept(file)


def notebook(chapter: Path, outcomes: list[blocks.Shown], pictures: dict[str, str]) -> dict[str, Any]:
    """The notebook of a chapter; ``pictures`` are its drawings, as SVG, by name."""
    text = chapter.read_text(encoding="utf-8")
    cells = [code(START, None, 1)]
    place = 0
    for block, outcome in zip(blocks.BLOCK.finditer(text), outcomes, strict=True):
        cells += prose(text[place : block.start()], pictures)
        cells.append(code(block["code"].rstrip("\n"), outcome, sum("outputs" in cell for cell in cells) + 1))
        place = block.end()
    cells += prose(text[place:], pictures)
    for number, cell in enumerate(cells):
        cell["id"] = f"{chapter.stem}-{number}".replace("_", "-")
    return {
        "cells": [cells[1], cells[0], *cells[2:]],  # the title first
        "metadata": {
            "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
            "language_info": {"name": "python"},
        },
        "nbformat": 4,
        "nbformat_minor": 5,
    }


def code(source: str, outcome: blocks.Shown | None, count: int) -> dict[str, Any]:
    """A cell of code with what it showed."""
    outputs: list[dict[str, Any]] = []
    if outcome is not None and outcome.text:
        outputs.append({"output_type": "stream", "name": "stdout", "text": lines(outcome.text)})
    data: dict[str, Any] = {}
    if outcome is not None and outcome.png:
        data = {"image/png": outcome.png, "text/plain": ["<Figure>"]}
    elif outcome is not None and outcome.value:
        data = {"text/plain": lines(outcome.value)}
    if data:
        result = {"output_type": "execute_result", "execution_count": count, "data": data, "metadata": {}}
        outputs.append(result)
    return {
        "cell_type": "code",
        "execution_count": count,
        "metadata": {},
        "outputs": outputs,
        "source": lines(source),
    }


def prose(text: str, pictures: dict[str, str]) -> list[dict[str, Any]]:
    """A cell of Markdown, or none; drawings are attached to it."""
    attached: dict[str, dict[str, str]] = {}

    def plain(fence: re.Match[str]) -> str:
        kind, argument, body = fence[2], fence[3], fence[4]
        settings = dict(SETTING.findall(body))
        body = SETTING.sub("", body).strip()
        if kind == "math":
            tag = rf" \tag{{{settings['label']}}}" if "label" in settings else ""
            return f"$$\n{body}{tag}\n$$"
        if kind == "drawing" and argument in pictures:
            name = f"{argument}.svg"
            attached[name] = {"image/svg+xml": base64.b64encode(pictures[argument].encode()).decode()}
            return f"![{settings.get('alt', argument)}](attachment:{name})\n\n*{body}*"
        if kind == "explorable":
            return f"*To be played with in the book: {argument.replace('_', ' ')}.*"
        return body

    text = re.sub(r"^:{3,}\{dropdown\} (.+)$", r"**\1.**", text, flags=re.MULTILINE)
    text = ROLE.sub(reference, FENCE.sub(plain, text))
    text = re.sub(r"^(?::{3,}[ \t]*\n|\(\S+\)=\n)", "", text + "\n", flags=re.MULTILINE)
    text = re.sub(r"\n{3,}", "\n\n", text).strip()
    if not text:
        return []
    cell = {"cell_type": "markdown", "metadata": {}, "source": lines(text)}
    return [cell | ({"attachments": attached} if attached else {})]


def reference(role: re.Match[str]) -> str:
    """A reference of the book in plain words."""
    kind, text = role[1], role[2]
    if kind == "eq":
        return f"({text})"
    if kind == "doc":
        named, _, target = text.rstrip(">").rpartition("<")
        return named.strip() or title(target)
    short = kind == "source" and "::" in text
    return f"`{text.rpartition('::')[2] if short else text}`"


def title(page: str) -> str:
    """What a chapter is called; of another page, its name."""
    file = ROOT / "docs" / "chapters" / f"{page}.md"
    found = TITLE.search(file.read_text(encoding="utf-8")) if file.exists() else None
    return f"“{found[1]}”" if found else page


def lines(text: str) -> list[str]:
    """As notebooks keep it."""
    return text.splitlines(keepends=True)


class AddOutputs(SphinxPostTransform):
    """Below each block what it showed; below the title of a chapter, where its notebook is."""

    default_priority = 400

    def run(self, **options: Any) -> None:
        folder, _, chapter = self.env.docname.rpartition("/")
        if folder != "chapters" or self.app.builder.format != "html":
            return
        found = [
            node for node in self.document.findall(nodes.literal_block) if node.get("language") == "python"
        ]
        for number, (node, outcome) in enumerate(zip(found, shown(self.app, chapter), strict=True)):
            place = node.parent.index(node) + 1
            node.parent[place:place] = self.output(outcome, f"{chapter}-{number}")
        heading = next(self.document.findall(nodes.title))
        link = f'<a href="../{SITE}/{chapter}.ipynb" download>Notebook</a>'
        line = f'<p class="notebook">{link} of this chapter, with its outputs</p>'
        heading.parent.insert(heading.parent.index(heading) + 1, nodes.raw("", line, format="html"))

    def output(self, outcome: blocks.Shown, name: str) -> list[nodes.Node]:
        """Text and picture of one block."""
        found: list[nodes.Node] = []
        if text := outcome.text + outcome.value:
            found.append(nodes.literal_block(text, text, language="none", classes=["output"]))
        if outcome.svg:
            found += [
                self.picture(outcome.svg, name, "light", ""),
                self.picture(drawings.dark(outcome.svg), name, "dark", "-dark"),
            ]
        return found

    def picture(self, svg: str, name: str, version: str, end: str) -> nodes.Node:
        """The image for light or for dark pages, whose file is written into the site."""
        folder = Path(self.app.outdir) / drawings.SHOWN
        folder.mkdir(parents=True, exist_ok=True)
        (folder / f"{name}{end}.svg").write_text(svg, encoding="utf-8")
        attributes = f'class="output only-{version}" src="../{drawings.SHOWN}/{name}{end}.svg"'
        markup = f'<img {attributes} alt="What this code draws"{drawings.pixels(svg)} loading="lazy">'
        return nodes.raw("", markup, format="html")


def write(app: Sphinx, error: Exception | None) -> None:
    """Put the notebooks into the site."""
    if error is not None or app.builder.format != "html":
        return
    folder = Path(app.outdir) / SITE
    folder.mkdir(parents=True, exist_ok=True)
    pictures = {
        name: drawings.drawn(app, name).read_text(encoding="utf-8")
        for name in app.drawings  # type: ignore[attr-defined]
    }
    for chapter in equations.chapters():
        made = notebook(chapter, shown(app, chapter.stem), pictures)
        (folder / f"{chapter.stem}.ipynb").write_text(json.dumps(made, indent=1) + "\n", encoding="utf-8")


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_post_transform(AddOutputs)
    app.connect("builder-inited", begin, priority=450)
    app.connect("build-finished", write)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
