"""How good samples are by the number of steps, with a network that makes no error."""

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
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

sys.path.insert(0, str(Path(__file__).parent))
from _exact import ExactNoise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = (5, 10, 20, 40, 80)
N = 2000


def draw() -> Figure:
    """The median distance of samples from the nearest bump, divided by that of the data."""
    world, schedule = toy.eight_gaussians(), cosine_schedule(160)
    model = DDPM(ExactNoise(world.centres, world.sigma, schedule), schedule, (2,))
    figure = new_figure(WIDTH, 2.9)
    axes = figure.add_axes((0.08, 0.17, 0.9, 0.79))
    of_data = world.sigma * np.sqrt(2 * np.log(2))  # the median of a Rayleigh distribution
    axes.axhline(1, color=SOFT, linewidth=0.9, linestyle=":")
    axes.set_ylim(0.5, 1.08)
    axes.text(STEPS[-1], 1.015, "data", color=SOFT, fontsize=9, ha="right")
    for eta, colour in ((0.0, CATEGORIES[0]), (0.5, CATEGORIES[4]), (1.0, CATEGORIES[2])):
        spread = []
        for steps in STEPS:
            x = sg.asnumpy(model.ddim_sample(N, RandomStream(0), steps, eta))
            distances = np.linalg.norm(x[:, None] - world.centres, axis=2).min(1)
            spread.append(np.median(distances) / of_data)
        axes.plot(STEPS, spread, "o-", color=colour, linewidth=1.6, markersize=4, label=rf"$\eta = {eta:g}$")
    axes.set_xscale("log", base=2)
    axes.set_xticks(STEPS, [str(steps) for steps in STEPS])
    axes.set_xlabel("steps", color=SOFT, fontsize=9)
    axes.set_ylabel("width of a bump", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower right")
    soften(axes, grid="y")
    return figure
