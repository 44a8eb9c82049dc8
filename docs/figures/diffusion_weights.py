"""The weights by which the bound multiplies the squared error in the noise, and L_simple does not."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.models.diffusion import bound_weight, cosine_schedule, linear_schedule
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

T = 1000


def draw() -> Figure:
    """T w_t on a logarithmic scale: a mean over t of T w_t times the error is the sum in the bound."""
    figure = new_figure(WIDTH, 2.8)
    axes = figure.add_axes((0.08, 0.17, 0.9, 0.79))
    t = np.arange(2, T + 1)
    for name, schedule, colour in (
        ("linear", linear_schedule(T), CATEGORIES[0]),
        ("cosine", cosine_schedule(T), CATEGORIES[2]),
    ):
        weight = T * bound_weight("noise", schedule, schedule.posterior_variance)[1:]
        assert weight[0] > 100 * weight[T // 2], "the chapter says so"
        axes.plot(t, weight, color=colour, linewidth=1.8, label=name)
    axes.axhline(1, color=SOFT, linewidth=0.9, linestyle=":")
    axes.text(12, 1.15, r"$L_{\mathrm{simple}}$", color=SOFT, fontsize=9)
    axes.set_yscale("log")
    axes.set(xlim=(0, T), ylim=(0.3, 1000))
    axes.set_xlabel("t", color=SOFT, fontsize=9)
    axes.set_ylabel(r"$T\,w_t$", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    soften(axes, grid="y")
    return figure
