"""The codes of an autoencoder leave holes: what lies there decodes to no digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import digits
from scratchgen.models import Autoencoder
from scratchgen.optim import Adam, schedules
from scratchgen.plots import tile
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, outlined, soften
from scratchgen.training import fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS, RATE = 1000, 3e-3
SIDE = 12


def trained(x: np.ndarray) -> Autoencoder:
    """An autoencoder of digits with two numbers in its code."""
    model = Autoencoder.dense((1, 8, 8), 128, 2, rng=RandomStream(0, "codes"))
    fit(
        lambda batch, rng: model.loss(batch),
        x,
        Adam(model.parameters(), lr=RATE),
        steps=STEPS,
        schedule=schedules.cosine(RATE, STEPS),
    )
    return model


def draw() -> Figure:
    """The codes of the test images, and what a grid over the same square decodes to."""
    data = digits()
    model = trained(data.train)
    codes = sg.asnumpy(model.encode(sg.asarray(data.test)))
    low, high = codes.min(0), codes.max(0)
    low, high = low - 0.03 * (high - low), high + 0.03 * (high - low)
    z1, z2 = (np.linspace(low[i], high[i], 2 * SIDE + 1)[1::2].astype(np.float32) for i in range(2))
    grid = np.stack(np.meshgrid(z1, z2[::-1]), axis=-1).reshape(-1, 2)  # (SIDE * SIDE, 2)
    images = sg.asnumpy(model.decode(sg.asarray(grid))).clip(0, 1)

    figure = new_figure(WIDTH, WIDTH * 0.5)
    left = figure.add_axes((0.06, 0.11, 0.43, 0.86))
    right = figure.add_axes((0.55, 0.11, 0.43, 0.86))
    left.scatter(*codes.T, s=14, color=np.array(CATEGORIES)[data.test_labels], linewidths=0)
    for digit in range(10):
        x, y = np.median(codes[data.test_labels == digit], axis=0)
        left.text(
            x, y, str(digit), **outlined(ha="center", va="center", fontsize=13, fontweight="bold", color=INK)
        )
    extent = (low[0], high[0], low[1], high[1])
    right.imshow(
        tile(images, SIDE, gap=0)[0],
        cmap="gray",
        interpolation="nearest",
        vmin=0,
        vmax=1,
        extent=extent,
        aspect="auto",
    )
    for axes in (left, right):
        axes.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        axes.set_xlabel("$z_1$", color=SOFT, fontsize=9)
        soften(axes)
    left.set_ylabel("$z_2$", color=SOFT, fontsize=9, rotation=0)
    return figure
