"""Explorables: drawings that answer to a finger, a mouse or the arrow keys, with all they need in the page.

A Python function of this folder packs the numbers, a JavaScript file of the same name computes and draws with
them; `kit.js` is what all of these files share. What the two languages compute is compared in
``tests/plots/test_explorables.py``.
"""

from .bound import Decoder, bound, decoders
from .duel import Game, Target, duel, players, targets
from .figure import Explorable, pack
from .noise import Film, noise
from .planes import Plane, dense_layers, planes
from .shop import shop

__all__ = [
    "Decoder",
    "Explorable",
    "Film",
    "Game",
    "Plane",
    "Target",
    "bound",
    "decoders",
    "dense_layers",
    "duel",
    "noise",
    "pack",
    "planes",
    "players",
    "shop",
    "targets",
]
