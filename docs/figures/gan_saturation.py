"""The gradient that reaches a sample's logit, by either loss of the generator."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.models.gan import generator_loss
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw() -> Figure:
    """Left the two losses, right the sizes of their derivatives, over the logit of D(G(z))."""
    at = np.linspace(-8, 4, 241)
    figure = new_figure(WIDTH, 2.9)
    left, right = figure.add_axes((0.07, 0.17, 0.4, 0.78)), figure.add_axes((0.57, 0.17, 0.4, 0.78))
    for objective, colour in (("minimax", CATEGORIES[2]), ("non-saturating", CATEGORIES[0])):
        loss = [float(sg.asnumpy(generator_loss(np.array([logit]), objective))) for logit in at]
        logits = sg.tensor(at, requires_grad=True)
        slopes = -len(at) * sg.asnumpy(sg.grad(generator_loss(logits, objective), logits)[0])
        left.plot(at, loss, color=colour, linewidth=1.8, label=objective)
        right.plot(at, slopes, color=colour, linewidth=1.8, label=objective)
    left.set_ylabel("loss", color=SOFT, fontsize=9)
    right.set_ylabel("pull on the logit", color=SOFT, fontsize=9)
    for axes in (left, right):
        axes.set_xlim(-8, 4)
        axes.set_xlabel("logit of $D(G(z))$", color=SOFT, fontsize=9)
        soften(axes, grid="y")
    left.legend(frameon=False, fontsize=9, labelcolor=INK)
    return figure
