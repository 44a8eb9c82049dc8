"""Data, samples, and the best that a discriminator can say of each point."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import expit

from scratchgen.distributions import Mixture, Normal
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DATA = Mixture(np.log(np.array([0.6, 0.4])), Normal(np.array([-1.5, 1.5]), np.log(np.array([0.3, 0.5]))))
MODEL = Normal(np.array(0.6), np.array(0.0))


def draw() -> Figure:
    """Two densities, and D* = p / (p + q), whose logit is the difference of the log-densities."""
    x = np.linspace(-4, 4, 800)
    log_p, log_q = DATA.log_prob(x), MODEL.log_prob(x)
    figure = new_figure(WIDTH, 3.0)
    axes = figure.add_axes((0.07, 0.12, 0.9, 0.83))
    for log_density, name, colour in ((log_p, "data p", CATEGORIES[0]), (log_q, "samples q", CATEGORIES[1])):
        axes.fill_between(x, np.exp(log_density), color=colour, alpha=0.25, linewidth=0)
        axes.plot(x, np.exp(log_density), color=colour, linewidth=1.5, label=name)
    axes.plot(x, expit(log_p - log_q), color=CATEGORIES[2], linewidth=1.8, label="$D^*$")
    axes.axhline(0.5, color=SOFT, linewidth=0.8, linestyle=":")
    axes.set(xlim=(-4, 4), ylim=(0, 1.02))
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper right")
    soften(axes)
    return figure
