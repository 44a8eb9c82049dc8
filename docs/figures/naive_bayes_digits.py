"""Naive Bayes on pixels: its parameters, and what it draws."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.backend import RandomStream
from scratchgen.data import digits
from scratchgen.models import PixelNaiveBayes
from scratchgen.plots import image_grid

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def draw() -> Figure:
    """The chance of a white pixel in each class, and one sample of each."""
    data = digits()
    model = PixelNaiveBayes(levels=2, alpha=1).fit(data.train, data.train_labels)
    white = model.theta[:, :, 1].reshape(10, *data.shape)
    samples = [model.sample(1, RandomStream(0, "digits", label), labels=label)[0] for label in range(10)]
    return image_grid(np.concatenate([white, np.stack(samples)]), columns=10)
