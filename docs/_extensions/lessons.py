"""A lesson's full run for its page in the book, as it was recorded.

    python3 docs/_extensions/lessons.py runs/vae-20260102-030405

puts the pictures of a run into ``docs/gallery``, and where they come from. The book shows no others of
a lesson: none is of a model that was trained for a moment.
"""

from __future__ import annotations

import base64
import html
import io
import json
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RECORDS = ROOT / "docs" / "gallery"

FIGURE = re.compile(
    r'<figure>(<div class="chart">)?(?:<picture><source[^>]*base64,([^"]+)">)?'
    r'<img src="data:image/(\w+);base64,([^"]+)"[^>]*>(?:</picture>)?(?:</div>)?'
    r"<figcaption>(.*?)</figcaption>",
    re.DOTALL,
)
SECTION = re.compile(r'<section id="[^"]*">\s*<h2>(.*?)</h2>')
WIDEST, WIDEST_FRAME, FRAMES = 1100, 640, 10
"""Pixels of a recorded picture and of an animation's frame, and how many of these; the rest is left out."""


@dataclass(frozen=True)
class Picture:
    """A picture of a report; a `chart` has words to be read, and comes for dark pages as well."""

    caption: str
    kind: str
    content: bytes
    chart: bool = False
    dark: bytes | None = None
    section: str = ""


def figures(report: Path) -> list[Picture]:
    """The pictures of a report, with the titles of the sections in which they stand."""
    _, *parts = SECTION.split(report.read_text(encoding="utf-8"))
    return [
        Picture(
            html.unescape(caption),
            kind,
            base64.b64decode(content),
            bool(chart),
            base64.b64decode(dark) if chart and dark else None,
            html.unescape(title),
        )
        for title, part in zip(parts[::2], parts[1::2], strict=True)
        for chart, dark, kind, content, caption in FIGURE.findall(part)
    ]


def smaller(picture: bytes) -> bytes:
    """A PNG of at most so many pixels across and of 64 colours; of an animation so many frames, in 16."""
    from PIL import Image, ImageSequence

    image, made = Image.open(io.BytesIO(picture)), io.BytesIO()
    moves = getattr(image, "is_animated", False)
    width = min(image.width, WIDEST_FRAME if moves else WIDEST)
    size = (width, round(image.height * width / image.width))
    if moves:
        step = -(-image.n_frames // FRAMES)
        kept = range((image.n_frames - 1) % step, image.n_frames, step)  # the last one among them
        frames, durations = [], []
        for number, frame in enumerate(ImageSequence.Iterator(image)):
            if number in kept:
                small = frame.convert("RGB").resize(size, Image.Resampling.LANCZOS)
                frames.append(small.quantize(16, dither=Image.Dither.NONE))
                durations.append(step * frame.info.get("duration", 100))
        frames[0].save(
            made, format="GIF", save_all=True, append_images=frames[1:], duration=durations, loop=0
        )
    else:
        small = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
        small.quantize(64, dither=Image.Dither.NONE).save(made, format="PNG", optimize=True)
    return min(made.getvalue(), picture, key=len)


def record(folder: Path) -> None:
    """Write the record of a full run, which lies in a folder with its report."""
    environment = json.loads((folder / "environment.json").read_text(encoding="utf-8"))
    settings = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    name, command = environment["run"], environment["command"]
    for option in ("--out", "--root", "--max-minutes"):  # of this machine, and of no effect on the numbers
        if option in command:
            place = command.index(option)
            command[place : place + 2] = []
    if settings["quick"]:
        raise SystemExit(f"{folder}: got {' '.join(command)}, expected a full run")
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True)
    blas = environment["blas"][0]
    pictures = []
    RECORDS.mkdir(exist_ok=True)
    for old in RECORDS.glob(f"{name}-*.*"):
        old.unlink()
    for number, it in enumerate(figures(folder / "report.html")):
        one: dict[str, Any] = {
            "file": f"{name}-{number}.{it.kind}",
            "caption": it.caption,
            "section": it.section,
        }
        (RECORDS / one["file"]).write_bytes(smaller(it.content))
        if it.chart:
            one["chart"] = True
        if it.dark is not None:
            one["dark"] = f"{name}-{number}-dark.png"
            (RECORDS / one["dark"]).write_bytes(smaller(it.dark))
        pictures.append(one)
    entry = {
        "command": " ".join(command),
        "seed": settings["seed"],
        "commit": commit.stdout.strip(),
        "machine": f"{environment['processor']}, {environment['cores']} cores, NumPy {environment['numpy']}, "
        f"{blas['library']} ({blas['kernels']}) with {blas['threads']} of its threads",
        "pictures": pictures,
    }
    text = json.dumps(entry, indent=1, ensure_ascii=False) + "\n"
    (RECORDS / f"{name}.json").write_text(text, encoding="utf-8")


def pictures(record: dict[str, Any]) -> list[Picture]:
    """The pictures of a record."""
    return [
        Picture(
            one["caption"],
            Path(one["file"]).suffix[1:],
            (RECORDS / one["file"]).read_bytes(),
            one.get("chart", False),
            (RECORDS / one["dark"]).read_bytes() if "dark" in one else None,
            one.get("section", ""),
        )
        for one in record["pictures"]
    ]


def origin(record: dict[str, Any]) -> str:
    """Where a record comes from, as Markdown."""
    return f"By `{record['command']}`, at commit {record['commit']}, on {record['machine']}."


def recorded(name: str) -> dict[str, Any] | None:
    """The record of a lesson, if there is one."""
    file = RECORDS / f"{name}.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.exists() else None


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        record(Path(argument))
