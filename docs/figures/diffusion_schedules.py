"""How much of the data is left after t steps, by the two schedules."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.models.diffusion import cosine_schedule, linear_schedule
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw() -> Figure:
    """Left alpha_bar_t, right the logarithm of the signal-to-noise ratio."""
    figure = new_figure(WIDTH, 2.8)
    left, right = figure.add_axes((0.07, 0.17, 0.4, 0.79)), figure.add_axes((0.57, 0.17, 0.4, 0.79))
    schedules = (
        ("linear", linear_schedule(1000), CATEGORIES[0]),
        ("cosine", cosine_schedule(1000), CATEGORIES[2]),
    )
    for name, schedule, colour in schedules:
        t = np.arange(1, 1001)
        left.plot(t, schedule.alpha_bar, color=colour, linewidth=1.8, label=name)
        right.plot(t, np.log(schedule.snr), color=colour, linewidth=1.8, label=name)
    left.set_ylabel(r"$\bar\alpha_t$", color=SOFT, fontsize=10)
    right.set_ylabel("log SNR", color=SOFT, fontsize=9)
    right.set_ylim(-14, 10)
    for axes in (left, right):
        axes.set_xlim(0, 1000)
        axes.set_xlabel("t", color=SOFT, fontsize=9)
        soften(axes, grid="y")
    left.legend(frameon=False, fontsize=9, labelcolor=INK)
    return figure
