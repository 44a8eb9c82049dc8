"""A last look at the finished site: every link within it leads somewhere, nothing is loaded from outside.

Sphinx has checked the references that it knows. This reads the pages as a browser will find them.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urldefrag

from sphinx.application import Sphinx
from sphinx.util import logging

log = logging.getLogger(__name__)

IDENTIFIER = re.compile(r'<\w[^<>]*?\sid="([^"]+)"')  # in a tag: a page of source code may speak of ids
LINK = re.compile(r'<(\w+)\b[^>]*?\s(?:href|src)="([^"]*)"')
OUTSIDE = re.compile(r"(?:https?:)?//")
LOADED_BY_STYLE = re.compile(r"""(?:url\(\s*|@import\s+)["']?((?:https?:)?//[^"')\s]+)""")
UNRENDERED = re.compile(r'<\w+\b[^<>]*\sclass="[^"]*\b(?:katex-error|problematic|system-message)\b')


def faults(site: Path) -> Iterator[str]:
    """What is wrong with a built site, a line for each fault."""
    texts = {file: file.read_text(encoding="utf-8") for file in sorted(site.rglob("*.html"))}
    named = {file: [unescape(name) for name in IDENTIFIER.findall(text)] for file, text in texts.items()}
    anchors = {file: set(names) for file, names in named.items()}
    for file, text in texts.items():
        where = file.relative_to(site).as_posix()
        if found := UNRENDERED.search(text):
            yield f"{where}: holds an error message ({found[0]})"
        if len(named[file]) > len(anchors[file]):
            (again, _), *_ = Counter(named[file]).most_common(1)
            yield f"{where}: two elements have the id {again}"
        for tag, address in LINK.findall(text):
            if fault := dead(file, unescape(address), tag, anchors):
                yield f"{where}: {fault}"
    for file in site.rglob("*.css"):
        for address in LOADED_BY_STYLE.findall(file.read_text(encoding="utf-8")):
            yield f"{file.relative_to(site).as_posix()}: loads {address}"


def dead(file: Path, address: str, tag: str, anchors: dict[Path, set[str]]) -> str:
    """What is wrong with a link of a page; empty if nothing is."""
    if OUTSIDE.match(address):
        return "" if tag == "a" else f"<{tag}> loads {address}"
    if re.match(r"\w+:", address):  # mailto:, data:
        return ""
    path, anchor = urldefrag(address)
    path = path.partition("?")[0]
    target = (file.parent / unquote(path)).resolve() if path else file
    if not target.is_file():
        return f"the link to {address} is dead: there is no such file"
    if anchor and target in anchors and unquote(anchor) not in anchors[target]:
        return f"the link to {address} is dead: the page has no such place"
    return ""


def check(app: Sphinx, error: Exception | None) -> None:
    """Warn of each fault, which ends the build."""
    if error is None and app.builder.format == "html":
        for fault in faults(Path(app.outdir)):
            log.warning("%s", fault)


def setup(app: Sphinx) -> dict[str, Any]:
    """Called by Sphinx."""
    app.connect("build-finished", check, priority=900)  # when all files are in place
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
