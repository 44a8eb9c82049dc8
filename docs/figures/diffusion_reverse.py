"""The way back with the best possible network: in random steps, and along curves without any noise."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import toy
from scratchgen.models import DDPM
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.plots.style import CATEGORIES, LINE, SOFT, WIDTH, new_figure

sys.path.insert(0, str(Path(__file__).parent))
from _exact import ExactNoise

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw() -> Figure:
    """Paths of three points by DDPM and of twelve by DDIM, over many end points."""
    world, schedule = toy.eight_gaussians(), cosine_schedule(200)
    model = DDPM(ExactNoise(world.centres, world.sigma, schedule), schedule, (2,))
    figure = new_figure(WIDTH, 3.5)
    kinds = (("DDPM: noise in every step", None, 3), (r"DDIM, $\eta = 0$: no noise after the first", 200, 12))
    for i, (name, steps, shown) in enumerate(kinds):
        path = np.stack([sg.asnumpy(x) for _, x in model.reverse_process(500, RandomStream(4), steps)])
        axes = figure.add_axes((0.02 + 0.5 * i, 0.02, 0.455, 0.9))
        axes.scatter(*path[-1].T, s=4, color=LINE, linewidths=0)
        for j in range(shown):
            axes.plot(*path[:, j].T, color=CATEGORIES[j % 8], linewidth=0.9, alpha=0.9)
            axes.plot(*path[-1, j], "o", color=CATEGORIES[j % 8], markersize=4)
        axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[])
        axes.spines[:].set_color(LINE)
        axes.set_title(name, fontsize=10, color=SOFT)
    return figure
