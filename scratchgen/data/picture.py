"""One picture of any kind that Pillow reads, as a square of numbers in [0, 1]."""

from __future__ import annotations

import warnings
from typing import IO, Any

import numpy as np

MODES = {1: "L", 3: "RGB"}
PAPER = 255  # what shines through where a picture is transparent


def read_square(file: IO[bytes], size: int, channels: int) -> np.ndarray:
    """The picture in an open file: turned as its camera says, cut to its middle square, and resized.

    Parameters
    ----------
    file : binary file
    size : int
        The side of the square, in pixels.
    channels : {1, 3}
        Grey, or red, green and blue.

    Returns
    -------
    array, shape (channels, size, size)
        float32 in [0, 1]. Of an animation, its first picture.

    Raises
    ------
    OSError
        If it is no picture, is damaged, or is suspiciously large.
    """
    from PIL import Image, ImageOps, UnidentifiedImageError

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(file) as found:
                found.load()
                picture = ImageOps.exif_transpose(_eight_bits(found))
                square = ImageOps.fit(
                    _opaque(picture).convert(MODES[channels]), (size, size), Image.Resampling.BOX
                )
    except UnidentifiedImageError:
        raise OSError("no picture of a kind that Pillow reads") from None
    except OSError:
        raise
    except Exception as error:  # a damaged file makes Pillow's readers raise whatever they meet
        raise OSError(f"{type(error).__name__}: {error}") from error
    pixels = np.asarray(square, np.float32).reshape((size, size, channels)) / 255
    return np.ascontiguousarray(pixels.transpose(2, 0, 1))


def _eight_bits(picture: Any) -> Any:
    """A picture of 16 bits a pixel with 8 of them; conversion alone would cut off what is above 255."""
    from PIL import Image

    if not picture.mode.startswith("I;16") and picture.mode != "I":
        return picture
    values = np.asarray(picture).astype(np.float64)
    return Image.fromarray((values.clip(0, 65535) / 257).round().astype(np.uint8))


def _opaque(picture: Any) -> Any:
    """A picture laid on white paper where it is transparent."""
    from PIL import Image

    if "A" not in picture.getbands() and "transparency" not in picture.info:
        return picture
    layers = picture.convert("RGBA")
    return Image.alpha_composite(Image.new("RGBA", layers.size, (PAPER, PAPER, PAPER, 255)), layers)
