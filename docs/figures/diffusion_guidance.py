"""Three classes in the plane, and one of them with more and more guidance."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.plots.style import CATEGORIES, INK, LINE, SOFT, WIDTH, new_figure

sys.path.insert(0, str(Path(__file__).parent))
from _exact import ExactNoise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

CENTRES = np.array([[0.0, 1.0], [-0.87, -0.5], [0.87, -0.5]])
SIGMA = 0.6


def draw() -> Figure:
    """Samples of the upper class for w = 0, 1 and 4, over those of all classes."""
    schedule = cosine_schedule(100)
    model = DDPM(ExactNoise(CENTRES, SIGMA, schedule), schedule, (2,), classes=3)
    every = sg.asnumpy(model.sample(900, RandomStream(0)))
    figure = new_figure(WIDTH, 2.7)
    for i, weight in enumerate((0.0, 1.0, 4.0)):
        x = sg.asnumpy(model.sample(300, RandomStream(1), labels=0, guidance=weight))
        axes = figure.add_axes((0.01 + 0.33 * i, 0.02, 0.32, 0.86))
        axes.scatter(*every.T, s=3, color=LINE, linewidths=0)
        axes.scatter(*x.T, s=4, color=CATEGORIES[0], linewidths=0)
        axes.plot(*CENTRES.T, "+", color=INK, markersize=8)
        axes.set(xlim=(-3, 3), ylim=(-2.4, 3.6), xticks=[], yticks=[])
        axes.spines[:].set_color(LINE)
        axes.set_title(f"w = {weight:g}", fontsize=10, color=SOFT)
    return figure
