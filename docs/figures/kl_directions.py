"""The normal distribution nearest to one with two bumps, by the divergence in one direction and the other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from scratchgen.distributions import Mixture, Normal
from scratchgen.plots.style import CATEGORIES, INK, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

P = Mixture(np.log(np.array([0.65, 0.35])), Normal(np.array([-1.5, 2.0]), np.log(np.array([0.4, 0.5]))))
X = np.linspace(-9, 9, 3001)


def divergence(mean: float, log_sigma: float, forward: bool) -> float:
    """KL(q || p), or KL(p || q) if `forward`, by the rectangle rule."""
    log_p = P.log_prob(X)
    log_q = Normal(np.array(mean), np.array(2 * log_sigma)).log_prob(X)
    of, to = (log_p, log_q) if forward else (log_q, log_p)
    return float(np.sum(np.exp(of) * (of - to)) * (X[1] - X[0]))


def draw() -> Figure:
    """Two panels: the density with two bumps, and the normal that fits it best in either sense."""
    figure = new_figure(WIDTH, 2.6)
    titles = (
        r"least $\mathrm{KL}(q\,\|\,p)$: q keeps out of the gap",
        r"least $\mathrm{KL}(p\,\|\,q)$: q covers all",
    )
    for i, title in enumerate(titles):
        best = minimize(lambda at, i=i: divergence(*at, forward=bool(i)), [-1.0, 0.0], tol=1e-8).x
        axes = figure.add_axes((0.03 + 0.49 * i, 0.12, 0.46, 0.72))
        q = Normal(np.array(best[0]), np.array(2 * best[1]))
        axes.fill_between(X, np.exp(P.log_prob(X)), color=CATEGORIES[0], alpha=0.25, linewidth=0)
        axes.plot(X, np.exp(P.log_prob(X)), color=CATEGORIES[0], linewidth=1.5, label="p")
        axes.plot(X, np.exp(q.log_prob(X)), color=CATEGORIES[2], linewidth=1.5, label="q")
        axes.set(xlim=(-6, 6), ylim=(0, 0.75), yticks=[])
        axes.set_title(title, fontsize=10, color=INK, loc="left")
        axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper right")
        soften(axes)
    return figure
