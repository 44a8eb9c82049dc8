"""The fifty people: a sample of P_data whose counts are exactly the published ones.

Given its counts, a table of fifty independent draws from P_data is any arrangement of the five columns,
with probability proportional to the product of P_data over its rows. A Metropolis chain that swaps two
entries of a column, which no count can notice, samples such arrangements. ``PEOPLE_ROWS`` is one of its
samples, written down so that it is the same everywhere and for ever.
"""

from __future__ import annotations

import numpy as np

from ..tables import Rows

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
