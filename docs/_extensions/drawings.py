"""``{drawing} name``: the figure that ``docs/figures/<name>.py`` draws when the book is built.

Each such file has ``draw() -> matplotlib.figure.Figure``. The figure is saved once for each state of the
sources, as an SVG for light pages and one for dark: there the greys are turned over, the colours and images
stay.
"""

from __future__ import annotations

import contextlib
import io
import re
import runpy
import shutil
from pathlib import Path
from typing import Any

import equations
from docutils import nodes
from docutils.parsers.rst import directives
from freshness import digest
from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util.docutils import SphinxDirective

ROOT = equations.ROOT
FIGURES = ROOT / "docs" / "figures"
KEPT = ROOT / "docs" / "_build" / "figures"
GREY = re.compile(r"#(?:([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})|([0-9a-f])([0-9a-f])([0-9a-f]))\b")
SHOWN = "_static/figures"  # in the site


def draw_all(app: Sphinx) -> None:
    """Draw what is not kept from an earlier build of the same sources."""
    package = digest(ROOT.glob("scratchgen/**/*.py"))
    wanted = {
        file.stem: f"{file.stem}-{package}-{digest([file])}" for file in sorted(FIGURES.glob("[!_]*.py"))
    }
    missing = {name: kept for name, kept in wanted.items() if not (KEPT / f"{kept}.svg").exists()}
    KEPT.mkdir(parents=True, exist_ok=True)
    app.drawings = {  # type: ignore[attr-defined]
        name: (kept, app.jobs.give(f"drawing {name}", draw, name, kept) if name in missing else None)  # type: ignore[attr-defined]
        for name, kept in wanted.items()
    }


def drawn(app: Sphinx, name: str, end: str = "") -> Path:
    """The file of a drawing, once it is there; ``end`` is "-dark" for dark pages."""
    kept, job = app.drawings[name]  # type: ignore[attr-defined]
    if job is not None and (fault := job.result()):
        raise ExtensionError(f"docs/figures/{name}.py: {fault}")
    return KEPT / f"{kept}{end}.svg"


def draw(name: str, kept: str) -> str:
    """Run one file and save its figure; return what went wrong, or nothing."""
    import traceback

    import matplotlib as mpl

    mpl.use("agg")
    mpl.rcParams["svg.hashsalt"] = name  # the same file each time
    try:
        with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):
            figure = runpy.run_path(str(FIGURES / f"{name}.py"))["draw"]()
        picture = io.StringIO()
        figure.savefig(picture, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    except Exception:
        return traceback.format_exc()
    light = picture.getvalue()
    (KEPT / f"{kept}-dark.svg").write_text(dark(light), encoding="utf-8")
    (KEPT / f"{kept}.svg").write_text(light, encoding="utf-8")
    return ""


def dark(svg: str) -> str:
    """The picture with its greys turned over, black to near white, and text without a colour light."""

    def turned(match: re.Match[str]) -> str:
        digits = [part * (2 // len(part)) for part in match.groups() if part]
        levels = [int(part, 16) for part in digits]
        if max(levels) - min(levels) > 24:  # a colour
            return match[0]
        return "#" + "".join(f"{round(225 - 0.8 * level):02x}" for level in levels)

    svg = re.sub(r"(?<=[ :])(?:black)\b", "#000000", svg)
    svg = re.sub(r"(?<=[ :])(?:white)\b", "#ffffff", svg)
    svg = GREY.sub(turned, svg)
    return re.sub(r"<svg ", '<svg fill="#e1e1e1" ', svg, count=1)


class drawing_image(nodes.General, nodes.Element):
    """The image of a drawing for light or for dark pages, of which nothing is known before it is drawn."""


class Drawing(SphinxDirective):
    """The figure with its caption, in both versions."""

    required_arguments = 1
    has_content = True
    option_spec = {"alt": directives.unchanged}  # noqa: RUF012 (docutils' way)

    def run(self) -> list[nodes.Node]:
        name = self.arguments[0]
        if name not in self.env.app.drawings:
            raise self.error(f"there is no docs/figures/{name}.py")
        caption = nodes.caption()
        self.state.nested_parse(self.content, self.content_offset, content := nodes.Element())
        if content.children and isinstance(content[0], nodes.paragraph):
            caption += content[0].children
        alternative = self.options.get("alt") or caption.astext() or name
        images = [
            drawing_image(drawing=name, version=version, alt=alternative) for version in ("light", "dark")
        ]
        figure = nodes.figure("", *images, caption)
        figure["classes"].append("drawing")
        figure["ids"].append(f"figure-{name}")
        return [figure, *content.children[1:]]


class ShowImages(SphinxPostTransform):
    """Put each drawing's image where it belongs, when it is drawn."""

    default_priority = 600

    def run(self, **options: Any) -> None:
        for node in list(self.document.findall(drawing_image)):
            node.replace_self(self.picture(node["version"], node["drawing"], node["alt"]))

    def picture(self, version: str, name: str, alternative: str) -> nodes.Node:
        """The image shown on light, or on dark pages."""
        end = "" if version == "light" else "-dark"
        source = f"{'../' * self.env.docname.count('/')}{SHOWN}/{name}{end}.svg"
        text = alternative.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
        size = pixels(drawn(self.app, name, end).read_text(encoding="utf-8"))
        markup = f'<img class="only-{version}" src="{source}" alt="{text}"{size} loading="lazy">'
        return nodes.raw("", markup, format="html")


def pixels(svg: str) -> str:
    """The size of a drawing as attributes of its image, so that a page does not jump while it loads."""
    sides = re.search(r'<svg [^>]*?width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    if sides is None:
        return ""
    width, height = (round(float(side) * 4 / 3) for side in sides.groups())
    return f' width="{width}" height="{height}"'


def copy(app: Sphinx, error: Exception | None) -> None:
    """Put the pictures into the site."""
    if error is None and app.builder.format == "html":
        target = Path(app.outdir) / SHOWN
        target.mkdir(parents=True, exist_ok=True)
        for name in app.drawings:  # type: ignore[attr-defined]
            for end in ("", "-dark"):
                shutil.copy(drawn(app, name, end), target / f"{name}{end}.svg")


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_node(drawing_image)
    app.add_directive("drawing", Drawing)
    app.add_post_transform(ShowImages)
    app.connect("builder-inited", draw_all, priority=400)
    app.connect("build-finished", copy)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
