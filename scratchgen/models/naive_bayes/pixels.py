"""Naive Bayes on pixels: given the class, every pixel is chosen independently of the others.

::

    p(x) = sum_c pi_c p(x|c),     log p(x|c) = sum_d log theta_c,d[x_d]               (pixel-naive-bayes)
    p(c|x) = pi_c p(x|c) / p(x)                                                        (bayes-classifier)

Here x_d is the level of pixel d: of 2, its nearest of black and white, or of 256, the byte it was stored
as. A colour pixel is three such numbers. Without labels there is one class. The model classifies
surprisingly well and draws badly: neighbouring pixels depend on each other more than on anything else, and
that is what it leaves out.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backend import RandomStream, asnumpy, checks
from ...data.tables import Rows, log_of_probabilities, sample_levels
from .smoothing import smoothed

Floats = NDArray[np.float64]

IMAGES_AT_ONCE = 1000


class PixelNaiveBayes:
    """Independent pixels, given the class if there is one.

    Parameters
    ----------
    levels : int
        How many levels a pixel has, 2 to 256. A value v of [0, 1] has level ``floor(levels * v)``, and 1 has
        the highest: for 2 levels a threshold at one half (bytes of 128 and more are white), for 256 the byte
        255 v.
    alpha : float
        Additive smoothing of the pixels' probabilities; classes keep their observed frequencies.

    Raises
    ------
    ValueError
        If ``levels`` or ``alpha`` is not as described.

    Examples
    --------
    >>> images = np.array([[[0.0, 1.0]], [[0.0, 0.9]], [[0.0, 0.1]]])
    >>> model = PixelNaiveBayes(levels=2, alpha=1).fit(images)
    >>> model.theta[0, :, 1]
    array([0.2, 0.6])
    """

    def __init__(self, levels: int = 2, alpha: float = 1) -> None:
        self.levels = checks.whole("levels", levels, 2, 256)
        self.alpha = checks.number("alpha", alpha, "[0, inf)")
        self.shape: tuple[int, ...] | None = None
        self._theta: Floats | None = None
        self._class_probabilities: Floats | None = None

    def __repr__(self) -> str:
        return f"PixelNaiveBayes(levels={self.levels}, alpha={self.alpha:g})"

    def fit(self, images: Any, labels: Any = None) -> PixelNaiveBayes:
        """Estimate the probabilities and return the model.

        Parameters
        ----------
        images : array
            Shape (n, ...) with n >= 1, for example (n, 1, 28, 28) or (n, 3, 32, 32), in [0, 1].
        labels : array of int, optional
            The class of each image, shape (n,), 0 and up; every class must occur. Without them there is one.

        Raises
        ------
        ValueError
            If there is no image, a value lies outside [0, 1], or the labels do not fit the images.
        """
        images = checks.examples("images", images, least=1)
        pixels, classes = self._quantised(images), _classes(labels, len(images))
        counts = np.stack([self._count(pixels[classes == label]) for label in range(classes.max() + 1)])
        self._theta = smoothed(counts, self.alpha)
        self._class_probabilities = np.bincount(classes) / len(classes)
        self.shape = images.shape[1:]
        return self

    @property
    def theta(self) -> Floats:
        """The probability of each level of each pixel in each class, shape (classes, pixels, levels)."""
        if self._theta is None:
            raise RuntimeError(f"{self!r} has no theta yet: call fit(images) first")
        return self._theta

    @property
    def class_probabilities(self) -> Floats:
        """The observed frequency of each class, shape (classes,)."""
        if self._class_probabilities is None:
            raise RuntimeError(f"{self!r} has no classes yet: call fit(images) first")
        return self._class_probabilities

    @property
    def parameter_count(self) -> int:
        """The number of free parameters, of the pixels and of the classes."""
        classes, pixels, levels = self.theta.shape
        return classes * pixels * (levels - 1) + classes - 1

    def class_log_prob(self, images: Any) -> Floats:
        """Return log p(x, c), in nats, for every image and class, shape (n, classes)."""
        log_theta = log_of_probabilities(self.theta)
        pixels = self._quantised(checks.examples("images", images, self.shape))
        every = np.arange(pixels.shape[1])
        scores = np.empty((len(pixels), len(log_theta)))
        for start in range(0, len(pixels), IMAGES_AT_ONCE):
            block = slice(start, start + IMAGES_AT_ONCE)
            for label, table in enumerate(log_theta):
                scores[block, label] = table[every, pixels[block]].sum(axis=1)  # (pixel-naive-bayes)
        return scores + np.log(self.class_probabilities)  # (pixel-naive-bayes) (bayes-classifier)

    def log_prob(self, images: Any) -> Floats:
        """Return log p(x) of each image in nats, shape (n,): of its levels, a probability, not a density.

        Raises
        ------
        ValueError
            If the images have another shape than those of the fit, or values outside [0, 1].
        """
        return np.logaddexp.reduce(self.class_log_prob(images), axis=1)  # (pixel-naive-bayes)

    def classify(self, images: Any) -> Rows:
        """Return the most probable class of each image, shape (n,)."""
        return np.argmax(self.class_log_prob(images), axis=1)  # (bayes-classifier)

    def sample(self, n: int, rng: RandomStream, labels: Any = None) -> NDArray[np.float32]:
        """Draw ``n`` images.

        Parameters
        ----------
        n : int
        rng : RandomStream
        labels : array of int, shape (n,), or int, optional
            The class of each, or of all; left out, they are drawn as often as they were seen.

        Returns
        -------
        array
            Shape (n, ...) as the images of the fit, float32; level l is the value ``l / (levels - 1)``.
        """
        theta, n = self.theta, checks.whole("n", n, 0)
        if labels is None:
            classes = sample_levels(self.class_probabilities, n, rng)  # (pixel-naive-bayes)
        else:
            labels = asnumpy(checks.one_each("labels", labels, n))
            classes = checks.indices("labels", labels, len(theta))
        pixels = np.empty((n, theta.shape[1]), dtype=np.float32)
        for known in np.unique(classes):
            chosen = np.flatnonzero(classes == known)
            for d, probabilities in enumerate(theta[known]):
                pixels[chosen, d] = sample_levels(probabilities, len(chosen), rng)  # (pixel-naive-bayes)
        return pixels.reshape(n, *(self.shape or ())) / np.float32(self.levels - 1)  # (pixel-naive-bayes)

    def _quantised(self, images: np.ndarray) -> NDArray[np.uint8]:
        """Return the levels of the pixels, shape (n, pixels)."""
        checks.within("images", images, 0, 1, "divide bytes by 255")
        levels = np.minimum(images * images.dtype.type(self.levels), self.levels - 1).astype(np.uint8)
        return levels.reshape(len(images), math.prod(images.shape[1:]))

    def _count(self, pixels: NDArray[np.uint8]) -> Rows:
        """Return how often each pixel has each level, shape (pixels, levels)."""
        dimensions = pixels.shape[1]
        counts = np.zeros(dimensions * self.levels, dtype=np.int64)
        for start in range(0, len(pixels), IMAGES_AT_ONCE):
            cells = pixels[start : start + IMAGES_AT_ONCE] + self.levels * np.arange(dimensions)
            counts += np.bincount(cells.reshape(-1), minlength=len(counts))
        return counts.reshape(dimensions, self.levels)


def _classes(labels: Any, n: int) -> Rows:
    """Return the class of each of ``n`` images; all 0 where there are no labels."""
    if labels is None:
        return np.zeros(n, dtype=np.int64)
    classes = asnumpy(checks.one_each("labels", labels, n)).astype(np.int64)
    missing = np.setdiff1d(np.arange(classes.max() + 1), classes)
    if classes.min() < 0 or len(missing):
        raise ValueError(
            f"labels: got {classes.min()} to {classes.max()} without {missing.tolist()}, "
            "expected every class from 0 on"
        )
    return classes
