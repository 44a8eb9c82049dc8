"""An explorable as HTML: an element with its numbers, scripts that stand once in a page, and a style."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from html import escape
from pathlib import Path
from typing import Any

import numpy as np

from ...backend import asnumpy

FOLDER = Path(__file__).parent
STYLE = FOLDER / "explorables.css"


@dataclass(frozen=True)
class Explorable:
    """The numbers of an explorable, the name of its script, and a caption."""

    name: str
    data: Mapping[str, Any]
    caption: str

    def html(self) -> str:
        """The element that the script fills; its numbers are JSON, in which no tag can begin."""
        numbers = json.dumps(self.data, separators=(",", ":")).replace("<", "\\u003c")
        return (
            f'<figure class="explorable"><div data-explorable="{escape(self.name)}">'
            f'<script type="application/json">{numbers}</script>'
            "<noscript><p>There is something to play with here, where scripts may run.</p></noscript></div>"
            f"<figcaption>{escape(self.caption)}</figcaption></figure>\n"
        )


def files(names: Iterable[str]) -> list[Path]:
    """The scripts that explorables of these names need, in the order in which they have to stand."""
    wanted = sorted(set(names))
    return [FOLDER / f"{name}.js" for name in (["kit", *wanted] if wanted else [])]


def scripts(names: Iterable[str]) -> list[str]:
    """What stands in these files."""
    return [file.read_text(encoding="utf-8") for file in files(names)]


def allowed(texts: Iterable[str]) -> str:
    """The sources that a Content-Security-Policy names so that these scripts run, and no other."""
    digests = (hashlib.sha256(text.encode()).digest() for text in texts)
    return " ".join(f"'sha256-{base64.b64encode(digest).decode()}'" for digest in digests)


def pack(array: Any) -> dict[str, Any]:
    """Numbers as text, which `kit.js` unpacks: bytes stay bytes, all else becomes float32.

    Examples
    --------
    >>> pack(np.array([[1.0], [2.0]]))
    {'type': 'f4', 'shape': [2, 1], 'data': 'AACAPwAAAEA='}
    """
    array = asnumpy(array)
    kind = "u1" if array.dtype == np.uint8 else "f4"
    content = np.ascontiguousarray(array, f"<{kind}").tobytes()
    return {"type": kind, "shape": list(array.shape), "data": base64.b64encode(content).decode()}
