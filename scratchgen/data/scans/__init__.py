"""Scans: procedural "medical" phantoms, healthy and not, for the detection of anomalies.

They look like slices through a head and are nothing of the kind: no patient, no privacy, no diagnosis. What
real data cannot give is known here for every pixel: where the anomaly is, and what the same head would look
like without it.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ...backend import RandomStream, asnumpy, check_rng, checks
from .anatomy import healthy_heads
from .anomalies import KINDS

__all__ = ["KINDS", "Scans", "anomalous", "healthy"]

#: The standard deviation of the noise of the scanner.
NOISE = 0.02


class Scans(NamedTuple):
    """Scans and the truth about them."""

    images: NDArray[np.float32]
    """Brightness in [0, 1], shape (n, 1, size, size)."""
    masks: NDArray[np.bool_]
    """Where the anomaly is visible, shape (n, 1, size, size)."""
    kinds: tuple[str, ...]
    """What is wrong with each: "healthy" or a name of ``KINDS``."""
    without: NDArray[np.float32]
    """The same heads, and the same noise, without the anomaly, shape (n, 1, size, size)."""


def healthy(n: int, rng: RandomStream, *, size: int = 32) -> Scans:
    """Return scans of ``n`` healthy heads.

    Parameters
    ----------
    n : int
        How many.
    rng : RandomStream
        The stream of random numbers.
    size : int
        The side of the pictures in pixels, at least 16.

    Raises
    ------
    ValueError
        If ``n`` or ``size`` is too small.

    Examples
    --------
    >>> scans = healthy(5, RandomStream(0))
    >>> scans.images.shape, bool(scans.masks.any())
    ((5, 1, 32, 32), False)
    """
    n, size = checks.whole("n", n), checks.whole("size", size, 16)
    heads = healthy_heads(n, check_rng(rng).child("anatomy"), size)
    images = _scanned(heads.images, rng)
    return Scans(images, np.zeros(images.shape, dtype=bool), ("healthy",) * n, images)


def anomalous(n: int, rng: RandomStream, *, kind: str | None = None, size: int = 32) -> Scans:
    """Return scans of ``n`` heads with an anomaly, of one kind or of a random kind each.

    The heads are those that :func:`healthy` draws with the same ``n``, ``rng`` and ``size``.

    Parameters
    ----------
    n : int
        How many.
    rng : RandomStream
        The stream of random numbers.
    kind : str, optional
        "lesion", "fracture" or "bright spots".
    size : int
        The side of the pictures in pixels, at least 16.

    Raises
    ------
    ValueError
        If ``kind`` is unknown, or ``n`` or ``size`` is too small.

    Examples
    --------
    >>> scans = anomalous(2, RandomStream(0), kind="lesion")
    >>> bool((scans.images == scans.without)[~scans.masks].all())
    True
    """
    n, size = checks.whole("n", n), checks.whole("size", size, 16)  # a smaller one shows nothing
    checks.one_of("kind", kind, (None, *KINDS))
    heads = healthy_heads(n, check_rng(rng).child("anatomy"), size)
    names = list(KINDS)
    if kind is None:
        chosen = asnumpy(rng.child("kind").integers(0, len(names), (n,)))
    else:
        chosen = np.full(n, names.index(kind))
    images = heads.images
    for number, (name, anomaly) in enumerate(KINDS.items()):
        cover, brightness = anomaly(heads, rng.child(name))
        affected = chosen[:, None, None] == number
        images = np.where(affected, images + cover * (brightness - images), images)
    # Pixels that a soft edge changes by less than the noise stay as they were: no difference without a mask.
    masks = np.abs(images - heads.images) > NOISE
    images = np.where(masks, images, heads.images)
    return Scans(
        _scanned(images, rng),
        masks[:, None],
        tuple(names[number] for number in chosen),
        _scanned(heads.images, rng),
    )


def _scanned(images: NDArray[np.float64], rng: RandomStream) -> NDArray[np.float32]:
    """Return the pictures as a scanner shows them, with noise that depends on ``rng`` alone."""
    noise = asnumpy(rng.child("noise").normal(images.shape, dtype=np.float64))
    return np.clip(images + NOISE * noise, 0, 1)[:, None].astype(np.float32)
