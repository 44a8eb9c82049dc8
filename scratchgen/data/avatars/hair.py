"""Seven hair styles in any colour, each on two sheets: what lies behind head and shoulders, and before.

"NoHair" shows the colour of its hair as a beard, so that every look can be told from every other.
"""

from __future__ import annotations

from collections.abc import Callable

from .sheet import Colour, Point, Sheet, mirrored, shade

CURLS_BEHIND = [(8.6, 9.0, 3.6), (7.0, 14.0, 3.8), (6.6, 19.2, 3.7), (8.6, 23.2, 3.0)]
CURLS_BEFORE = [
    *((14.6, 5.0, 2.8), (11.2, 6.8, 2.8), (9.5, 10.3, 2.4)),
    *((8.2, 14.4, 2.3), (7.8, 18.8, 2.5), (9.2, 22.8, 2.2)),
]
BEARD: list[Point] = [
    *((9.3, 13.4), (10.6, 15.4), (12.6, 16.0), (14.4, 15.3), (16, 15.6)),
    *((16, 21.9), (13.4, 21.4), (10.8, 19.4), (9.4, 16.4)),
]
CAP: list[Point] = [(9.0, 12.6), (9.0, 9.0), (11.0, 5.6), (16, 4.2), (16, 6.9), (10.4, 9.6)]
CURTAIN: list[Point] = [
    *((16, 4.2), (11.0, 4.9), (7.6, 8.4), (6.9, 14), (6.8, 27.4)),
    *((10.6, 27.4), (10.0, 17), (10.4, 11.8), (13.4, 9.2), (16.4, 6.6)),
]
WAVES = [
    *((9.9, 8.8, 1.5, 3.6), (22.2, 9.2, 1.4, 3.0), (12.0, 6.2, 3.2, 2.8)),
    *((15.4, 4.4, 3.6, 2.8), (19.6, 4.2, 3.7, 3.2), (22.0, 6.6, 2.2, 2.6)),
]
FRINGE: list[Point] = [
    *((10.0, 9.4), (13.0, 8.6), (16.5, 7.4), (20.0, 7.0), (22.6, 8.0), (21.0, 4.0), (11.0, 6.0)),
]
SPIKES: list[Point] = [
    *((7.4, 9.8), (7.2, 6.4), (9.4, 6.0), (8.9, 3.0), (11.8, 3.8), (12.6, 0.9), (14.8, 2.9), (16.8, 0.4)),
    *(
        (18.2, 2.9),
        (21.0, 1.1),
        (20.9, 4.0),
        (23.6, 3.4),
        (22.8, 6.2),
        (25.0, 6.8),
        (24.2, 9.8),
        (22.9, 11.6),
    ),
    *((21.6, 9.4), (19.6, 8.2), (18.0, 9.2), (16.2, 7.8), (14.2, 9.2), (12.4, 8.2), (10.4, 9.4), (9.1, 11.6)),
]


def hair_behind(style: str, colour: Colour) -> Sheet:
    """Paint the hair that lies behind head and shoulders."""
    sheet = Sheet()
    dark = shade(colour, -0.18)
    if style == "LongHairStraight":
        sheet.box(7.0, 4.2, 25.0, 27.0, 7.5, dark)
    elif style == "LongHairCurly":
        for x, y, radius in CURLS_BEHIND:
            sheet.ellipse(x, y, radius, radius, dark)
            sheet.ellipse(32 - x, y, radius, radius, dark)
        sheet.ellipse(16, 14, 8, 9, dark)
    elif style == "LongHairBun":
        sheet.ellipse(16, 2.9, 3.7, 3.2, dark)
        sheet.ellipse(16, 10.4, 8.0, 7.6, dark)
    elif style == "ShortHairFrizzle":
        sheet.ellipse(16, 9.4, 8.0, 7.0, dark)
    return sheet


def hair_before(style: str, colour: Colour) -> Sheet:
    """Paint the hair that lies in front of the face."""
    sheet = Sheet()
    HAIR_STYLES[style](sheet, colour)
    return sheet


def _no_hair(sheet: Sheet, colour: Colour) -> None:
    for side in (BEARD, mirrored(BEARD)):
        sheet.polygon(side, colour)
    sheet.glaze(13.6, 6.8, 2.0, 1.0, (255, 255, 255), 0.45)


def _bun(sheet: Sheet, colour: Colour) -> None:
    for side in (CAP, mirrored(CAP)):
        sheet.polygon(side, colour)
    sheet.arc(16, 2.9, 2.4, 1.9, (190, 330), 0.7, shade(colour, 0.4))
    sheet.arc(16, 9.6, 5.4, 4.4, (215, 325), 0.6, shade(colour, 0.4))


def _curly(sheet: Sheet, colour: Colour) -> None:
    for left, y, radius in CURLS_BEFORE:
        for x in (left, 32 - left):
            sheet.ellipse(x, y, radius, radius, colour)
            sheet.arc(x, y, 0.62 * radius, 0.62 * radius, (190, 310), 0.6, shade(colour, 0.3))


def _straight(sheet: Sheet, colour: Colour) -> None:
    for side in (CURTAIN, mirrored(CURTAIN)):
        sheet.polygon(side, colour)
    for x in (8.5, 23.5):
        sheet.line([(x, 10.5), (x - 0.1, 25.5)], 0.6, shade(colour, 0.35))
    sheet.line([(16, 4.4), (16, 7.2)], 0.5, shade(colour, -0.3))


def _waved(sheet: Sheet, colour: Colour) -> None:
    for x, y, rx, ry in WAVES:
        sheet.ellipse(x, y, rx, ry, colour)
    sheet.polygon(FRINGE, colour)
    for x, y in ((12.6, 7.0), (16.2, 5.4), (20.6, 5.0)):
        sheet.arc(x, y, 2.0, 1.9, (190, 315), 0.7, shade(colour, 0.4))


def _flat(sheet: Sheet, colour: Colour) -> None:
    sheet.box(9.0, 3.6, 23.0, 8.6, 1.6, colour)
    for x in (8.9, 21.6):
        sheet.box(x, 6.0, x + 1.5, 12.6, 0.6, colour)
    sheet.line([(11.0, 5.2), (21.0, 5.2)], 0.7, shade(colour, 0.35))


def _frizzle(sheet: Sheet, colour: Colour) -> None:
    sheet.polygon(SPIKES, colour)
    for x, y in ((11.6, 6.0), (15.8, 4.6), (20.0, 6.0)):
        sheet.line([(x - 0.9, y + 1), (x, y - 0.8), (x + 0.9, y + 1)], 0.6, shade(colour, 0.35))


HAIR_STYLES: dict[str, Callable[[Sheet, Colour], None]] = {
    "NoHair": _no_hair,
    "LongHairBun": _bun,
    "LongHairCurly": _curly,
    "LongHairStraight": _straight,
    "ShortHairShortWaved": _waved,
    "ShortHairShortFlat": _flat,
    "ShortHairFrizzle": _frizzle,
}
