"""The 4,032 looks: five attributes, their levels, and how often each was seen among fifty people.

The table is the fashion example of the introductory chapter of D. Foster, *Generative Deep Learning*
(O'Reilly, 2019). Only these counts were published, never the fifty rows behind them. Two levels were never
seen: LongHairBun and black clothes. Any model that multiplies observed frequencies gives the looks that
have either of them probability 0.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backend import checks
from ..tables import Rows, check_rows, enumerate_rows, number_rows

#: Attribute, then level, then the number of the fifty people who had it, in the order of the columns.
COUNTS: dict[str, dict[str, int]] = {
    "topType": {
        "NoHair": 7,
        "LongHairBun": 0,
        "LongHairCurly": 1,
        "LongHairStraight": 23,
        "ShortHairShortWaved": 1,
        "ShortHairShortFlat": 11,
        "ShortHairFrizzle": 7,
    },
    "hairColor": {"Black": 7, "Blonde": 6, "Brown": 2, "PastelPink": 3, "Red": 8, "SilverGrey": 24},
    "accessoriesType": {"Blank": 11, "Round": 22, "Sunglasses": 17},
    "clothingType": {"Hoodie": 7, "Overall": 18, "ShirtScoopNeck": 19, "ShirtVNeck": 6},
    "clothingColor": {
        "Black": 0,
        "Blue01": 4,
        "Grey01": 10,
        "PastelGreen": 5,
        "PastelOrange": 2,
        "Pink": 4,
        "Red": 3,
        "White": 22,
    },
}
ATTRIBUTES: tuple[str, ...] = tuple(COUNTS)
NAMES: tuple[tuple[str, ...], ...] = tuple(tuple(counts) for counts in COUNTS.values())
LEVELS: tuple[int, ...] = tuple(len(names) for names in NAMES)
PEOPLE = 50


def frequencies() -> tuple[NDArray[np.float64], ...]:
    """Return the observed frequencies ``theta_k = n_k / 50``, one array per attribute.

    Examples
    --------
    >>> frequencies()[2]
    array([0.22, 0.44, 0.34])
    """
    return tuple(np.array(list(counts.values())) / PEOPLE for counts in COUNTS.values())


@cache
def all_looks() -> Rows:
    """Return all 4,032 looks, shape (4032, 5), the last attribute changing fastest (read-only).

    Examples
    --------
    >>> all_looks().shape
    (4032, 5)
    """
    looks = enumerate_rows(LEVELS)
    looks.setflags(write=False)
    return looks


def look_numbers(rows: Any) -> Rows:
    """Return the number of each look, 0 to 4,031, its position in :func:`all_looks`; shape (n,).

    Examples
    --------
    >>> look_numbers([[0, 0, 0, 0, 1], [6, 5, 2, 3, 7]])
    array([   1, 4031])
    """
    return number_rows(check_rows(rows, LEVELS), LEVELS)


def look(*names: str) -> Rows:
    """Return the look that has the named levels, shape (1, 5).

    Raises
    ------
    ValueError
        If a name is missing or is not a level of its attribute.

    Examples
    --------
    >>> look("LongHairStraight", "Red", "Round", "ShirtScoopNeck", "White")
    array([[3, 4, 1, 2, 7]])
    """
    if len(names) != len(ATTRIBUTES):
        raise ValueError(f"names: got {names!r}, expected {len(ATTRIBUTES)}: {', '.join(ATTRIBUTES)}")
    for name, attribute, levels in zip(names, ATTRIBUTES, NAMES, strict=True):
        checks.one_of(attribute, name, levels)
    return np.array([[levels.index(name) for name, levels in zip(names, NAMES, strict=True)]])


def describe(rows: Any) -> list[str]:
    """Return each look in words.

    Examples
    --------
    >>> describe([[3, 4, 1, 2, 7]])
    ['LongHairStraight, Red, Round, ShirtScoopNeck, White']
    """
    rows = check_rows(rows, LEVELS)
    return [", ".join(names[level] for names, level in zip(NAMES, row, strict=True)) for row in rows]
