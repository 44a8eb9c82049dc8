"""Naive Bayes fitted to two hundred samples of fifty people, with and without smoothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.metrics import exact_kl
from scratchgen.models import CategoricalNaiveBayes
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INFINITE = 1.32


def draw() -> Figure:
    """A histogram for each alpha, the infinite divergences in a column of their own."""
    rng = RandomStream(0, "fifty")
    people = [avatars.sample(50, rng.child(i)) for i in range(200)]
    figure = new_figure(WIDTH, 2.6)
    axes = figure.add_axes((0.07, 0.19, 0.91, 0.77))
    edges = np.linspace(0.72, 1.24, 27)
    for shift, (alpha, name, colour) in enumerate(
        ((1, r"add one, $\alpha = 1$", CATEGORIES[0]), (0, "maximum likelihood", CATEGORIES[1]))
    ):
        kl = [exact_kl(CategoricalNaiveBayes(avatars.LEVELS, alpha).fit(rows).log_prob) for rows in people]
        finite = np.array([value for value in kl if np.isfinite(value)])
        counts, _ = np.histogram(finite, edges)
        width = (edges[1] - edges[0]) / 2
        axes.bar(edges[:-1] + (shift + 0.5) * width, counts, width, color=colour, label=name)
        infinite = len(kl) - len(finite)
        if infinite:
            axes.bar(INFINITE, infinite, 2 * width, color=colour)
            axes.text(INFINITE, infinite + 2, f"{infinite} of 200", ha="center", fontsize=9, color=INK)
    axes.axvline(avatars.total_correlation(), color=SOFT, linewidth=0.9, linestyle=":")
    axes.set_xticks([0.8, 0.9, 1.0, 1.1, 1.2, INFINITE], ["0.8", "0.9", "1.0", "1.1", "1.2", "infinite"])
    axes.set_ylim(0, 172)
    axes.set_xlabel("KL from $p_\\mathrm{data}$, nats", color=SOFT, fontsize=9)
    axes.set_ylabel("samples", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper left")
    soften(axes, grid="y")
    return figure
