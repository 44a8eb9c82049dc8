"""A GAN of one number, to be trained in the page, and two in the plane, recorded by record.py."""

from pathlib import Path

import numpy as np

from scratchgen.data import toy
from scratchgen.plots.explorables import Explorable, Game, duel, targets

NAMES, EVERY, SPAN = ("as fast as D", "ten times as fast"), 20, 3.0


def show() -> Explorable:
    """The targets, and what was recorded."""
    kept = np.load(Path(__file__).with_name("games.npz"))
    games = [
        Game(name, kept[f"samples {i}"], kept[f"fields {i}"] / 255, EVERY, SPAN)
        for i, name in enumerate(NAMES)
    ]
    caption = "Train, or take one step at a time. On the right two trainings in the plane, of eight Gaussians"
    return duel(targets(), caption, games, toy.eight_gaussians())
