"""Two narrow bumps move apart: what the Jensen-Shannon divergence and the Wasserstein distance say."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.distributions import Normal
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIGMA = 0.1


def jensen_shannon(shift: float) -> float:
    """JSD of N(0, SIGMA^2) and the same moved by `shift`, by the rectangle rule."""
    x = np.linspace(-1, 3, 8001)
    log_var = np.array(2 * np.log(SIGMA))
    log_p, log_q = (Normal(np.array(mean), log_var).log_prob(x) for mean in (0.0, shift))
    log_m = np.logaddexp(log_p, log_q) - np.log(2)
    terms = np.exp(log_p) * (log_p - log_m) + np.exp(log_q) * (log_q - log_m)
    return float(terms.sum() / 2 * (x[1] - x[0]))


def draw() -> Figure:
    """Both as functions of the shift: the one is flat where they no longer overlap, the other never."""
    shifts = np.linspace(0, 1.5, 151)
    figure = new_figure(WIDTH, 2.8)
    axes = figure.add_axes((0.07, 0.17, 0.9, 0.79))
    divergences = [jensen_shannon(shift) for shift in shifts]
    axes.plot(shifts, divergences, color=CATEGORIES[2], linewidth=1.8, label="Jensen-Shannon divergence")
    axes.plot(shifts, shifts, color=CATEGORIES[0], linewidth=1.8, label="Wasserstein distance")
    axes.axhline(np.log(2), color=SOFT, linewidth=0.8, linestyle=":")
    axes.text(1.49, np.log(2) - 0.09, "log 2", color=SOFT, fontsize=9, ha="right")
    axes.set(xlim=(0, 1.5), ylim=(0, 1.5))
    axes.set_xlabel("distance between two normals of sigma 0.1", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    soften(axes, grid="y")
    return figure
