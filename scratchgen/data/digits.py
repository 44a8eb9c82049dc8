"""The digits that ship inside the package: real handwriting, no download."""

from __future__ import annotations

import functools
import hashlib
import io
from pathlib import Path

import numpy as np

from .errors import DataError
from .record import Images, unit_pixels

TRAINING_EXAMPLES = 1500
SHA256 = "c3e34968867d91c46ae115b6235d0a469e20fdf0cabc9d1c72918a564270d2d2"


@functools.cache
def digits() -> Images:
    """The 1,797 handwritten 8x8 digits of E. Alpaydin and C. Kaynak: 1,500 to train on, 297 to test.

    A pixel counts the inked points of a 4x4 block, 0 to 16, here divided by 16. Both parts hold every digit
    in the same proportion; the division is fixed. The same 13 people wrote both, so a test score says
    nothing about the handwriting of others.

    Returns
    -------
    Images
        Images of shape ``(n, 1, 8, 8)``, 17 levels. Loaded once and kept.

    Raises
    ------
    DataError
        If the file in the installed package is damaged.

    References
    ----------
    Alpaydin, E., & Kaynak, C. (1998), "Optical Recognition of Handwritten Digits", UCI Machine Learning
    Repository, https://doi.org/10.24432/C50P49, CC BY 4.0 (see ``digits-LICENSE.txt`` beside this file).

    Examples
    --------
    >>> digits().train.shape, digits().test.shape
    ((1500, 1, 8, 8), (297, 1, 8, 8))
    """
    path = Path(__file__).with_name("digits.npz")
    try:
        archive = path.read_bytes()
    except OSError as error:
        raise DataError(f"{path}: cannot be read ({error.strerror}); install scratchgen again") from error
    return _unpack(archive)


def _unpack(archive: bytes) -> Images:
    if hashlib.sha256(archive).hexdigest() != SHA256:
        raise DataError(
            f"digits.npz: this file of the installed package is damaged ({len(archive):,} bytes, SHA-256 is "
            f"not {SHA256}); install scratchgen again"
        )
    with np.load(io.BytesIO(archive), allow_pickle=False) as file:
        train, test = np.split(file["order"], [TRAINING_EXAMPLES])
        pixels, labels = unit_pixels(file["images"], levels=17), file["labels"].astype(np.int64)
    return Images("digits", pixels[train], labels[train], pixels[test], labels[test], levels=17)
