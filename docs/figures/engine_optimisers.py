"""Four optimisers in one narrow valley."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

import scratchgen as sg
from scratchgen.nn import Parameter
from scratchgen.optim import SGD, Adam, RMSprop
from scratchgen.plots.style import CATEGORIES, LINE, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS, CURVATURE, START = 60, np.array([1.0, 30.0]), np.array([-4.0, 1.0])
OPTIMISERS: dict[str, Callable[[Any], Any]] = {
    "gradient descent, lr 0.06": lambda p: SGD(p, lr=0.06),
    "momentum 0.9, lr 0.02": lambda p: SGD(p, lr=0.02, momentum=0.9),
    "RMSprop, lr 0.1": lambda p: RMSprop(p, lr=0.1, alpha=0.9),
    "Adam, lr 0.3": lambda p: Adam(p, lr=0.3),
}


def path(make: Callable[[Any], Any]) -> np.ndarray:
    """The points that an optimiser visits, shape (STEPS + 1, 2)."""
    x = Parameter(sg.asarray(START.copy()))
    optimiser, points = make([x]), [START]
    for _ in range(STEPS):
        optimiser.zero_grad()
        (x * x * sg.asarray(CURVATURE / 2)).sum().backward()
        optimiser.step()
        points.append(sg.asnumpy(x.data).copy())
    return np.array(points)


def draw() -> Figure:
    """A panel for each optimiser."""
    x, y = np.linspace(-4.6, 2.4, 120), np.linspace(-1.3, 1.3, 80)
    loss = CURVATURE[0] / 2 * x**2 + CURVATURE[1] / 2 * y[:, None] ** 2
    figure = new_figure(WIDTH, WIDTH * 0.5)
    for i, (name, make) in enumerate(OPTIMISERS.items()):
        axes = figure.add_axes((0.02 + 0.5 * (i % 2), 0.53 - 0.5 * (i // 2), 0.46, 0.38))
        axes.contour(x, y, loss, levels=[0.2, 1, 3, 6, 10, 15, 21], colors=LINE, linewidths=0.8)
        points = path(make)
        axes.plot(*points.T, color=CATEGORIES[i], linewidth=1.1, marker="o", markersize=2.2)
        axes.plot(0, 0, marker="+", color=SOFT, markersize=8)
        axes.set(xlim=(x[0], x[-1]), ylim=(y[0], y[-1]), xticks=[], yticks=[])
        axes.set_title(name, color=SOFT, fontsize=9, loc="left")
        axes.patch.set_alpha(0)
        soften(axes)
    return figure
