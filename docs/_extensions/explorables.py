"""``{explorable} name``: what ``docs/explorables/<name>.py`` shows, to be played with in the page.

Each such file has ``show() -> Explorable``; what it needs of trained models was recorded beforehand
(``docs/explorables/record.py``). The scripts are copied into the site, and only pages that use one load it.
"""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path
from typing import Any

import equations
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from scratchgen.plots.explorables import figure

FOLDER = equations.ROOT / "docs" / "explorables"
SITE = "explorables"  # in _static


class ExplorableDirective(SphinxDirective):
    """The element that a script fills, with its numbers and its caption."""

    required_arguments = 1

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        file = FOLDER / f"{name}.py"
        if not file.exists():
            raise self.error(f"there is no docs/explorables/{name}.py")
        for needed in (file, *FOLDER.glob("*.npz")):
            self.env.note_dependency(str(needed))
        shown = runpy.run_path(str(file))["show"]()
        used = self.env.metadata[self.env.docname].setdefault("explorables", [])
        used.append(shown.name)
        around = nodes.container(ids=[f"explorable-{name}"])
        around += nodes.raw("", shown.html(), format="html")
        return [around]


def load(app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any) -> None:
    """Name the scripts and the style in the head of a page that shows explorables."""
    if names := app.env.metadata.get(pagename, {}).get("explorables"):
        app.add_css_file(f"{SITE}/{figure.STYLE.name}")
        for file in figure.files(names):
            app.add_js_file(f"{SITE}/{file.name}", loading_method="defer")


def copy(app: Sphinx, error: Exception | None) -> None:
    """Put scripts and style into the site."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / "_static" / SITE
        target.mkdir(parents=True, exist_ok=True)
        for file in (figure.STYLE, *figure.FOLDER.glob("*.js")):
            shutil.copy(file, target / file.name)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_directive("explorable", ExplorableDirective)
    app.connect("html-page-context", load)
    app.connect("build-finished", copy)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
