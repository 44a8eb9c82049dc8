"""How good finite differences are, against their step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.autograd.check import STEP
from scratchgen.plots.style import CATEGORIES, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

X = 0.3


def central(h: np.ndarray) -> np.ndarray:
    """The central difference of exp with each step."""
    return (np.exp(X + h) - np.exp(X - h)) / (2 * h)


def draw() -> Figure:
    """The errors of the two differences and of the engine."""
    exact = np.exp(X)
    h = np.geomspace(1e-8, 1, 161)
    x = sg.tensor(np.array(X), requires_grad=True)
    engine = abs(float(sg.grad(sg.exp(x), x)[0]) - exact)
    least = np.finfo(np.float64).eps / 4  # where an error of exactly 0 is drawn
    figure = new_figure(WIDTH, WIDTH * 0.45)
    axes = figure.add_axes((0.1, 0.14, 0.87, 0.83))
    for colour, name, found in (
        (CATEGORIES[0], "central difference", central(h)),
        (CATEGORIES[1], "extrapolated", (4 * central(h / 2) - central(h)) / 3),
    ):
        error = np.maximum(np.abs(found - exact) / exact, least)
        axes.loglog(h, error, color=colour, linewidth=1.4, label=name)
    axes.axhline(
        max(engine / exact, least), color=CATEGORIES[2], linestyle="--", linewidth=1.2, label="engine"
    )
    axes.axvline(STEP, color=SOFT, linestyle=":", linewidth=1)
    axes.text(STEP * 1.15, 3e-3, "the step of the checker", color=SOFT, fontsize=8)
    axes.set_xlabel("step $h$", color=SOFT, fontsize=9)
    axes.set_ylabel("relative error", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=8, labelcolor=SOFT, loc="upper center")
    axes.set(ylim=(1e-17, 1))
    axes.minorticks_off()
    axes.patch.set_alpha(0)
    soften(axes)
    return figure
