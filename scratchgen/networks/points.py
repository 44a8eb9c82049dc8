"""SpatialPoints: a picture as the places where its features are."""

from __future__ import annotations

from typing import Any

import numpy as np

from ..autograd import softmax
from ..backend import RandomStream, asarray, checks
from ..nn import Conv2d, LeakyReLU, Module


class SpatialPoints(Module):
    """Pictures to places, ``(batch, channels, h, w) -> (batch, 2 points)``: columns and rows in [-1, 1].

    Two convolutions mark every place p with a number for each of K features. A softmax over all places makes
    weights of the numbers, and a feature is where its weights have their mean (Finn et al. 2016):

        w_k(p) = exp phi_k(p) / sum_q exp phi_k(q),    P_k = sum_p w_k(p) p                   (spatial-points)

    Convolutions do not know where they are: if the picture moves by s, and nothing is lost at the edge, so do
    all P_k. That a code should say how a picture lies, and not what it shows, is thus built in.

    Parameters
    ----------
    channels : int
        Of the pictures, in [0, 1].
    points : int
        K.
    features : int
        The channels between the convolutions, the first of which halves the picture.
    sharpness : float
        What the second one's initial weights are multiplied with, so that a feature is somewhere from the
        start, and not everywhere.
    rng : RandomStream, optional
        Of the initial weights.

    Examples
    --------
    >>> SpatialPoints(3, points=5)(np.ones((2, 3, 8, 8), np.float32)).shape
    (2, 10)
    """

    def __init__(
        self,
        channels: int,
        points: int = 16,
        features: int = 16,
        sharpness: float = 4.0,
        rng: RandomStream | None = None,
    ) -> None:
        self.points = checks.whole("points", points)
        sharpness = checks.number("sharpness", sharpness, "(0, inf)")
        self.first = Conv2d(checks.whole("channels", channels), features, 5, stride=2, padding=2)
        self.second = Conv2d(features, points, 5, padding=2)
        self.bend = LeakyReLU(0.1)
        self.initialise(RandomStream(0, "points") if rng is None else rng)
        self.second.weight.data *= sharpness

    def forward(self, x: Any) -> Any:
        marks = self.second(self.bend(self.first(2 * x - 1)))
        n, k, height, width = marks.shape
        weights = softmax(marks.reshape((n * k, height * width)), axis=1)  # (spatial-points)
        places = asarray(places_of(height, width).astype(x.dtype))
        return (weights @ places).reshape((n, 2 * k))  # (spatial-points)


def places_of(height: int, width: int) -> np.ndarray:
    """Column and row of every pixel, the middles of the outermost being -1 and 1: (height width, 2).

    Examples
    --------
    >>> places_of(2, 2).tolist()
    [[-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0], [1.0, 1.0]]
    """
    down, right = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    return np.stack([right.ravel(), down.ravel()], axis=1)
