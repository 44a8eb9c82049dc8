"""A shop that knows its customers by five counts: naive Bayes where the truth is known."""

from __future__ import annotations

import base64
import io
import re
from typing import Any

import numpy as np

from ...data import avatars
from ...data.avatars import hair, parts
from ...data.avatars.sheet import SIZE, SUPERSAMPLING, Sheet
from .figure import Explorable, pack

TITLES = ("hair", "its colour", "glasses", "clothes", "their colour")
COLUMNS = 16  # of the picture that holds all sheets


def shop(rows: Any, caption: str) -> Explorable:
    """Edit the counts and alpha of a naive Bayes model, and see whom it expects in the shop.

    Parameters
    ----------
    rows : array of int, shape (n, 5)
        The looks that were observed, whose counts the page begins with.
    caption : str

    Raises
    ------
    ValueError
        If a row is no look.
    """
    numbers = avatars.look_numbers(rows)
    sheets, layers = wardrobe()
    counts = [
        np.bincount(column, minlength=n) for column, n in zip(np.transpose(rows), avatars.LEVELS, strict=True)
    ]
    data = {
        "titles": TITLES,
        "names": [[words(name) for name in names] for names in avatars.NAMES],
        "counts": [count.tolist() for count in counts],
        "truth": pack(avatars.probabilities()),
        "seen": sorted(set(numbers.tolist())),
        "sheets": atlas(sheets),
        "ground": "#" + bytes(parts.BACKGROUND).hex(),
        "size": SIZE,
        "columns": COLUMNS,
        "layers": layers,
    }
    return Explorable("shop", data, caption)


def words(name: str) -> str:
    """A level's name as one says it.

    Examples
    --------
    >>> words("ShortHairShortWaved"), words("Blue01")
    ('short hair short waved', 'blue')
    """
    return " ".join(re.findall("[A-Z][a-z]*", name)).lower()


def wardrobe() -> tuple[list[Sheet], list[dict[str, Any]]]:
    """All sheets, and the layers of a portrait from back to front.

    A layer begins at the sheet `first`, and chooses among its sheets by the levels of the attributes `by`.
    """
    styles, colours, kinds, garments, dyes = avatars.NAMES
    dyed = [parts.HAIR_COLOURS[name] for name in colours]
    stacks: list[tuple[list[int], list[Sheet]]] = [
        ([0, 1], [hair.hair_behind(style, colour) for style in styles for colour in dyed]),
        ([3, 4], [parts.garment(kind, parts.CLOTHING_COLOURS[dye]) for kind in garments for dye in dyes]),
        ([], [parts.head()]),
        ([1], [parts.eyebrows(colour) for colour in dyed]),
        ([0, 1], [hair.hair_before(style, colour) for style in styles for colour in dyed]),
        ([], [parts.smile()]),
        ([2], [parts.glasses(kind) for kind in kinds]),
    ]
    sheets: list[Sheet] = []
    layers = []
    for by, stack in stacks:
        layers.append({"first": len(sheets), "by": by})
        sheets += stack
    return sheets, layers


def atlas(sheets: list[Sheet]) -> str:
    """The sheets beside one another as a PNG, in a data URL."""
    from PIL import Image  # not at the top: it would slow down every import of the plots

    whole = Image.new("RGBA", (COLUMNS * SIZE, -(-len(sheets) // COLUMNS) * SIZE))
    for i, sheet in enumerate(sheets):
        whole.paste(sheet.image.reduce(SUPERSAMPLING), (i % COLUMNS * SIZE, i // COLUMNS * SIZE))
    content = io.BytesIO()
    whole.save(content, "PNG", optimize=True)
    return f"data:image/png;base64,{base64.b64encode(content.getvalue()).decode()}"
