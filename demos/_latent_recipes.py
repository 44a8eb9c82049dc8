"""Networks and steps of the lesson on latent diffusion: what suits which data."""

from __future__ import annotations

from typing import Any, NamedTuple

from demos import _pictures


class Recipe(NamedTuple):
    """What suits one kind of data."""

    channels: int  # of a code
    widths: tuple[int, ...]  # of the autoencoder: each but the first halves the image
    autoencoder_steps: int
    width: int  # of the U-Net on codes,
    multipliers: tuple[int, ...]  # its levels,
    blocks: int
    latent_steps: int
    pixel_width: int  # and of its rival on pixels,
    pixel_steps: int
    memory: float = 0.99  # the decay of the weights' moving averages
    patch: int = 2  # in squares of so many pixels by as many


RECIPES = {
    "digits": Recipe(8, (16, 32, 64), 1200, 64, (1,), 2, 2000, 48, 1200),
    "mnist": Recipe(4, (16, 32, 64), 2000, 40, (1,), 2, 6000, 32, 4400, memory=0.998),
    "fashion": Recipe(4, (16, 32, 64), 2000, 40, (1,), 2, 6000, 32, 4400, memory=0.998),
    "avatars": Recipe(8, (16, 32, 64, 64), 1500, 48, (1, 2), 1, 2000, 32, 400),
}
OWN = {  # by the side of the pictures
    31: Recipe(8, (16, 32, 64), 1500, 48, (1,), 2, 3000, 32, 2500, memory=0.998),
    47: Recipe(8, (16, 32, 64, 64), 1500, 48, (1, 2), 1, 3000, 48, 2000, memory=0.998, patch=4),
    64: Recipe(8, (16, 32, 64, 64), 1000, 48, (1, 2), 1, 3000, 48, 1200, memory=0.998, patch=4),
}


def recipe_of(options: Any) -> Recipe:
    """What suits the data."""
    return _pictures.by_size(OWN, options) if options.data == "folder" else RECIPES[options.data]
