"""Why a step back may be a normal: the true one, and the normal of the equation, as beta shrinks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy import stats

from scratchgen.models.diffusion import Schedule, mean_from_noise, q_step
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CENTRES, WIDTH_OF_BUMP, HERE = (-1.0, 1.0), 0.3, 0.25
BETAS = (0.5, 0.2, 0.05, 0.01)


def draw() -> Figure:
    """Four panels: the density of x_(t-1), and given x_t, with the normal over it."""
    figure = new_figure(WIDTH, 2.3)
    x = np.linspace(-2.2, 2.2, 2001)
    before = sum(stats.norm(c, WIDTH_OF_BUMP).pdf(x) for c in CENTRES) / 2
    for i, beta in enumerate(BETAS):
        axes = figure.add_axes((0.02 + 0.245 * i, 0.13, 0.225, 0.74))
        schedule = Schedule([beta])
        step = q_step(schedule, x[:, None], np.ones(len(x), int))
        exact = before * np.exp(step.log_prob(np.full((len(x), 1), HERE)))[:, 0]
        exact /= exact.sum() * (x[1] - x[0])
        variance = (1 - beta) * WIDTH_OF_BUMP**2 + beta
        centres = np.sqrt(1 - beta) * np.array(CENTRES)
        share = stats.norm(centres, np.sqrt(variance)).pdf(HERE)
        score = np.sum(share * (centres - HERE)) / share.sum() / variance
        eps = np.full((1, 1), -np.sqrt(beta) * score)
        mean = mean_from_noise(schedule, eps, np.full((1, 1), HERE), np.ones(1, int)).item()
        normal = stats.norm(mean, np.sqrt(beta)).pdf(x)
        top = 1.12 * max(exact.max(), normal.max())
        axes.fill_between(x, before / before.max() * 0.35 * top, color=SOFT, alpha=0.18, linewidth=0)
        axes.plot(x, exact, color=CATEGORIES[0], linewidth=1.8, label="the true step back")
        axes.plot(x, normal, color=CATEGORIES[1], linewidth=1.4, linestyle="--", label="normal")
        axes.set_ylim(0, top)
        axes.set_xlim(-2.2, 2.2)
        axes.set_xticks([-1, 0, 1])
        axes.set_yticks([])
        axes.set_title(rf"$\beta_t = {beta:g}$", fontsize=9, color=INK)
        soften(axes)
        if not i:
            axes.legend(frameon=False, fontsize=7, labelcolor=INK, loc="upper left", borderaxespad=0)
    return figure
