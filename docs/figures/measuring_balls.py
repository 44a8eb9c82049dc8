"""Precision and recall: balls around the points of one set, and the points of the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.patches import Circle

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.metrics import precision_recall
from scratchgen.metrics.neighbours import nearest_distances
from scratchgen.plots.style import CATEGORIES, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS, NEIGHBOURS = 20, 3
LIMITS = (-3.4, 4.6), (-3.1, 2.9)


def cloud(name: str, centres: list[tuple[float, float]]) -> np.ndarray:
    """As many points around each centre, POINTS in all."""
    noise = sg.asnumpy(RandomStream(4, name).normal((POINTS, 2), np.float64))
    return np.repeat(np.array(centres), POINTS // len(centres), axis=0) + 0.55 * noise


def draw() -> Figure:
    """Balls around the real points, then around the generated ones."""
    real = cloud("real", [(-1.5, 0.5), (2.5, -0.5)])
    made = cloud("made", [(-1.5, 0.5)])
    scores = precision_recall(real, made, neighbours=NEIGHBOURS)
    figure = new_figure(WIDTH, WIDTH * 0.42)
    for i, (name, centres, colour) in enumerate(
        (("precision", real, CATEGORIES[0]), ("recall", made, CATEGORIES[1]))
    ):
        axes = figure.add_axes((0.01 + 0.5 * i, 0.02, 0.48, 0.86))
        radii = nearest_distances(centres, centres, NEIGHBOURS + 1)[:, -1]
        for centre, radius in zip(centres, radii, strict=True):
            axes.add_patch(Circle(tuple(centre), radius, color=colour, alpha=0.1, linewidth=0))
        axes.scatter(*real.T, s=14, color=CATEGORIES[0], linewidths=0, label="real")
        axes.scatter(*made.T, s=22, color=CATEGORIES[1], marker="x", linewidths=1.2, label="generated")
        axes.set(xlim=LIMITS[0], ylim=LIMITS[1], xticks=[], yticks=[], aspect="equal")
        axes.set_title(f"{name} {getattr(scores, name):.2f}", color=SOFT, fontsize=9, loc="left")
        axes.legend(frameon=False, fontsize=8, labelcolor=SOFT, loc="lower right")
        axes.patch.set_alpha(0)
        soften(axes)
    return figure
