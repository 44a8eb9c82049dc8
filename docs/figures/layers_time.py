"""The sinusoidal embedding of time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.nn import SinusoidalEmbedding
from scratchgen.plots.style import CATEGORIES, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

DIMENSIONS, TIMES, MIDDLE = 64, 1000, 500


def draw() -> Figure:
    """The vectors of a thousand times, and how alike they are to one of them."""
    vectors = sg.asnumpy(SinusoidalEmbedding(DIMENSIONS)(sg.asarray(np.arange(TIMES))))
    figure = new_figure(WIDTH, WIDTH * 0.4)
    left = figure.add_axes((0.08, 0.15, 0.42, 0.8))
    right = figure.add_axes((0.58, 0.15, 0.4, 0.8))
    left.imshow(vectors.T, aspect="auto", cmap="RdBu", interpolation="nearest", vmin=-1, vmax=1)
    left.set_ylabel("wave", color=SOFT, fontsize=9)
    right.plot(vectors @ vectors[MIDDLE], color=CATEGORIES[0], linewidth=1.2)
    right.set_ylabel("inner product", color=SOFT, fontsize=9)
    for axes in (left, right):
        axes.set_xlabel("$t$", color=SOFT, fontsize=9)
        axes.patch.set_alpha(0)
        soften(axes)
    return figure
