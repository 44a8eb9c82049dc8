"""The report of a run: one HTML page that carries its pictures inside and asks nothing of the network."""

from __future__ import annotations

import base64
import re
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Any

from .mathml import NO_BREAK_SPACE, FormulaError, mathml

if TYPE_CHECKING:
    from ..plots.explorables import Explorable

STYLE = Path(__file__).with_name("report.css")
POLICY = "default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src {}"


@dataclass(frozen=True)
class Picture:
    """A PNG or GIF with its caption; `width` and `height` are in pixels of the page.

    `dark`, a PNG of the same size, takes its place where the reader prefers dark pages. A `chart` has words,
    and is not made smaller than these can be read: on a narrow page it is moved sideways.
    """

    content: bytes
    kind: str
    width: int
    height: int
    caption: str
    dark: bytes | None = None
    chart: bool = False

    @classmethod
    def read(cls, path: Path, caption: str, dark: Path | None = None, chart: bool = False) -> Picture:
        """The picture in a file, and in another for dark pages.

        A PNG is shown at half its size: figures are saved for double density.

        Raises
        ------
        ValueError
            If the file is neither a PNG nor a GIF.
        """
        content = path.read_bytes()
        if content.startswith(b"\x89PNG\r\n\x1a\n"):
            width, height = struct.unpack(">II", content[16:24])
            night = None if dark is None else dark.read_bytes()
            return cls(content, "png", width // 2, height // 2, caption, night, chart)
        if content.startswith((b"GIF87a", b"GIF89a")):
            width, height = struct.unpack("<HH", content[6:10])
            return cls(content, "gif", width, height, caption)
        raise ValueError(f"pictures: {path} starts with {content[:8]!r}, expected a PNG or GIF file")


@dataclass(frozen=True)
class Section:
    """One part of the page."""

    title: str
    text: str = ""
    numbers: Mapping[str, Any] = field(default_factory=dict)
    pictures: Sequence[Picture] = ()
    table: Sequence[Sequence[Any]] = ()
    explorables: Sequence[Explorable] = ()


def render(
    title: str,
    text: str,
    sections: Sequence[Section],
    configuration: Mapping[str, Any],
    environment: Mapping[str, Any],
    command: str = "",
) -> str:
    """The page as HTML; everything that is not this file's own is escaped.

    `command` makes the page again, by the `configuration`; what is None there was not used.

    The browser is told to load nothing (``default-src 'none'``), so that no request leaves the page even if
    something in it were to ask for one. Only the scripts of its explorables run, each named by its digest.
    """
    programs, style, sources = [], STYLE.read_text(encoding="utf-8"), "'none'"
    if names := [one.name for section in sections for one in section.explorables]:
        from ..plots.explorables import figure  # imported when there are any

        programs = figure.scripts(names)
        style, sources = style + figure.STYLE.read_text(encoding="utf-8"), figure.allowed(programs)
    anchors = [f"section-{i}" for i in range(1, len(sections) + 1)]
    links = "".join(f'<a href="#{a}">{escape(s.title)}</a>' for a, s in zip(anchors, sections, strict=True))
    used = {name: value for name, value in configuration.items() if value is not None}
    settings = [["setting", "value"], *map(list, used.items())]
    machine = [["where it ran", ""], *map(list, environment.items())]
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{POLICY.format(sources)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<link rel="icon" href="data:,">
<title>{escape(title)}</title>
<style>
{style}</style>
</head>
<body>
<header>
<h1>{escape(title)}</h1>
{_paragraphs(text)}
</header>
{f'<nav aria-label="Sections">{links}</nav>' if len(sections) > 2 else ""}
<main>
{"".join(map(_section, anchors, sections))}
</main>
<footer>
<details><summary>How to get this page again</summary>
{f'<pre class="command">{escape(command)}</pre>' if command else ""}
{_table(settings) if used else ""}
{_table(machine)}
</details>
</footer>
{"".join(f"<script>{program}</script>" for program in programs)}
</body>
</html>
"""


def _section(anchor: str, section: Section) -> str:
    numbers = "".join(
        f"<div><dt>{escape(name)}</dt><dd>{_large(_cell(value))}</dd></div>\n"
        for name, value in section.numbers.items()
    )
    return f"""<section id="{anchor}">
<h2>{escape(section.title)}</h2>
{_paragraphs(section.text)}
{f"<dl>{numbers}</dl>" if numbers else ""}
{"".join(one.html() for one in section.explorables)}
{"".join(map(_figure, section.pictures))}
{_table(section.table) if section.table else ""}
</section>
"""


VALUE = re.compile(r"[−+-]?\d[\d.,]*\d?(?: ?%)?(?=\s|$)")


def _large(value: str) -> str:
    """A result as HTML: its number, and below it what follows, its unit and what it is compared with.

    Examples
    --------
    >>> _large("98.1% (test images 99.0%)")
    '98.1%<small>test images 99.0%</small>'
    >>> _large("collapsed: 0% of the data")
    'collapsed<small>0% of the data</small>'
    """
    number = VALUE.match(value) or re.match("[^:]*", value)
    assert number is not None
    rest = value[number.end() :].removeprefix(":").strip()
    if rest.startswith("(") and rest.endswith(")") and rest.count("(") == 1:
        rest = rest[1:-1]
    shown = number[0].replace("-", "−") if VALUE.match(value) else number[0]
    return escape(shown) + (f"<small>{escape(rest)}</small>" if rest else "")


def _paragraphs(text: str) -> str:
    """Paragraphs are parted by empty lines; one whose lines are all indented keeps them as they are.

    A paragraph in double dollars is a formula; one in single dollars stands within a line.
    """
    parts = []
    for block in re.split(r"\n\s*\n", text.strip("\n")):
        lines, whole = block.splitlines(), block.strip()
        if len(whole) > 4 and whole.startswith("$$") and whole.endswith("$$"):
            parts.append(_formula(whole[2:-2]))
        elif lines and all(line.startswith("    ") for line in lines):
            parts.append(f"<pre>{escape(chr(10).join(line[4:] for line in lines))}</pre>")
        elif whole:
            pieces = re.split(r"\$([^$]+)\$", " ".join(block.split()))
            pieces[::2] = map(escape, pieces[::2])
            pieces[1::2] = [_formula(piece, display=False) for piece in pieces[1::2]]
            parts.append(f"<p>{''.join(pieces)}</p>")
    return "\n".join(parts)


def _formula(latex: str, display: bool = True) -> str:
    """A formula; one that is not understood as it was written, for no hour of training should end in that."""
    try:
        return mathml(latex, display)
    except FormulaError:
        return f"<code>{escape(latex)}</code>"


def _figure(picture: Picture) -> str:
    source = f"data:image/{picture.kind};base64,{base64.b64encode(picture.content).decode()}"
    image = (
        f'<img src="{source}" width="{picture.width}" height="{picture.height}" '
        f'alt="{escape(picture.caption)}">'
    )
    if picture.dark is not None:
        night = f"data:image/png;base64,{base64.b64encode(picture.dark).decode()}"
        source = f'<source media="(prefers-color-scheme: dark)" srcset="{night}">'
        image = f"<picture>{source}{image}</picture>"
    if picture.chart:
        image = f'<div class="chart">{image}</div>'
    return f"<figure>{image}<figcaption>{escape(picture.caption)}</figcaption></figure>\n"


def _table(rows: Sequence[Sequence[Any]]) -> str:
    head, *body = rows
    aligned = [
        ' class="number"' if body and all(_is_number(row[i]) for row in body if i < len(row)) else ""
        for i in range(len(head))
    ]
    lines = [_line("th", head, aligned), *(_line("td", row, aligned) for row in body)]
    words = max((len(_cell(row[0])) for row in body), default=0)
    name = ' class="layers"' if head[0] == "layer" else ' class="named"' if words > 12 else ""
    return f'<div class="wide"><table{name}>\n{"".join(lines)}</table></div>'


def _line(tag: str, cells: Sequence[Any], aligned: Sequence[str]) -> str:
    pairs = zip(cells, aligned, strict=True)
    return "<tr>" + "".join(f"<{tag}{a}>{escape(_cell(cell))}</{tag}>" for cell, a in pairs) + "</tr>\n"


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


INTERVAL = re.compile(r" ± |[\[(][-−+\d.,% ]+(?:to [-−+\d.,% ]+)?[\])]")
"""What a line does not end within."""


def _cell(value: Any) -> str:
    """A value for people: four digits, thousands parted, a true minus sign.

    Examples
    --------
    >>> _cell(410404), _cell(-17.93862), _cell({"lr": 0.001})
    ('410,404', '−17.94', 'lr 0.001')
    """
    if isinstance(value, Mapping):
        return ", ".join(f"{name} {_cell(item)}" for name, item in value.items())
    if isinstance(value, list | tuple):
        return ("; " if any(isinstance(item, Mapping) for item in value) else " ").join(map(_cell, value))
    if isinstance(value, int) and not isinstance(value, bool):
        return f"{value:,}".replace("-", "−")
    if isinstance(value, float):
        shown = f"{value:,.0f}" if abs(value) >= 1e4 else f"{value:.4g}"
        return shown.replace("-", "−")
    return INTERVAL.sub(lambda found: found[0].replace(" ", NO_BREAK_SPACE), str(value))
