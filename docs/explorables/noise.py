"""Eight Gaussians on their way to noise and back, and ten digits, recorded by record.py."""

from pathlib import Path

import numpy as np

from scratchgen.data import toy
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.plots.explorables import Explorable, Film, noise


def show() -> Explorable:
    """The exact score of the points, and what was recorded of the digits."""
    kept = np.load(Path(__file__).with_name("digits.npz"))
    film = Film(kept["times"], kept["noisy"], kept["seen"], {w: kept[f"back {w:g}"] for w in (0.0, 1.0, 4.0)})
    caption = "Turn t, drag the ring, and choose how to go back"
    return noise(toy.eight_gaussians(), cosine_schedule(1000), caption, film)
