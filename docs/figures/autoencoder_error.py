"""Squared error of digits against the size of the code: principal components and an autoencoder."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import digits
from scratchgen.models import Autoencoder
from scratchgen.optim import Adam, schedules
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften
from scratchgen.training import fit

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZES = (1, 2, 4, 8, 16)
STEPS, RATE = 500, 3e-3


def trained(x: np.ndarray, size: int) -> Autoencoder:
    """An autoencoder of 64 - 128 - `size` - 128 - 64."""
    model = Autoencoder.dense(64, 128, size, rng=RandomStream(0, "figure", size))
    fit(
        lambda batch, rng: model.loss(batch),
        x,
        Adam(model.parameters(), lr=RATE),
        steps=STEPS,
        schedule=schedules.cosine(RATE, STEPS),
    )
    return model


def draw() -> Figure:
    """Test error over code size, on the digits that ship with the package."""
    data = digits()
    train, test = (x.reshape(len(x), -1) for x in (data.train, data.test))
    mean = train.mean(0)
    directions = np.linalg.svd(train - mean, full_matrices=False)[2]
    linear = [
        float(((test - mean - (test - mean) @ directions[:k].T @ directions[:k]) ** 2).sum(1).mean())
        for k in SIZES
    ]
    deep = [trained(train, k).loss(sg.asarray(test)).item() for k in SIZES]
    assert all(a < b for a, b in zip(deep, linear, strict=True)), "the chapter says so"

    figure = new_figure(WIDTH, 3.4)
    axes = figure.add_axes((0.09, 0.15, 0.88, 0.8))
    for values, name, colour in ((linear, "PCA", CATEGORIES[0]), (deep, "autoencoder", CATEGORIES[2])):
        axes.plot(SIZES, values, "o-", color=colour, linewidth=1.5, markersize=4, label=name)
        for size, value in zip(SIZES, values, strict=True):
            below = name != "PCA"
            axes.annotate(
                f"{value:.2f}", (size, value), xytext=(0, -14 if below else 8), textcoords="offset points",
                ha="center", fontsize=8, color=colour,
            )  # fmt: skip
    axes.set_xscale("log", base=2)
    axes.set_xticks(SIZES, [str(size) for size in SIZES])
    axes.set_ylim(0, max(linear) * 1.15)
    axes.set_xlim(0.85, 19)
    axes.set_xlabel("numbers in the code", color=SOFT, fontsize=9)
    axes.set_ylabel("squared error per image", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK)
    soften(axes, grid="y")
    return figure
