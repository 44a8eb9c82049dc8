"""One look for all pictures: ink, type and colours."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS = 100  # per inch, in which figures are laid out; `Run` saves them at twice as many
WIDTH = 7.2  # inches: the width of a report's text
INK = "#1c1e21"
SOFT = "#6b7077"
LINE = "#dddad5"
DARK = "#1e2125"  # the ground on dark pages, as report.css has it

CATEGORIES = (
    "#3f90da", "#ffa90e", "#bd1f01", "#94a4a2", "#832db6",
    "#a96b59", "#e76300", "#b9ac70", "#717581", "#92dadd",
)  # fmt: skip
"""Ten colours told apart also by the colour-blind (Petroff 2021, "Accessible color sequences", table 1)."""


def new_figure(width: float, height: float) -> Figure:
    """An empty figure of a size in inches, drawn by Agg, unknown to pyplot."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # slow to import, and not always needed
    from matplotlib.figure import Figure

    figure = Figure(figsize=(width, height), dpi=DOTS, facecolor="white")
    FigureCanvasAgg(figure)
    return figure


def soften(axes: Axes, grid: str = "") -> None:
    """Leave of a coordinate system what is needed to read it: two thin lines, and a grid along some axis."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.spines[["left", "bottom"]].set_color(LINE)
    axes.tick_params(colors=SOFT, labelsize=8, length=0, pad=5)
    if grid:
        axes.grid(axis=grid, color=LINE, linewidth=0.6)  # type: ignore[arg-type]
        axes.set_axisbelow(True)


def outlined(**options: Any) -> dict[str, Any]:
    """Options of a text that is to be read on top of a drawing: it gets an outline as light as the ground."""
    return {"path_effects": [_outline("white")], **options}


@contextmanager
def darkened(figure: Figure) -> Iterator[None]:
    """Within this context a figure is drawn for dark pages: its greys are turned over, its colours stay.

    What an image leaves free (NaN) shows the ground, so that gaps between images are dark as well.

    Examples
    --------
    >>> figure = new_figure(1, 1)
    >>> with darkened(figure):
    ...     [round(level, 2) for level in figure.get_facecolor()]
    [0.12, 0.13, 0.15, 1.0]
    >>> figure.get_facecolor()
    (1.0, 1.0, 1.0, 1.0)
    """
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch
    from matplotlib.text import Text

    undo = []
    for artist in figure.findobj():
        names = {Line2D: ["color"], Text: ["color"], Patch: ["facecolor", "edgecolor"]}
        for name in (name for kind, names in names.items() if isinstance(artist, kind) for name in names):
            before = getattr(artist, f"get_{name}")()
            getattr(artist, f"set_{name}")(_turned(before))
            undo.append((getattr(artist, f"set_{name}"), before))
        if isinstance(artist, Text) and artist.get_path_effects():
            undo.append((artist.set_path_effects, artist.get_path_effects()))
            artist.set_path_effects([_outline(DARK)])
    try:
        yield
    finally:
        for restore, before in undo:
            restore(before)


def _turned(colour: Any) -> Any:
    """A grey from the other end of the scale, white as the ground of dark pages; a colour as it is."""
    from matplotlib.colors import to_rgba

    *levels, alpha = to_rgba(colour)
    if max(levels) - min(levels) > 0.1:
        return colour
    light = sum(levels) / 3
    return (*(ground * light + 0.97 * (1 - light) for ground in to_rgba(DARK)[:3]), alpha)


def _outline(colour: str) -> Any:
    from matplotlib.patheffects import withStroke

    return withStroke(linewidth=2.5, foreground=colour)
