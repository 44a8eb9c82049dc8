"""Tables with parents: from naive Bayes to the full joint, one more parent at a time.

Each attribute depends on the m before it, its parents pa, and on nothing else:

    p(x) = prod_d theta_d[x_d | x_(d-m) .. x_(d-1)]                                          (chain-parents)

    theta_d[l | pa] = (n_(pa,l) + alpha) / (n_pa + alpha L_d)                                 (chain-tables)

m = 0 is naive Bayes, m = D - 1 the full joint by the chain rule, without any assumption. In between, what an
assumption costs and what its estimate costs can be told apart:

    KL(P || p) = missing + sum_d E_P KL(P(x_d | pa_d) || theta_d),                        (chain-divergence)
    missing = sum_d I_P(x_d; earlier ones | pa_d) = sum_d (H(pa_d, x_d) - H(pa_d)) - H(P).   (chain-missing)

What is missing falls with each further parent, to 0. The rest grows, since the tables do: each has a row for
every combination of the parents, and few of these were ever seen.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from ...backend import RandomStream, asnumpy, check_rng, checks
from ...data.tables import Rows, check_rows, entropy_of, log_of_probabilities
from ..naive_bayes.tables import Floats, TableModel


class CategoricalChain(TableModel):
    """Attributes drawn one after another, each from a table that its parents choose the row of.

    Parameters
    ----------
    levels : sequence of int
        The number of levels of each attribute.
    parents : int
        On how many of those before it each attribute depends: 0 is naive Bayes, one less than there are
        attributes (or more) the full joint.
    alpha : float
        Additive smoothing of every row: 0 is maximum likelihood.

    Attributes
    ----------
    theta : tuple of arrays
        For attribute d the probabilities given its parents, (levels of the parents ..., levels of d).

    Examples
    --------
    >>> model = CategoricalChain((2, 2), parents=1).fit([[0, 0], [0, 0], [0, 1], [1, 1]])
    >>> model.theta[1].round(2)
    array([[0.67, 0.33],
           [0.  , 1.  ]])
    """

    def __init__(self, levels: Sequence[int], parents: int, alpha: float = 0.0) -> None:
        super().__init__(levels, alpha)
        self.parents = checks.whole("parents", parents, least=0)

    def fit(self, rows: Any) -> CategoricalChain:
        """Estimate the tables from rows, shape (n, attributes) with n >= 1, and return the model.

        Raises
        ------
        ValueError
            If there is no row, or one holds a level that does not exist.
        """
        return self.fit_weights(self._counts(rows))

    def fit_weights(self, weights: Any) -> CategoricalChain:
        """Estimate the tables from how often each combination was seen, or from a distribution itself.

        Parameters
        ----------
        weights : array
            Nonnegative, shape ``levels``.
        """
        joint = np.asarray(asnumpy(checks.shape("weights", weights, self.levels)), np.float64)
        self._theta = tuple(self._conditional(marginal) for marginal in windows(joint, self.parents))
        return self

    def _conditional(self, weights: Floats) -> Floats:
        """The last axis given the others; parents that were never seen choose among all levels evenly."""
        smooth = weights + self.alpha  # (chain-tables)
        smooth = smooth + (smooth.sum(axis=-1, keepdims=True) == 0)  # (chain-tables)
        return smooth / smooth.sum(axis=-1, keepdims=True)  # (chain-tables)

    @property
    def parameter_count(self) -> int:
        """The number of free parameters: in each row of each table one less than there are levels."""
        return sum(table.size // table.shape[-1] * (table.shape[-1] - 1) for table in self.theta)

    def log_prob(self, rows: Any) -> Floats:
        """Return log p(x) of each row in nats, shape (n,); minus infinity where p(x) = 0.

        Raises
        ------
        ValueError
            If a row holds a level that does not exist.
        """
        table = check_rows(rows, self.levels)
        total = np.zeros(len(table))
        for d, theta in enumerate(self.theta):
            given = table[:, max(0, d - self.parents) : d + 1]
            total += log_of_probabilities(theta[tuple(given.T)])  # (chain-parents)
        return total

    def sample(self, n: int, rng: RandomStream) -> Rows:
        """Draw ``n`` independent rows, shape (n, attributes), one attribute after another."""
        u = asnumpy(check_rng(rng).uniform((checks.whole("n", n, least=0), len(self.levels)), np.float64))
        rows = np.zeros((n, len(self.levels)), np.int64)
        for d, theta in enumerate(self.theta):
            given = rows[:, max(0, d - self.parents) : d]
            sums = np.cumsum(np.broadcast_to(theta[tuple(given.T)], (n, self.levels[d])), axis=1)
            rows[:, d] = (u[:, d, None] * sums[:, -1:] >= sums[:, :-1]).sum(axis=1)
        return rows


def windows(joint: Floats, parents: int) -> Iterator[Floats]:
    """For each attribute the marginal of its parents and itself, in their order."""
    for d in range(joint.ndim):
        others = (axis for axis in range(joint.ndim) if not d - parents <= axis <= d)
        yield joint.sum(axis=tuple(others))


def missing_information(joint: Floats, parents: int) -> float:
    """How far in nats the best chain stays from a distribution, since it looks at few parents only.

    Parameters
    ----------
    joint : array
        A distribution, one axis for each attribute, summing to 1.
    parents : int

    Examples
    --------
    >>> from scratchgen.data import avatars
    >>> [round(missing_information(avatars.joint(), k), 4) for k in range(5)]
    [0.7315, 0.1861, 0.0872, 0.0, 0.0]
    """
    each = (entropy_of(w.ravel()) - entropy_of(w.sum(axis=-1).ravel()) for w in windows(joint, parents))
    return sum(each) - entropy_of(joint.ravel())  # (chain-missing)
