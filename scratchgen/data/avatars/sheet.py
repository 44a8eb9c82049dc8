"""A transparent sheet to paint on, in coordinates of the finished 32x32 picture: x to the right, y down."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE = 32
SUPERSAMPLING = 8

Colour = tuple[int, int, int]
Point = tuple[float, float]


def shade(colour: Colour, amount: float) -> Colour:
    """Return the colour mixed with white (``amount`` above 0) or with black (below 0)."""
    target = 255 if amount > 0 else 0
    red, green, blue = (round(value + abs(amount) * (target - value)) for value in colour)
    return red, green, blue


def mirrored(points: list[Point]) -> list[Point]:
    """Return the mirror images of the points, about the vertical line in the middle."""
    return [(SIZE - x, y) for x, y in points]


def _enlarged(*coordinates: float) -> tuple[float, ...]:
    """Return coordinates on the enlarged sheet."""
    return tuple(SUPERSAMPLING * coordinate for coordinate in coordinates)


class Sheet:
    """A transparent sheet of 32x32 pixels, painted eight times as large."""

    def __init__(self) -> None:
        side = SIZE * SUPERSAMPLING
        from PIL import Image, ImageDraw  # not at the top: it would slow down every `import scratchgen`

        self.image = Image.new("RGBA", (side, side), (0, 0, 0, 0))
        self.pen = ImageDraw.Draw(self.image)

    def ellipse(self, x: float, y: float, rx: float, ry: float, colour: Colour) -> None:
        """Paint the ellipse with centre (x, y) and half axes rx, ry."""
        self.pen.ellipse(_enlarged(x - rx, y - ry, x + rx, y + ry), fill=(*colour, 255))

    def glaze(self, x: float, y: float, rx: float, ry: float, colour: Colour, opacity: float) -> None:
        """Paint a translucent ellipse, of ``opacity`` between 0 and 1."""
        from PIL import Image, ImageDraw

        layer = Image.new("RGBA", self.image.size, (*colour, 0))
        box = _enlarged(x - rx, y - ry, x + rx, y + ry)
        ImageDraw.Draw(layer).ellipse(box, fill=(*colour, round(255 * opacity)))
        self.image.alpha_composite(layer)

    def polygon(self, points: list[Point], colour: Colour) -> None:
        """Paint the polygon with these corners."""
        self.pen.polygon([_enlarged(*point) for point in points], fill=(*colour, 255))

    def box(
        self, left: float, top: float, right: float, bottom: float, radius: float, colour: Colour
    ) -> None:
        """Paint the rectangle with corners rounded to ``radius``."""
        edges = _enlarged(left, top, right, bottom)
        self.pen.rounded_rectangle(edges, SUPERSAMPLING * radius, fill=(*colour, 255))

    def arc(
        self, x: float, y: float, rx: float, ry: float, angles: Point, width: float, colour: Colour
    ) -> None:
        """Paint an arc of the ellipse, clockwise between two angles (degrees, 0 is to the right)."""
        box = _enlarged(x - rx, y - ry, x + rx, y + ry)
        self.pen.arc(box, *angles, fill=(*colour, 255), width=round(SUPERSAMPLING * width))

    def line(self, points: list[Point], width: float, colour: Colour) -> None:
        """Paint a line through the points."""
        scaled = [_enlarged(*point) for point in points]
        self.pen.line(scaled, fill=(*colour, 255), width=round(SUPERSAMPLING * width), joint="curve")

    def pixels(self) -> NDArray[np.float32]:
        """Return the sheet, shape (4, 32, 32): colour (0 to 255) times opacity, then opacity (0 to 1)."""
        reduced = np.asarray(self.image.reduce(SUPERSAMPLING), dtype=np.float32).transpose(2, 0, 1)
        opacity = reduced[3:] / np.float32(255)
        return np.concatenate([reduced[:3] * opacity, opacity])
