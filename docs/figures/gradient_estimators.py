"""Two unbiased estimates of one derivative: through the sample, and through the density."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Normal, score_function
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

N = 100_000


def draw() -> Figure:
    """Histograms of d/dmu E z^2 at mu = sigma = 1, estimated from one sample each."""
    mean = sg.tensor(np.ones(N), requires_grad=True)
    p = Normal(mean, 0.0)
    z = p.rsample(RandomStream(0))
    pathwise = sg.asnumpy(sg.grad((z * z).sum(), mean)[0])
    fixed = p.sample(RandomStream(0))
    score = sg.asnumpy(sg.grad(score_function(fixed**2, p.log_prob(fixed)).sum(), mean)[0])

    figure = new_figure(WIDTH, 2.7)
    axes = figure.add_axes((0.04, 0.19, 0.93, 0.77))
    bins = np.linspace(-8, 14, 89)
    for values, name, colour in (
        (score, "score function", CATEGORIES[1]),
        (pathwise, "pathwise", CATEGORIES[0]),
    ):
        label = f"{name}: mean {values.mean():.2f}, variance {values.var():.1f}"
        axes.hist(values, bins, density=True, color=colour, alpha=0.6, label=label)
    axes.axvline(2, color=INK, linewidth=1)
    axes.set(xlim=(-8, 14), yticks=[])
    axes.set_xlabel("one estimate of the derivative, which is 2", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    soften(axes)
    return figure
