"""One look for all pictures: ink, type and colours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DOTS = 100  # per inch, in which figures are laid out; `Run` saves them at twice as many
WIDTH = 7.2  # inches: the width of a report's text
INK = "#1c1e21"
SOFT = "#6b7077"
LINE = "#dddad5"

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
    """Options of a text that is to be read on top of a drawing: it gets a white outline."""
    from matplotlib.patheffects import withStroke

    return {"path_effects": [withStroke(linewidth=2.5, foreground="white")], **options}
