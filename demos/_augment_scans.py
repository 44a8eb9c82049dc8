"""Rare findings in scans: healthy heads by the thousand, and few of each thing that may be wrong.

What healthy heads have in common needs no label. Principal components of healthy scans explain it, and the
map of what they leave unexplained is what a classifier of findings sees.
"""

from __future__ import annotations

import numpy as np

import scratchgen as sg
from scratchgen.data import Images, scans

HEALTHY, EACH, TESTED, COMPONENTS, STRONG = 2000, 500, 400, 100, 0.15
"""Healthy scans; scans of each class to draw the few from, and to test on; components; what is white."""


def maps(seed: int) -> Images:
    """Maps of what is unusual, 16x16, of healthy heads and of each kind of finding."""
    rng = sg.RandomStream(seed, "augment", "scans")
    healthy = flat(scans.healthy(HEALTHY, rng.child("healthy")).images)
    mean = healthy.mean(axis=0)
    axes = np.linalg.svd(healthy - mean, full_matrices=False)[2][:COMPONENTS]
    classes = (None, *scans.KINDS)

    def labelled(part: str, n: int) -> tuple[np.ndarray, np.ndarray]:
        seen = []
        for kind in classes:
            stream = rng.child(part, kind or "healthy")
            drawn = scans.healthy(n, stream) if kind is None else scans.anomalous(n, stream, kind=kind)
            seen.append(unexplained(drawn.images, mean, axes))
        return np.concatenate(seen), np.repeat(np.arange(len(classes)), n)

    train, test = labelled("train", EACH), labelled("test", TESTED)
    names = ("healthy", *scans.KINDS)
    return Images("scans", train[0], train[1], test[0], test[1], levels=256, class_names=names)


def flat(images: np.ndarray) -> np.ndarray:
    """Pictures as vectors, float64."""
    return images.reshape(len(images), -1).astype(np.float64)


def unexplained(images: np.ndarray, mean: np.ndarray, axes: np.ndarray) -> np.ndarray:
    """The size of what the axes leave of each pixel, meaned over squares of 2x2: (n, 1, h / 2, w / 2)."""
    centred = flat(images) - mean
    left = np.abs(centred - centred @ axes.T @ axes)
    half = images.shape[2] // 2
    squares = left.reshape(-1, 1, half, 2, half, 2).mean(axis=(3, 5))
    return (squares / STRONG).clip(0, 1).astype(np.float32)
