"""The fifty people: a sample of P_data whose counts are exactly the published ones.

Given its counts, a table of fifty independent draws from P_data is any arrangement of the five columns,
with probability proportional to the product of P_data over its rows. :func:`arrange` samples such
arrangements by a Metropolis chain that swaps two entries of a column, which no count can notice.
``PEOPLE_ROWS`` is one such sample, written down so that it is the same everywhere and for ever.
"""

from __future__ import annotations

import numpy as np

from ...backend import RandomStream, asnumpy, check_rng
from ..tables import Rows, log_of_probabilities
from .looks import COUNTS, LEVELS, PEOPLE
from .world import joint

#: One person each: the levels of topType, hairColor, accessoriesType, clothingType, clothingColor.
PEOPLE_ROWS = """
52034 33235 65027 35127 64027 00202 55127 51027 32113 35111
34214 00236 64237 51027 50027 55202 35137 33127 35115 55202
35111 35127 01227 64222 51111 00202 35112 35113 31117 05103
20112 35013 04112 64227 00202 35013 55127 30116 55227 33205
31235 35122 35117 35227 55027 45026 35117 64027 64111 35217
"""


def observations() -> Rows:
    """Return the fifty observed looks, shape (50, 5).

    Columns are topType, hairColor, accessoriesType, clothingType and clothingColor; levels are numbered as in
    :data:`scratchgen.data.avatars.looks.COUNTS`.

    Examples
    --------
    >>> observations().shape, int((observations()[:, 0] == 3).sum())
    ((50, 5), 23)
    """
    return np.array([[int(level) for level in person] for person in PEOPLE_ROWS.split()], dtype=np.int64)


def arrange(rng: RandomStream, *, swaps: int = 20_000) -> Rows:
    """Draw another fifty people with the same counts: what the study might as well have seen.

    Parameters
    ----------
    rng : RandomStream
        The stream of random numbers.
    swaps : int
        How many swaps to propose. After a few thousand the start is forgotten.

    Returns
    -------
    array
        Looks, shape (50, 5), each of positive probability under P_data.
    """
    check_rng(rng)
    columns = [np.repeat(np.arange(len(counts)), list(counts.values())) for counts in COUNTS.values()]
    rows = np.stack([column[rng.permutation(PEOPLE)] for column in columns], axis=1)
    log_joint = log_of_probabilities(joint())
    attributes = asnumpy(rng.integers(0, len(LEVELS), (swaps,), batch_axis=None))
    pairs = asnumpy(rng.integers(0, PEOPLE, (swaps, 2), batch_axis=None))
    log_uniform = np.log1p(-asnumpy(rng.uniform((swaps,), np.float64, batch_axis=None)))
    for attribute, (first, second), threshold in zip(attributes, pairs, log_uniform, strict=True):
        before = log_joint[tuple(rows[first])] + log_joint[tuple(rows[second])]
        rows[[first, second], attribute] = rows[[second, first], attribute]
        after = log_joint[tuple(rows[first])] + log_joint[tuple(rows[second])]
        if threshold >= after - before:
            rows[[first, second], attribute] = rows[[second, first], attribute]
    return rows
