"""What every image data set is: a training and a test part, each of images and labels."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True, eq=False, repr=False)
class Images:
    """A labelled set of images on the host, divided into a training and a test part.

    The arrays are read-only, since every caller of a loader is given the same ones.

    Attributes
    ----------
    name : str
        What the set is called.
    train, test : numpy.ndarray
        Images, float32 in [0, 1], of shape ``(n, channels, height, width)``.
    train_labels, test_labels : numpy.ndarray
        Their classes, int64, of shape ``(n,)``.
    levels : int
        The number of grey levels; a pixel is one of ``0, 1, .., levels - 1``, divided by ``levels - 1``.
    class_names : tuple of str
        What the classes are called, where that is known.
    fingerprint : str
        What no other pictures have, where the loader knows it: a digest of what they were made from.

    Examples
    --------
    >>> from scratchgen.data import digits
    >>> digits()
    Images('digits': 1,500 for training, 297 for testing, 1x8x8, 17 levels)
    """

    name: str
    train: np.ndarray
    train_labels: np.ndarray
    test: np.ndarray
    test_labels: np.ndarray
    levels: int
    class_names: tuple[str, ...] = ()
    fingerprint: str = ""

    def __post_init__(self) -> None:
        for array in (self.train, self.train_labels, self.test, self.test_labels):
            array.setflags(write=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one image, ``(channels, height, width)``."""
        return self.train.shape[1:]

    def __repr__(self) -> str:
        size = "x".join(map(str, self.shape))
        return (
            f"Images({self.name!r}: {len(self.train):,} for training, {len(self.test):,} for testing, "
            f"{size}, {self.levels} levels)"
        )


def unit_pixels(grey: np.ndarray, levels: int) -> np.ndarray:
    """Whole grey levels of shape ``(n, height, width)`` as float32 in [0, 1], ``(n, 1, height, width)``."""
    pixels = grey[:, np.newaxis].astype(np.float32)
    pixels /= levels - 1
    return pixels
