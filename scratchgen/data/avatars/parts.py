"""The parts of a portrait, each painted on its own sheet: garment, head, glasses.

Colours are chosen to be told apart at 32x32 pixels, so they are stronger than their names.
"""

from __future__ import annotations

from .sheet import Colour, Sheet, shade

BACKGROUND: Colour = (126, 188, 200)
SKIN: Colour = (240, 194, 155)
SKIN_SHADE: Colour = (219, 164, 124)
INK: Colour = (48, 38, 44)
HAIR_COLOURS: dict[str, Colour] = {
    "Black": (42, 34, 40),
    "Blonde": (240, 201, 92),
    "Brown": (122, 72, 44),
    "PastelPink": (246, 160, 196),
    "Red": (206, 74, 28),
    "SilverGrey": (222, 225, 233),
}
CLOTHING_COLOURS: dict[str, Colour] = {
    "Black": (40, 40, 48),
    "Blue01": (64, 132, 222),
    "Grey01": (138, 142, 152),
    "PastelGreen": (158, 226, 164),
    "PastelOrange": (255, 180, 92),
    "Pink": (246, 120, 176),
    "Red": (208, 44, 52),
    "White": (250, 250, 250),
}


def garment(kind: str, colour: Colour) -> Sheet:
    """Paint neck, shoulders and one of the four tops."""
    sheet = Sheet()
    dark, light = shade(colour, -0.22), shade(colour, 0.35)
    shirt = (116, 92, 160) if kind == "Overall" else colour
    if kind == "Hoodie":
        sheet.ellipse(16, 22.2, 9.4, 4.6, dark)
    sheet.box(3.2, 22.4, 28.8, 40, 6.5, shirt)
    sheet.line([(7.4, 32), (7.0, 28.6)], 0.7, shade(shirt, -0.22))
    sheet.line([(24.6, 32), (25.0, 28.6)], 0.7, shade(shirt, -0.22))
    _neck(sheet, kind)
    if kind == "Hoodie":
        sheet.arc(16, 20.6, 7.2, 5.4, (10, 170), 1.9, dark)
        sheet.arc(16, 19.8, 7.2, 5.4, (15, 165), 0.7, light)
        for x in (13.6, 18.4):
            sheet.line(
                [(x, 25.6), (x - 0.2, 29.4)], 0.9, shade(colour, -0.45) if sum(colour) > 330 else light
            )
    elif kind == "Overall":
        for x, slope in ((10.6, -1.2), (21.4, 1.2)):
            sheet.line([(x + slope, 21.5), (x, 28.4)], 2.5, colour)
        sheet.box(9.3, 26.6, 22.7, 40, 0.9, colour)
        sheet.box(12.9, 28.9, 19.1, 31.4, 0.5, dark)
        for x in (10.8, 21.2):
            sheet.ellipse(x, 28.0, 0.85, 0.85, (255, 236, 150))
    elif kind == "ShirtVNeck":
        sheet.line([(11.9, 22.4), (16, 30.4), (20.1, 22.4)], 1.2, dark)
    else:
        sheet.arc(16, 22.2, 5.9, 5.0, (0, 180), 1.0, dark)
    return sheet


def _neck(sheet: Sheet, kind: str) -> None:
    """Paint the neck down to the neckline, with the shadow of the chin."""
    if kind == "ShirtVNeck":
        sheet.polygon([(12.0, 22.2), (20.0, 22.2), (16, 30.2)], SKIN)
    elif kind == "ShirtScoopNeck":
        sheet.ellipse(16, 22.2, 5.4, 4.5, SKIN)
    elif kind == "Overall":
        sheet.ellipse(16, 22.0, 3.6, 2.0, SKIN)
    sheet.box(13.2, 17.0, 18.8, 23.9, 1.8, SKIN)
    sheet.ellipse(16, 19.4, 2.8, 2.3, SKIN_SHADE)


def head() -> Sheet:
    """Paint ears, face, cheeks, nose and a smile."""
    sheet = Sheet()
    for x in (9.2, 22.8):
        sheet.ellipse(x, 13.6, 1.3, 1.8, SKIN_SHADE)
    sheet.ellipse(16, 10.6, 6.8, 6.4, SKIN)
    sheet.ellipse(16, 13.4, 6.6, 7.0, SKIN)
    for x in (11.9, 20.1):
        sheet.glaze(x, 16.0, 1.35, 0.95, (240, 140, 120), 0.5)
    for x in (13.1, 18.9):
        sheet.ellipse(x, 13.0, 0.95, 1.15, INK)
        sheet.ellipse(x + 0.3, 12.6, 0.35, 0.35, (255, 255, 255))
    sheet.arc(16, 14.4, 0.9, 0.8, (20, 160), 0.5, SKIN_SHADE)
    return sheet


def smile() -> Sheet:
    """Paint the mouth, which lies above a beard."""
    sheet = Sheet()
    sheet.arc(16, 16.4, 2.3, 1.7, (15, 165), 0.8, (150, 52, 52))
    return sheet


def eyebrows(colour: Colour) -> Sheet:
    """Paint the eyebrows, a little darker than the hair."""
    sheet = Sheet()
    for x in (13.1, 18.9):
        sheet.arc(x, 11.6, 1.7, 1.1, (205, 335), 0.7, shade(colour, -0.3))
    return sheet


def glasses(kind: str) -> Sheet:
    """Paint nothing ("Blank"), round spectacles, or sunglasses."""
    sheet = Sheet()
    if kind == "Round":
        for x in (12.9, 19.1):
            sheet.glaze(x, 13.1, 2.5, 2.5, (255, 255, 255), 0.35)
            sheet.arc(x, 13.1, 2.8, 2.8, (0, 360), 0.8, INK)
        sheet.arc(16, 12.9, 0.9, 0.7, (180, 360), 0.7, INK)
    elif kind == "Sunglasses":
        for x in (12.8, 19.2):
            sheet.box(x - 2.8, 11.3, x + 2.8, 15.0, 1.5, (28, 30, 44))
            sheet.polygon(
                [(x - 1.6, 14.0), (x - 0.4, 11.9), (x + 0.6, 11.9), (x - 0.6, 14.0)], (110, 120, 160)
            )
        sheet.line([(9.6, 11.7), (22.4, 11.7)], 0.9, (28, 30, 44))
    return sheet
