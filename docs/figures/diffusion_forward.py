"""A swirl becomes noise."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import toy
from scratchgen.models.diffusion import cosine_schedule, q_sample
from scratchgen.plots.style import CATEGORIES, LINE, SOFT, WIDTH, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

TIMES = (0, 50, 200, 500, 1000)


def draw() -> Figure:
    """The same points at five times, coloured by where on the swirl they began."""
    x0 = toy.swirl().sample(1500, RandomStream(0))
    eps = RandomStream(1).normal(x0.shape)
    start = np.linalg.norm(sg.asnumpy(x0), axis=1).argsort().argsort()
    colours = np.array(CATEGORIES[:3])[start * 3 // len(start)]
    figure = new_figure(WIDTH, 1.75)
    for i, t in enumerate(TIMES):
        xt = q_sample(cosine_schedule(1000), x0, np.full(len(x0), t), eps) if t else x0
        axes = figure.add_axes((0.005 + 0.2 * i, 0.02, 0.19, 0.82))
        axes.scatter(*sg.asnumpy(xt).T, s=1.5, color=colours, linewidths=0)
        axes.set(xlim=(-3.2, 3.2), ylim=(-3.2, 3.2), xticks=[], yticks=[])
        axes.spines[:].set_color(LINE)
        axes.set_title(f"t = {t}", fontsize=9, color=SOFT)
    return figure
