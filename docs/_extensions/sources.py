"""The project's files as pages of the book, and links to a line of them.

    {source}`scratchgen/models/vae/model.py`            the file
    {source}`scratchgen/models/vae/model.py::VAE.elbo`  the line where that begins
    {test}`tests/models/test_vae.py::test_x`      the same for a test, shown by its name

A file or a name that is not there is a warning, and so ends the build.
"""

from __future__ import annotations

import ast
import functools
import html
import re
from collections.abc import Iterator
from typing import Any

import equations
from docutils import nodes
from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.docutils import SphinxRole

log = logging.getLogger(__name__)

ROOT = equations.ROOT
BODY = '<div class="source-page"><h1>{path}</h1>{code}</div>'
FOLDERS = ("scratchgen", "tests", "demos")


class source_link(nodes.General, nodes.Inline, nodes.TextElement):
    """A link to a line of a file, whose address depends on the page that it stands on."""


def page(path: str) -> str:
    """The name of a file's page."""
    return f"source/{path.removesuffix('.py')}"


def link(path: str, line: int, text: str) -> source_link:
    """A link to a line of a file, or to its beginning (line 0)."""
    return source_link("", "", nodes.literal("", text), path=path, line=line)


class Role(SphinxRole):
    """``{source}`` or ``{test}``."""

    def run(self) -> tuple[list[nodes.Node], list[nodes.system_message]]:
        path, _, name = self.text.partition("::")
        short = name if self.name == "test" or name else path
        try:
            line = line_of(path, name) if name else 0
            if self.name == "test" and not name:
                raise LookupError("a test is named as in tests/models/test_vae.py::test_x")
        except LookupError as error:
            log.warning("%s", error.args[0], location=self.get_location())
            return [nodes.literal("", self.text)], []
        return [link(path, line, short)], []


@functools.cache
def lines(path: str) -> dict[str, int]:
    """Where each function, class, method and constant of a file begins, by its dotted name."""
    file = ROOT / path
    if not path.startswith(FOLDERS) or not file.is_file():
        raise LookupError(f"{path}: there is no such file in {', '.join(FOLDERS)}")
    found: dict[str, int] = {}

    def walk(body: list[ast.stmt], prefix: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                found[prefix + node.name] = node.lineno
                walk(node.body, f"{prefix}{node.name}.")
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                found.update({prefix + t.id: node.lineno for t in targets if isinstance(t, ast.Name)})

    walk(ast.parse(file.read_text(encoding="utf-8")).body, "")
    return found


def line_of(path: str, name: str) -> int:
    """The line where ``name`` of a file begins; LookupError if there is none."""
    found = lines(path)
    name = name.partition("[")[0].replace("::", ".")
    if name not in found:
        raise LookupError(f"{path}: nothing there is named {name}")
    return found[name]


class ResolveLinks(SphinxPostTransform):
    """Turn each `source_link` into a reference, relative to its page."""

    default_priority = 900

    def run(self, **options: Any) -> None:
        for node in list(self.document.findall(source_link)):
            base = self.app.builder.get_relative_uri(self.env.docname, page(node["path"]))
            anchor = f"#L-{node['line']}" if node["line"] else ""
            node.replace_self(nodes.reference("", "", *node.children, refuri=base + anchor, internal=True))


def pages(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """A page for each file, with a link to the chapter at each label of an equation."""
    formatter = HtmlFormatter(lineanchors="L", linenos="inline", anchorlinenos=True, wrapcode=True)
    for folder in FOLDERS:
        for file in sorted((ROOT / folder).rglob("*.py")):
            path = file.relative_to(ROOT).as_posix()
            code = highlight(file.read_text(encoding="utf-8"), PythonLexer(), formatter)
            context = {
                "title": path,
                "body": BODY.format(path=html.escape(path), code=with_links(app, path, code)),
            }
            yield page(path), context, "page.html"


def keep_contents(
    app: Sphinx, pagename: str, templatename: str, context: dict[str, Any], doctree: Any
) -> None:
    """Make the table of contents once for all pages of one depth, from which its links look the same."""
    if pagename.startswith("source/"):
        toctree, depth, made = context["toctree"], pagename.count("/"), app.contents  # type: ignore[attr-defined]

        def contents(**options: Any) -> str:
            key = (depth, *sorted(options.items()))
            if key not in made:
                made[key] = toctree(**options)
            return made[key]

        context["toctree"] = contents


def with_links(app: Sphinx, path: str, code: str) -> str:
    """The highlighted code, in which the labels of the chapters' equations link to them."""
    known = app.env.get_domain("math").equations  # type: ignore[attr-defined]

    def linked(match: re.Match[str]) -> str:
        label = match[2]
        if label not in known:
            return match[0]
        address = app.builder.get_relative_uri(page(path), known[label][0])
        return f'{match[1]}<a class="equation" href="{address}#equation-{label}">{label}</a>{match[3]}'

    return re.sub(rf"(\(|equation.*?&quot;)({equations.LABEL})(\)|&quot;)", linked, code)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_node(source_link)
    app.add_role("source", Role())
    app.add_role("test", Role())
    app.add_post_transform(ResolveLinks)
    app.contents = {}  # type: ignore[attr-defined]
    app.connect("html-collect-pages", pages)
    app.connect("html-page-context", keep_contents, priority=100)  # before the theme's
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
