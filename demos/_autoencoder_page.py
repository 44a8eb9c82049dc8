"""The page of the lesson on autoencoders: numbers, reconstructions, and the map of codes."""

from __future__ import annotations

import numpy as np

import scratchgen as sg
from demos import _lesson, _pictures
from scratchgen import plots
from scratchgen.data import Images
from scratchgen.models import Autoencoder
from scratchgen.training import Run

EQUATION = r"$$L = \mathbb{E} \left\| x - f(e(x)) \right\|^2$$"


def write(
    model: Autoencoder,
    data: Images,
    rows: list[dict[str, float]],
    linear: float,
    drawn: np.ndarray,
    run: Run,
) -> dict[str, str]:
    """Put the trained model on the run's page, beside the best linear code's error; its numbers."""
    test = sg.asarray(_lesson.some(data.test))
    codes = sg.asnumpy(model.encode(test))
    numbers = {
        "test squared error": f"{float(sg.asnumpy(model.loss(test).data)):.2f}",
        f"best linear code (PCA, d = {codes.shape[1]})": f"{linear:.2f}",
        "parameters": f"{model.parameter_count():,}",
    }
    pictures = {
        "Images from random codes": plots.image_grid(drawn),
        "Test images (above) and their reconstructions (below)": plots.reconstructions(
            data.test[:10], sg.asnumpy(model.reconstruct(test[:10])).clip(0, 1)
        ),
    }
    if codes.shape[1] == 2:
        labels = data.test_labels[: len(test)]
        known = labels < _pictures.COLUMNS  # a map has ten colours
        pictures["Codes of the test images, coloured by label"] = plots.latent_map(
            codes[known], labels[known]
        )
    pictures["Training"] = plots.curves(rows)
    run.section(
        f"Autoencoder on {data.name}",
        f"{EQUATION}\n\nEach image becomes {codes.shape[1]} numbers and is drawn again from those alone. The "
        "encoding is deterministic, and nothing says which codes are likely: random ones are drawn here from "
        "a Gaussian around those of the training images, and many fall where no image lies.",
        numbers=numbers,
        pictures=pictures,
    )
    run.section("Autoencoder: layers", table=_lesson.layer_table(model))
    return numbers
