"""The divergence from the standard normal over sigma, and the two formulas printed in its place."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.distributions import Normal, kl_divergence
from scratchgen.plots.style import CATEGORIES, INK, LINE, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw() -> Figure:
    """Three curves at mu = 0: only one is nowhere negative and zero just at sigma = 1."""
    sigma = np.linspace(0.12, 2.0, 400)
    right = kl_divergence(Normal(np.zeros_like(sigma), 2 * np.log(sigma)), Normal(0.0, 0.0))
    curves = (
        (right, r"$\frac{1}{2}(\sigma^2 - \log\sigma^2 - 1)$, the divergence", CATEGORIES[0], "-"),
        (
            -right,
            r"$\frac{1}{2}(1 + \log\sigma^2 - \sigma^2)$, printed: minus the divergence",
            CATEGORIES[2],
            "--",
        ),
        (
            sigma**2 - np.log(sigma) - 1,
            r"$\sigma^2 - \log\sigma - 1$, printed: least at 0.707",
            CATEGORIES[4],
            ":",
        ),
    )
    figure = new_figure(WIDTH, 3.2)
    axes = figure.add_axes((0.08, 0.15, 0.89, 0.81))
    axes.axhline(0, color=LINE, linewidth=1)
    axes.axvline(1, color=LINE, linewidth=1)
    for values, name, colour, style in curves:
        axes.plot(sigma, values, style, color=colour, linewidth=1.8, label=name)
    axes.set(xlim=(0.1, 2.0), ylim=(-1.0, 2.4))
    axes.set_xlabel(r"$\sigma$", color=SOFT, fontsize=10)
    axes.set_ylabel("nats", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="upper center")
    soften(axes)
    return figure
