"""The Python of a chapter, run as a notebook runs it: block after block, with what each of them shows.

A block shows what it prints, and the value of its last line if that is an expression: a matplotlib Figure
as a picture, anything else by its ``repr``.
"""

from __future__ import annotations

import ast
import base64
import contextlib
import io
import json
import re
from pathlib import Path
from typing import Any, NamedTuple

BLOCK = re.compile(
    r"^(?P<indent> *)(?P<fence>`{3,})python\n(?P<code>.*?)^ *(?P=fence)[ \t]*$", re.MULTILINE | re.DOTALL
)


class Shown(NamedTuple):
    """What one block shows."""

    text: str = ""
    value: str = ""
    png: str = ""  # in base64, for the notebook
    svg: str = ""  # for the page


def run(chapter: str) -> list[Shown]:
    """The blocks of a chapter's file, in one namespace."""
    path = Path(chapter)
    text = path.read_text(encoding="utf-8")
    namespace: dict[str, Any] = {"__name__": path.stem}
    return [
        show(block["code"], namespace, f"{path.name} line {text.count(chr(10), 0, block.start()) + 1}")
        for block in BLOCK.finditer(text)
    ]


def show(code: str, namespace: dict[str, Any], name: str) -> Shown:
    """Run one block, and take what it shows."""
    tree = ast.parse(code)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        exec(compile(tree, name, "exec"), namespace)
        value = eval(compile(ast.Expression(last.value), name, "eval"), namespace) if last else None
    if hasattr(value, "savefig"):
        return Shown(printed.getvalue(), "", *pictures(value, name))
    return Shown(printed.getvalue(), "" if value is None else repr(value))


def pictures(figure: Any, name: str) -> tuple[str, str]:
    """A figure for a notebook and for a page."""
    import matplotlib as mpl

    mpl.rcParams["svg.hashsalt"] = name  # the same file each time
    png, svg = io.BytesIO(), io.StringIO()
    figure.savefig(png, format="png", dpi=96, bbox_inches="tight", metadata={"Software": None})
    figure.savefig(svg, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    return base64.b64encode(png.getvalue()).decode(), svg.getvalue()


def keep(chapter: str, kept: str) -> str:
    """Run a chapter and keep what it shows in a file; return what went wrong, or nothing."""
    import traceback

    import matplotlib as mpl

    mpl.use("agg")
    try:
        found = run(chapter)
    except BaseException:
        return traceback.format_exc()
    unfinished = Path(kept).with_suffix(".new")
    unfinished.write_text(json.dumps(found), encoding="utf-8")
    unfinished.replace(kept)
    return ""


def kept(file: Path) -> list[Shown]:
    """What `keep` wrote."""
    return [Shown(*entry) for entry in json.loads(file.read_text(encoding="utf-8"))]
