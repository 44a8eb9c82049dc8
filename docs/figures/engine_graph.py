"""A small graph with the values and the cotangents that the engine computes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.plots.style import CATEGORIES, SOFT, WIDTH, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.patches import Circle

RADIUS = 0.36
PLACES = {"x": (0.6, 0.9), "a": (3.0, 1.9), "b": (5.4, 0.9), "y": (8.0, 0.9)}
NAMES = {"x": "$x$", "a": "$x \\cdot x$", "b": "$a + x$", "y": "$b \\cdot b$"}
ARROWS = [  # from, to, moved sideways by
    ("x", "a", 0.14),
    ("x", "a", -0.14),
    ("x", "b", 0.0),
    ("a", "b", 0.0),
    ("b", "y", 0.14),
    ("b", "y", -0.14),
]


def arrow(axes: Axes, start: str, end: str, shift: float) -> tuple[float, float]:
    """An arrow between two nodes, moved sideways; its middle."""
    a, b = np.array(PLACES[start]), np.array(PLACES[end])
    along = (b - a) / np.linalg.norm(b - a)
    side = np.array([-along[1], along[0]]) * shift
    tail, head = a + along * (RADIUS + 0.05) + side, b - along * (RADIUS + 0.08) + side
    axes.annotate("", head, tail, arrowprops={"arrowstyle": "->", "color": SOFT, "linewidth": 1.1})
    middle = (tail + head) / 2
    return float(middle[0]), float(middle[1])


def draw() -> Figure:
    """The graph of (x^2 + x)^2 at 3."""
    x = sg.tensor(np.array(3.0), requires_grad=True)
    a = x * x
    b = a + x
    y = b * b
    nodes = {"x": x, "a": a, "b": b, "y": y}
    cotangents = dict(zip(nodes, (float(g) for g in sg.grad(y, list(nodes.values()))), strict=True))
    # What each use of x receives: the two arguments of x * x, and the second one of a + x.
    shares = {("x", "a"): cotangents["a"] * x.item(), ("x", "b"): cotangents["b"]}
    shares |= {("a", "b"): cotangents["b"], ("b", "y"): cotangents["y"] * b.item()}

    figure = new_figure(WIDTH, WIDTH * 0.32)
    axes = figure.add_axes((0.0, 0.0, 1.0, 1.0))
    axes.set(xlim=(-0.1, 8.9), ylim=(0.0, 2.88), xticks=[], yticks=[])
    axes.spines[:].set_visible(False)
    axes.patch.set_alpha(0)
    for start, end, shift in ARROWS:
        px, py = arrow(axes, start, end, shift)
        above = 0.16 if shift > 0 or start == "a" else -0.17
        share = f"{shares[start, end]:g}"
        axes.text(px, py + above, share, color=CATEGORIES[6], fontsize=9, ha="center", va="center")
    for name, (px, py) in PLACES.items():
        axes.add_artist(_node(px, py))
        axes.text(px, py, NAMES[name], ha="center", va="center", color=SOFT, fontsize=11)
        axes.text(px, py + 0.55, f"{nodes[name].item():g}", ha="center", color=CATEGORIES[0], fontsize=11)
        axes.text(px, py - 0.72, f"{cotangents[name]:g}", ha="center", color=CATEGORIES[6], fontsize=11)
        axes.text(
            px - 0.34, py + 0.42, "" if name == "x" else f"${name}$", ha="center", color=SOFT, fontsize=9
        )
    return figure


def _node(x: float, y: float) -> Circle:
    from matplotlib.patches import Circle  # slow to import

    return Circle((x, y), RADIUS, facecolor="none", edgecolor=SOFT, linewidth=1.1)
