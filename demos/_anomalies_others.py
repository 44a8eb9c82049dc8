"""The others in the lesson on anomalies: scores without a network, of all that the autoencoder was shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

import numpy as np

from scratchgen.metrics.neighbours import blocks_of_squares

COMPONENTS, NEIGHBOURS = (30, 100), 5

Maps = Callable[[np.ndarray], np.ndarray]
"""Each pixel's part in the score of a picture, which is their sum."""


def baselines(healthy: np.ndarray, sizes: tuple[int, ...] = COMPONENTS) -> dict[str, Maps]:
    """A Gaussian for each pixel by itself, principal components, and the nearest healthy pictures."""
    flat = healthy.reshape(len(healthy), -1).astype(np.float64)
    mean, variance = flat.mean(axis=0), flat.var(axis=0) + 1e-3
    axes = np.linalg.svd(flat - mean, full_matrices=False)[2].T

    def pixelwise(x: np.ndarray) -> np.ndarray:
        return ((x.reshape(len(x), -1) - mean) ** 2 / variance).reshape(x.shape)

    def components(x: np.ndarray, k: int) -> np.ndarray:
        away = x.reshape(len(x), -1) - mean
        return ((away - away @ axes[:, :k] @ axes[:, :k].T) ** 2).reshape(x.shape)

    def neighbours(x: np.ndarray) -> np.ndarray:
        found, rows = np.zeros(x.shape), x.reshape(len(x), -1).astype(np.float64)
        for part, squares in blocks_of_squares(rows, flat):
            nearest = np.argpartition(squares, NEIGHBOURS, axis=1)[:, :NEIGHBOURS]
            for k in range(NEIGHBOURS):
                found[part] += (x[part] - healthy[nearest[:, k]]) ** 2 / NEIGHBOURS
        return found

    return {
        "each pixel by itself": pixelwise,
        **{f"PCA, {k} components": partial(components, k=k) for k in sizes},
        f"{NEIGHBOURS} nearest healthy": neighbours,
    }
