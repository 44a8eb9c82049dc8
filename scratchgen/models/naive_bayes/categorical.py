"""Naive Bayes on categorical features: every attribute is chosen independently of the others.

::

    log p(x) = sum_d log theta_d[x_d]                                                       (naive-bayes)
    theta_d[l] = n_d[l] / n,     where the likelihood of n rows is greatest  (naive-bayes-maximum-likelihood)
    KL(P || p) = TC(P) + sum_d KL(P_d || theta_d)                                (naive-bayes-divergence)

The maximum-likelihood estimate is the observed frequency, so the model has the marginals of the data and none
of its dependencies: by the last line KL(P_data || p) is at least the total correlation TC of P_data, whatever
theta is. A combination that was never seen can still be probable; a level that was never seen has probability
0 in every combination, unless the counts are smoothed (`smoothing.py`).
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from ...backend import RandomStream
from ...data.tables import Rows, check_rows, count_levels, entropy_of, log_of_probabilities, sample_levels
from .smoothing import smoothed
from .tables import Floats, TableModel


class CategoricalNaiveBayes(TableModel):
    """Independent categorical distributions, one per attribute.

    Parameters
    ----------
    levels : sequence of int
        The number of levels of each attribute.
    alpha : float
        Additive smoothing: 0 is maximum likelihood, 1 is Laplace's rule.

    Attributes
    ----------
    theta : tuple of arrays
        The probabilities of the levels: for attribute k, shape (levels[k],), summing to 1; after `fit`.

    Raises
    ------
    ValueError
        If ``levels`` or ``alpha`` is not as described.

    Examples
    --------
    >>> from scratchgen.data import avatars
    >>> model = CategoricalNaiveBayes(avatars.LEVELS).fit(avatars.observations())
    >>> look = avatars.look("LongHairStraight", "Red", "Round", "ShirtScoopNeck", "White")
    >>> print(f"{np.exp(model.log_prob(look))[0]:.7f}")
    0.0054146
    """

    def fit(self, rows: Any) -> CategoricalNaiveBayes:
        """Estimate theta from a table, shape (n, attributes) with n >= 1, and return the model.

        Raises
        ------
        ValueError
            If the table is empty or holds a level that does not exist.
        """
        tables = count_levels(self._checked(rows), self.levels)
        theta = (smoothed(table, self.alpha) for table in tables)  # (naive-bayes-maximum-likelihood)
        self._theta = tuple(theta)
        return self

    @property
    def parameter_count(self) -> int:
        """The number of free parameters: one less than the levels of each attribute, summed."""
        return sum(self.levels) - len(self.levels)

    @property
    def support_size(self) -> int:
        """How many combinations have a positive probability."""
        return math.prod(int(np.count_nonzero(theta)) for theta in self.theta)

    def log_prob(self, rows: Any) -> Floats:
        """Return log p(x) of each row in nats; minus infinity if it has a level of probability 0.

        Parameters
        ----------
        rows : array of int
            Shape (n, attributes).

        Returns
        -------
        array
            Shape (n,).

        Raises
        ------
        ValueError
            If a row holds a level that does not exist.
        """
        table = check_rows(rows, self.levels)
        log_theta = [log_of_probabilities(theta) for theta in self.theta]
        terms = [logs[table[:, k]] for k, logs in enumerate(log_theta)]
        return np.sum(terms, axis=0)  # (naive-bayes)

    def sample(self, n: int, rng: RandomStream) -> Rows:
        """Draw ``n`` independent rows, shape (n, attributes)."""
        return np.stack([sample_levels(theta, n, rng) for theta in self.theta], axis=1)

    def mode(self) -> Rows:
        """Return the most probable row, shape (1, attributes)."""
        return np.array([[int(np.argmax(theta)) for theta in self.theta]])

    def entropy(self) -> float:
        """Return the entropy in nats, the sum of the attributes' entropies.

        ::

            H(p) = sum_d H(theta_d)                                                 (naive-bayes-entropy)
        """
        return sum(entropy_of(theta) for theta in self.theta)  # (naive-bayes-entropy)
