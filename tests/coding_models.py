"""Small models of each kind that can be coded, shaken away from where they start, and images for them."""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import NADE, VAE, PixelCNN, PixelNaiveBayes

SHAPE = (1, 4, 4)
ARRAYS = np.random.default_rng(0)
LABELS = ARRAYS.integers(0, 3, 40)
GREY = (ARRAYS.integers(0, 4, (40, *SHAPE)) / np.float32(3)).astype(np.float32)
BINARY = (ARRAYS.random((40, *SHAPE)) < 0.2 + 0.3 * LABELS[:, None, None, None] / 2).astype(np.float32)


def shaken(model: Any, scale: float = 0.3) -> Any:
    rng = np.random.default_rng(7)
    for parameter in model.parameters():
        parameter.data[...] += sg.asarray(scale * rng.normal(size=parameter.shape), parameter.dtype)
    return model


def models() -> dict[str, tuple[Any, np.ndarray]]:
    """A model and images of its levels, by name."""
    return {
        "naive Bayes": (PixelNaiveBayes().fit(BINARY), BINARY),
        "naive Bayes, classes": (PixelNaiveBayes(4).fit(GREY, LABELS), GREY),
        "NADE": (shaken(NADE(16, 8)), BINARY.reshape(40, 16)),
        "PixelCNN": (shaken(PixelCNN(SHAPE, channels=4, layers=2)), BINARY),
        "PixelCNN, colours": (
            shaken(PixelCNN((2, 2, 4), levels=4, channels=4, layers=2)),
            GREY.reshape(40, 2, 2, 4),
        ),
        "VAE": (shaken(VAE.dense(SHAPE, 8, 2, rng=RandomStream(1))), BINARY),
        "VAE, levels": (shaken(VAE.dense(SHAPE, 8, 2, "categorical", levels=4)), GREY),
    }


def bits(model: Any, x: np.ndarray, samples: int = 400) -> np.ndarray:
    """What each image takes: minus log2 p(x), of a VAE minus its bound, averaged over samples of z."""
    x = sg.asarray(x)
    with sg.no_grad():
        if isinstance(model, VAE):
            nats = sg.asnumpy(model.anomaly_score(x, RandomStream(0), samples))
        else:
            nats = -sg.asnumpy(model.log_prob(x))
    return nats.astype(np.float64) / np.log(2)
