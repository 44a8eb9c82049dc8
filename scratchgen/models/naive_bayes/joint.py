"""The full joint multinomial: one parameter for every combination of levels, no assumption at all.

::

    p(x) = (n_x + alpha) / (n + alpha prod_d L_d)                                     (joint-multinomial)

With few observations and no smoothing it can only repeat what it has seen: its samples look perfectly real
and none is new. It is the opposite of naive Bayes, and what each is compared with.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...backend import RandomStream
from ...data.tables import Rows, check_rows, entropy_of, log_of_probabilities, sample_levels
from .smoothing import smoothed
from .tables import Floats, TableModel


class JointMultinomial(TableModel):
    """A probability for every combination of levels.

    Parameters
    ----------
    levels : sequence of int
        The number of levels of each attribute.
    alpha : float
        Additive smoothing: 0 is maximum likelihood.

    Attributes
    ----------
    theta : array, shape `levels`
        The probability of every combination, summing to 1; after `fit`.

    Raises
    ------
    ValueError
        If ``levels`` or ``alpha`` is not as described.

    Examples
    --------
    >>> model = JointMultinomial((2, 2)).fit([[0, 0], [0, 0], [1, 1], [0, 1]])
    >>> model.theta
    array([[0.5 , 0.25],
           [0.  , 0.25]])
    """

    def fit(self, rows: Any) -> JointMultinomial:
        """Estimate theta from a table, shape (n, attributes) with n >= 1, and return the model.

        Raises
        ------
        ValueError
            If the table is empty or holds a level that does not exist.
        """
        theta = smoothed(self._counts(rows).ravel(), self.alpha)  # (joint-multinomial)
        self._theta = theta.reshape(self.levels)
        return self

    @property
    def parameter_count(self) -> int:
        """The number of free parameters: one less than the combinations."""
        return math.prod(self.levels) - 1

    @property
    def support_size(self) -> int:
        """How many combinations have a positive probability."""
        return int(np.count_nonzero(self.theta))

    def log_prob(self, rows: Any) -> Floats:
        """Return log p(x) of each row in nats, shape (n,); minus infinity where p(x) = 0.

        Raises
        ------
        ValueError
            If a row holds a level that does not exist.
        """
        table = check_rows(rows, self.levels)
        return log_of_probabilities(self.theta[tuple(table.T)])

    def sample(self, n: int, rng: RandomStream) -> Rows:
        """Draw ``n`` independent rows, shape (n, attributes)."""
        numbers = sample_levels(self.theta.reshape(-1), n, rng)
        return np.stack(np.unravel_index(numbers, self.levels), axis=1)

    def entropy(self) -> float:
        """Return the entropy in nats."""
        return entropy_of(self.theta)
