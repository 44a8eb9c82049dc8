"""The evidence lower bound over the mean and over the width of q, and the gap that is a divergence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from scratchgen.distributions import Normal, kl_divergence
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WEIGHT, NOISE, X = 1.5, 0.6, 1.2  # x = WEIGHT z + NOISE eps, and the one example
PRECISION = WEIGHT**2 + NOISE**2
BEST = WEIGHT * X / PRECISION, NOISE / np.sqrt(PRECISION)  # mean and sigma of p(z|x)
EVIDENCE = float(Normal(np.array(0.0), np.array(np.log(PRECISION))).log_prob(X))


def elbo(mean: Any, sigma: Any) -> Any:
    """E_q log p(x|z) - KL(q || p(z)), the expectation as a sum over quadrature nodes."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(20)
    z = mean + sigma * nodes[:, None]  # (20, n)
    log_likelihood = Normal(WEIGHT * z, 2 * np.log(NOISE)).log_prob(X)
    q = Normal(
        np.broadcast_to(mean, z.shape[1:]).copy(), np.broadcast_to(2 * np.log(sigma), z.shape[1:]).copy()
    )
    return weights @ log_likelihood / weights.sum() - kl_divergence(q, Normal(0.0, 0.0))


def draw() -> Figure:
    """Two panels that share the evidence as a horizontal line."""
    figure = new_figure(WIDTH, 3.0)
    means, sigmas = np.linspace(BEST[0] - 0.7, BEST[0] + 0.7, 200), np.linspace(0.08, 1.1, 200)
    panels = (
        (means, elbo(means, BEST[1]), BEST[0], r"mean of $q$"),
        (sigmas, elbo(BEST[0], sigmas), BEST[1], r"sigma of $q$"),
    )
    for i, (at, bound, best, name) in enumerate(panels):
        axes = figure.add_axes((0.1 + 0.49 * i, 0.17, 0.39, 0.78))
        axes.fill_between(at, bound, EVIDENCE, color=CATEGORIES[1], alpha=0.25, linewidth=0)
        axes.axhline(EVIDENCE, color=CATEGORIES[2], linewidth=1.5)
        axes.plot(at, bound, color=CATEGORIES[0], linewidth=1.8)
        axes.plot(best, EVIDENCE, "o", color=INK, markersize=4)
        axes.set(xlim=(at[0], at[-1]), ylim=(EVIDENCE - 1.6, EVIDENCE + 0.35))
        axes.set_xlabel(name, color=SOFT, fontsize=9)
        if i == 0:
            middle = at[len(at) // 2]
            axes.text(middle, EVIDENCE + 0.08, r"$\log\,p(x)$", color=CATEGORIES[2], ha="center")
            axes.text(middle, EVIDENCE - 0.75, "ELBO", color=CATEGORIES[0], ha="center")
            axes.set_ylabel("nats", color=SOFT, fontsize=9)
        else:
            axes.text(
                at[195], EVIDENCE - 0.3, r"$\mathrm{KL}(q\,\|\,p(z|x))$", color=INK, fontsize=9, ha="right"
            )
        soften(axes)
    return figure
