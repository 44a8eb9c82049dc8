"""A normal distribution on nine grey levels: each owns the area above its bin."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.distributions import Normal
from scratchgen.models.diffusion import discretised_normal_log_prob
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LEVELS, MEAN, SIGMA = 9, 0.55, 0.35


def draw() -> Figure:
    """The density, and the probabilities of the levels divided by the width of a bin."""
    x = np.linspace(-1, 1, LEVELS)
    width = 2 / (LEVELS - 1)
    log_p = discretised_normal_log_prob(x, np.full(LEVELS, MEAN), np.full(LEVELS, 2 * np.log(SIGMA)), LEVELS)
    fine = np.linspace(-1.7, 1.9, 500)
    density = np.exp(Normal(np.array(MEAN), np.array(2 * np.log(SIGMA))).log_prob(fine))
    figure = new_figure(WIDTH, 2.7)
    axes = figure.add_axes((0.05, 0.17, 0.92, 0.79))
    axes.bar(
        x, np.exp(log_p) / width, width * 0.94, color=CATEGORIES[0], alpha=0.35, label="level, P(x) / width"
    )
    axes.plot(fine, density, color=CATEGORIES[2], linewidth=1.8, label="density")
    beyond = fine > 1 + width / 2
    axes.fill_between(
        fine[beyond], density[beyond], color=CATEGORIES[1], alpha=0.5, linewidth=0, label="goes to x = 1"
    )
    axes.set(xlim=(-1.7, 1.9), xticks=[-1, 0, 1], yticks=[])
    axes.set_xlabel("pixel", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper left")
    soften(axes)
    return figure
