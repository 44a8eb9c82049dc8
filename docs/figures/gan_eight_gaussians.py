"""Two generators learn eight bumps on a circle: one finds them all, the other collapses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import toy
from scratchgen.models import GAN
from scratchgen.optim import Adam
from scratchgen.plots.style import CATEGORIES, INK, LINE, SOFT, WIDTH, new_figure
from scratchgen.training import fit_adversarial

if TYPE_CHECKING:
    from matplotlib.figure import Figure

WORLD = toy.eight_gaussians()
SHOWN = (150, 400, 900)


def snapshots(data: Any, rate: float, generator_rate: float) -> dict[int, np.ndarray]:
    """Samples of a GAN after the steps SHOWN."""
    model = GAN.dense(2, 64, 8, rng=RandomStream(0, "gan"))
    seen = {}

    def look(step: int) -> None:
        if step in SHOWN:
            seen[step] = sg.asnumpy(model.sample(1000, RandomStream(1)))

    discriminator = Adam(model.discriminator.parameters(), rate, betas=(0.5, 0.9))
    generator = Adam(model.generator.parameters(), generator_rate, betas=(0.5, 0.9))
    fit_adversarial(model, data, discriminator, generator, steps=SHOWN[-1], batch_size=128, on_step=[look])
    return seen


def found(samples: np.ndarray) -> int:
    """How many bumps have at least one sample in fifty within three sigmas."""
    distances = np.linalg.norm(samples[:, None] - WORLD.centres, axis=2)
    return int(((distances < 3 * WORLD.sigma).mean(0) >= 0.02).sum())


def draw() -> Figure:
    """Two rows of three moments."""
    data = WORLD.sample(10_000, RandomStream(0, "data"))
    rows = (
        ("as fast as\nthe discriminator", snapshots(data, 2e-3, 2e-3), CATEGORIES[0]),
        ("ten times\nas fast", snapshots(data, 1e-3, 1e-2), CATEGORIES[2]),
    )
    figure = new_figure(WIDTH, 4.6)
    for i, (name, seen, colour) in enumerate(rows):
        for j, (step, samples) in enumerate(seen.items()):
            axes = figure.add_axes((0.14 + 0.285 * j, 0.5 - 0.48 * i, 0.275, 0.44))
            axes.scatter(*sg.asnumpy(data[:400]).T, s=3, color=LINE, linewidths=0)
            axes.scatter(*samples[:400].T, s=4, color=colour, linewidths=0)
            axes.set(xlim=(-3, 3), ylim=(-3, 3), xticks=[], yticks=[])
            axes.spines[:].set_color(LINE)
            axes.text(-2.8, 2.5, f"{found(samples)} of 8", fontsize=9, color=INK)
            if i == 0:
                axes.set_title(f"step {step}", fontsize=9, color=SOFT)
            if j == 0:
                axes.set_ylabel(name, fontsize=9, color=INK)
    return figure
