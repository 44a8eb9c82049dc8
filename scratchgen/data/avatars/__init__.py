"""Avatars: a world of 4,032 looks in which P_data is known exactly.

A look is five choices, the row ``(topType, hairColor, accessoriesType, clothingType, clothingColor)``.
P_data says how likely each is; fifty observed people are what a model may learn from; each look has one
portrait of 32x32 pixels, and each picture a nearest look. So the distance of a model from P_data can be
computed, not guessed.

The reading order is ``looks`` (the table), ``world`` (P_data), ``observations``, ``parts`` and ``drawing``
(portraits), ``reading`` (their inverse), and
``persons`` (a person in two pictures).
"""

from .drawing import SHAPE, draw
from .looks import ATTRIBUTES, COUNTS, LEVELS, NAMES, all_looks, describe, frequencies, look, look_numbers
from .observations import observations
from .persons import best_guess, pose, region, second_pictures
from .reading import TOLERANCE, Reading, read
from .world import entropy, joint, log_prob, probabilities, sample, total_correlation

__all__ = [
    "ATTRIBUTES",
    "COUNTS",
    "LEVELS",
    "NAMES",
    "SHAPE",
    "TOLERANCE",
    "Reading",
    "all_looks",
    "best_guess",
    "describe",
    "draw",
    "entropy",
    "frequencies",
    "joint",
    "log_prob",
    "look",
    "look_numbers",
    "observations",
    "pose",
    "probabilities",
    "read",
    "region",
    "sample",
    "second_pictures",
    "total_correlation",
]
