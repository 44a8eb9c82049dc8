"""A copier, noise, and new draws from the data, over the density of the data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import toy
from scratchgen.plots.style import CATEGORIES, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

POINTS, SIDE = 30, 90
LIMITS = (-2.1, 2.1), (-1.5, 1.5)


def draw() -> Figure:
    """Three sets of points over one density."""
    world = toy.moons(sigma=0.12)
    observed = sg.asnumpy(world.sample(POINTS, RandomStream(1, "observed")))
    noise = sg.asnumpy(RandomStream(2, "noise").normal((POINTS, 2)))
    panels = {
        "a copier": observed,
        "noise": observed.mean(0) + observed.std(0) * noise,
        "new draws": sg.asnumpy(world.sample(POINTS, RandomStream(3, "new"))),
    }
    x, y = (np.linspace(low, high, SIDE) for low, high in LIMITS)
    grid = np.stack(np.meshgrid(x, y), axis=-1).reshape(-1, 2)  # (SIDE * SIDE, 2)
    density = np.exp(sg.asnumpy(world.log_prob(sg.asarray(grid)))).reshape(SIDE, SIDE)

    figure = new_figure(WIDTH, WIDTH * 0.27)
    for i, (title, points) in enumerate(panels.items()):
        axes = figure.add_axes((0.01 + i * 0.335, 0.03, 0.31, 0.83))
        axes.contourf(x, y, density, levels=8, cmap="Greys", vmax=2.5 * density.max())
        axes.scatter(*observed.T, s=26, facecolors="none", edgecolors=SOFT, linewidths=0.8)
        axes.scatter(*points.T, s=9, color=CATEGORIES[i], linewidths=0)
        axes.set(xlim=LIMITS[0], ylim=LIMITS[1], xticks=[], yticks=[], aspect="equal")
        axes.set_title(title, color=SOFT, fontsize=9)
        soften(axes)
    return figure
