"""Animations: images one after another in a GIF."""

from __future__ import annotations

from collections.abc import Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from ..backend import asnumpy
from .images import _checked, _repeated

WIDTH = 640  # pixels that a small image is enlarged to, as far as whole numbers go


def animation(
    frames: Sequence[Any], path: str | PathLike[str], *, seconds: float = 0.1, hold: float = 1.5
) -> Path:
    """Write images as a GIF that repeats for ever.

    Parameters
    ----------
    frames : sequence of arrays, each of shape (channels, height, width)
        In [0, 1], grey or RGB; `tile` makes such a frame of many images.
    path : path
        Ending in ``.gif``.
    seconds : float
        How long a frame is shown.
    hold : float
        How long the last one is shown.

    Returns
    -------
    Path
        The file written.
    """
    from PIL import Image

    path = Path(path)
    if path.suffix.lower() != ".gif":
        raise ValueError(f"path: got {str(path)!r}, expected a name that ends in .gif")
    if not seconds > 0 or not hold > 0:
        raise ValueError(f"seconds, hold: got {seconds} and {hold}, expected positive numbers")
    frames = [asnumpy(frame) for frame in frames]
    shapes = {frame.shape for frame in frames}
    if len(shapes) != 1:
        raise ValueError(f"frames: got {len(frames)} frames of shapes {sorted(shapes)}, expected one shape")
    images = _checked(np.stack(frames), "frames")
    enlarged = _repeated(images, max(1, WIDTH // images.shape[3]))
    pixels = np.round(255 * enlarged).astype(np.uint8)
    pictures = [
        Image.fromarray(frame[0] if len(frame) == 1 else frame.transpose(1, 2, 0)) for frame in pixels
    ]
    durations = [round(1000 * seconds)] * (len(pictures) - 1) + [round(1000 * hold)]
    pictures[0].save(
        path, save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True
    )
    return path
