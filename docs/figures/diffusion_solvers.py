"""How far samples end from where the flow would have carried them, by the number of steps and the order."""

from __future__ import annotations

import sys
from collections import deque
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scratchgen.backend import RandomStream
from scratchgen.data import toy
from scratchgen.models.diffusion import cosine_schedule, ode_path, x0_from_prediction
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

sys.path.insert(0, str(Path(__file__).parent))
from _exact import ExactNoise

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS = (5, 10, 20, 40, 80)
N = 1000


def draw() -> Figure:
    """The mean distance from the end of a path of 1,000 steps, for both orders."""
    world, schedule = toy.eight_gaussians(), cosine_schedule(1000)
    network = ExactNoise(world.centres, world.sigma, schedule)

    def end(steps: int, order: int) -> np.ndarray:
        def predict(x: np.ndarray, t: int) -> tuple[np.ndarray, None]:
            return x0_from_prediction("noise", schedule, network(x, t), x, t), None

        noise = RandomStream(0).normal((N, 2), np.float64)
        return deque(ode_path(schedule, predict, noise, steps, order), maxlen=1)[0][1]

    true = end(1000, 2)
    figure = new_figure(WIDTH, 2.9)
    axes = figure.add_axes((0.1, 0.17, 0.88, 0.79))
    for order, name, colour in ((1, "first order (DDIM)", CATEGORIES[2]), (2, "second order", CATEGORIES[0])):
        errors = [np.linalg.norm(end(steps, order) - true, axis=1).mean() for steps in STEPS]
        axes.plot(STEPS, errors, "o-", color=colour, linewidth=1.6, markersize=4, label=name)
        slope = errors[2] * (np.array(STEPS) / STEPS[2]) ** -float(order)
        axes.plot(STEPS, slope, "--", color=SOFT, linewidth=0.8)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    axes.set_xticks(STEPS, [str(steps) for steps in STEPS])
    axes.set_xlabel("steps, each with one evaluation of the network", color=SOFT, fontsize=9)
    axes.set_ylabel("distance from the true end", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    soften(axes, grid="y")
    return figure
