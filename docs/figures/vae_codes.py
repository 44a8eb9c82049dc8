"""The codes of a variational autoencoder fill the prior, and every point of the plane is a digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import binarise, digits
from scratchgen.models import VAE
from scratchgen.optim import Adam, schedules
from scratchgen.plots import tile
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, outlined, soften
from scratchgen.training import fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

STEPS, RATE = 1500, 3e-3
SIDE = 12


def draw() -> Figure:
    """The codes of the test images, and what a grid of latents decodes to, even in probability."""
    data = digits()
    model = VAE.dense((1, 8, 8), 128, 2, rng=RandomStream(0, "codes"))
    fit(
        lambda batch, rng: model.loss(binarise(batch, rng.child("pixels")), rng),
        data.train,
        Adam(model.parameters(), lr=RATE),
        steps=STEPS,
        schedule=schedules.cosine(RATE, STEPS),
    )
    codes = sg.asnumpy(model.encode(sg.asarray(data.test)))
    quantiles = norm.ppf((np.arange(SIDE) + 0.5) / SIDE).astype(np.float32)
    z = np.stack(np.meshgrid(quantiles, quantiles[::-1]), axis=-1).reshape(-1, 2)  # (SIDE * SIDE, 2)
    images = sg.asnumpy(model.decode(sg.asarray(z)))

    figure = new_figure(WIDTH, WIDTH * 0.5)
    left, right = figure.add_axes((0.06, 0.11, 0.43, 0.86)), figure.add_axes((0.55, 0.11, 0.43, 0.86))
    angle = np.linspace(0, 2 * np.pi, 200)
    for radius in (1, 2, 3):
        left.plot(radius * np.cos(angle), radius * np.sin(angle), color=SOFT, linewidth=0.6)
    left.scatter(*codes.T, s=14, color=np.array(CATEGORIES)[data.test_labels], linewidths=0)
    for digit in range(10):
        x, y = np.median(codes[data.test_labels == digit], axis=0)
        left.text(
            x, y, str(digit), **outlined(ha="center", va="center", fontsize=13, fontweight="bold", color=INK)
        )
    left.set(xlim=(-3.4, 3.4), ylim=(-3.4, 3.4))
    left.set_xlabel("$z_1$, with circles at 1, 2 and 3 sigma of the prior", color=SOFT, fontsize=9)
    left.set_ylabel("$z_2$", color=SOFT, fontsize=9, rotation=0)
    right.imshow(
        tile(images, SIDE, gap=0)[0], cmap="gray", interpolation="nearest", vmin=0, vmax=1, aspect="auto"
    )
    right.set(xticks=[], yticks=[])
    right.set_xlabel("decoded, in steps of equal prior probability", color=SOFT, fontsize=9)
    for axes in (left, right):
        soften(axes)
    return figure
