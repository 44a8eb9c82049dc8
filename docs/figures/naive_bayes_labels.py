"""A generative and a discriminative classifier of one form, by the number of labelled digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import digits
from scratchgen.models import PixelNaiveBayes
from scratchgen.nn import Linear, functional as F
from scratchgen.optim import Adam
from scratchgen.plots.style import CATEGORIES, INK, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

COUNTS = (30, 60, 125, 250, 500, 1000, 1500)
DRAWS = 4
STEPS = 120


def draw() -> Figure:
    """Test accuracy of both after the same labels."""
    data = digits()
    found = np.zeros((2, len(COUNTS)))
    for column, n in enumerate(COUNTS):
        draws = DRAWS if n < len(data.train) else 1
        for i in range(draws):
            chosen = drawn(data.train_labels, n, i)
            naive = PixelNaiveBayes(levels=2, alpha=1).fit(data.train[chosen], data.train_labels[chosen])
            guesses = naive.classify(data.test), logistic(data, chosen)
            found[:, column] += [np.mean(guess == data.test_labels) / draws for guess in guesses]
    figure = new_figure(WIDTH, 2.8)
    axes = figure.add_axes((0.08, 0.18, 0.9, 0.78))
    for row, name in enumerate(("naive Bayes", "logistic regression")):
        axes.plot(COUNTS, found[row], "o-", color=CATEGORIES[row], linewidth=1.6, markersize=4, label=name)
    axes.set_xscale("log")
    axes.set_xticks(COUNTS, [f"{n:,}" for n in COUNTS])
    axes.minorticks_off()
    axes.set_xlabel("labelled images", color=SOFT, fontsize=9)
    axes.set_ylabel("test accuracy", color=SOFT, fontsize=9)
    axes.legend(frameon=False, fontsize=9, labelcolor=INK, loc="lower right")
    soften(axes, grid="y")
    return figure


def drawn(labels: np.ndarray, n: int, i: int) -> np.ndarray:
    """`n` random examples, among which is one of each class at least."""
    rng = np.random.default_rng((n, i))
    while True:
        chosen = rng.permutation(len(labels))[:n]
        if len(np.unique(labels[chosen])) == labels.max() + 1:
            return chosen


def logistic(data: sg.data.Images, chosen: np.ndarray) -> np.ndarray:
    """The classes of the test images by a linear layer, trained on black and white pixels."""
    train, test = (
        (images.reshape(len(images), -1) >= 0.5).astype(np.float32) for images in (data.train, data.test)
    )
    layer = Linear(train.shape[1], 10, rng=RandomStream(0))
    optimiser = Adam(layer.parameters(), lr=0.05)
    for _ in range(STEPS):
        optimiser.zero_grad()
        F.cross_entropy(layer(train[chosen]), data.train_labels[chosen]).backward()
        optimiser.step()
    return sg.asnumpy(layer(test)).argmax(axis=1)
