"""The page of the lesson on autoregressive models: exact likelihoods, samples, and halves drawn anew."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen import plots
from scratchgen.data import Images
from scratchgen.training import Run

EXPLANATION = r"""
$$\log p(x) = \sum_d \log p(x_d \mid x_1, \ldots, x_{d-1})$$

Each pixel is black or white: a coin toss of its grey value. The likelihoods are exact, on test images that
are the same for all models; naive Bayes draws each pixel alone. Half an image can be given to a PixelCNN, and
the rest drawn: to it, a pixel that is given and one that it drew itself are the same.
"""


class Page:
    """One row of numbers and one of samples for each model."""

    def __init__(self, data: Images, test: np.ndarray) -> None:
        self.name, self.test = data.name, test
        self.shape, self.pixels = test.shape[1:], math.prod(test.shape[1:])
        self.table = [
            ["", "parameters", "nats per image", "bits/dim", "training, s", "drawing, ms per image"]
        ]
        self.drawn = {"binarised\ntest images": test}
        self.completed: dict[str, Any] = {}
        self.training: dict[str, Any] = {}

    def row(self, name: str, surprise: float, parameters: str = "", *times: str) -> None:
        """A row of the table; `times` of training and of drawing."""
        cells = [name, parameters, f"{surprise:.2f}", self.bits(surprise), *times]
        self.table.append(cells + [""] * (len(self.table[0]) - len(cells)))

    def bits(self, surprise: float) -> str:
        """Nats per image as bits per pixel."""
        return f"{surprise / (self.pixels * math.log(2)):.3f}"

    def model(
        self,
        name: str,
        model: Any,
        surprise: float,
        rows: list[dict[str, float]],
        samples: Any,
        seconds: float,
    ) -> None:
        """A trained model; `seconds` are those of drawing one image."""
        self.drawn[name] = sg.asnumpy(samples).reshape((-1, *self.shape))
        times = f"{rows[-1]['seconds']:.0f}", f"{1000 * seconds:.2g}"
        self.row(name, surprise, f"{model.parameter_count():,}", *times)
        self.training[f"Training of {name}"] = plots.curves(rows)

    def completions(self, images: Any, completed: list[Any]) -> None:
        """The picture of images, of what is given of them, and of some ways to go on."""
        given = sg.asnumpy(images).copy()
        given[:, :, self.shape[1] // 2 :] = 0.5
        rows = {"binarised\ntest images": sg.asnumpy(images), "what is given": given}
        rows |= {f"completed, {i + 1}": sg.asnumpy(x) for i, x in enumerate(completed)}
        self.completed = {"Lower halves drawn anew": plots.image_rows(rows)}

    def write(self, run: Run) -> None:
        """Put it all on the run's page, and the table on the terminal."""
        samples = {"Real images, and samples of each model": plots.image_rows(self.drawn)}
        pictures = samples | self.completed | self.training
        run.section(f"Autoregressive models on {self.name}", EXPLANATION, table=self.table, pictures=pictures)
        for row in self.table:
            print("".join(f"{cell:>{22 if i else 20}}" for i, cell in enumerate(row)))
