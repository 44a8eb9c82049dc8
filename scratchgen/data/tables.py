"""Tables of categorical data: rows of whole numbers, one column per attribute.

A row ``(3, 4, 1, 2, 7)`` of a table with ``levels = (7, 6, 3, 4, 8)`` chooses level 3 of the 7 levels of
the first attribute, level 4 of the 6 of the second, and so on. There are ``7 * 6 * 3 * 4 * 8 = 4,032`` such
rows: few enough to write all of them down, which is what makes every probability on them exactly
computable.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..backend import RandomStream, asnumpy, check_rng, checks

Rows = NDArray[np.int64]
Floats = NDArray[np.float64]


def check_rows(rows: Any, levels: Sequence[int]) -> Rows:
    """Return ``rows`` as a host array of shape (n, attributes) whose entries are existing levels.

    Parameters
    ----------
    rows : array of int
        Whole numbers, shape (n, attributes). Column k lies in ``0 .. levels[k] - 1``.
    levels : sequence of int
        The number of levels of each attribute.

    Raises
    ------
    TypeError, ValueError
        If the shape is wrong, an entry is not a whole number, or a level does not exist.

    Examples
    --------
    >>> check_rows([[0, 2]], levels=(2, 3))
    array([[0, 2]])
    >>> check_rows([[0, 3]], levels=(2, 3))
    Traceback (most recent call last):
    ...
    ValueError: rows[0, 1]: got level 3, expected 0 to 2
    """
    table = checks.shape("rows", asnumpy(rows), ("n", len(levels)), "a column for each attribute")
    table = checks.whole_numbers("rows", table).astype(np.int64)
    wrong = np.argwhere((table < 0) | (table >= np.asarray(levels)))
    if len(wrong):
        row, column = (int(position) for position in wrong[0])
        got, last = table[row, column], levels[column] - 1
        raise ValueError(f"rows[{row}, {column}]: got level {got}, expected 0 to {last}")
    return table


def enumerate_rows(levels: Sequence[int]) -> Rows:
    """Return every possible row, shape (prod(levels), attributes), the last attribute changing fastest.

    Examples
    --------
    >>> enumerate_rows((2, 3)).tolist()
    [[0, 0], [0, 1], [0, 2], [1, 0], [1, 1], [1, 2]]
    """
    return np.indices(tuple(levels)).reshape(len(levels), -1).T.astype(np.int64)


def number_rows(rows: Rows, levels: Sequence[int]) -> Rows:
    """Return the position of each row in :func:`enumerate_rows`, shape (n,).

    Examples
    --------
    >>> number_rows(np.array([[1, 2], [0, 1]]), (2, 3))
    array([5, 1])
    """
    return np.ravel_multi_index(tuple(rows.T), tuple(levels)).astype(np.int64)


def count_levels(rows: Rows, levels: Sequence[int]) -> tuple[Rows, ...]:
    """Return how often each level occurs: for attribute k an array of shape (levels[k],).

    Examples
    --------
    >>> count_levels(np.array([[0, 2], [0, 1]]), (2, 3))
    (array([2, 0]), array([0, 1, 1]))
    """
    return tuple(np.bincount(rows[:, k], minlength=count) for k, count in enumerate(levels))


def log_of_probabilities(probabilities: Floats) -> Floats:
    """Return ``log p``, minus infinity where ``p`` is 0, without a warning.

    Examples
    --------
    >>> log_of_probabilities(np.array([1.0, 0.0]))
    array([  0., -inf])
    """
    return np.log(probabilities, out=np.full(probabilities.shape, -np.inf), where=probabilities > 0)


def entropy_of(probabilities: Floats) -> float:
    """Return the entropy in nats, with ``0 log 0 = 0``.

    ::

        H(p) = -sum_l p_l log p_l                                                               (entropy)

    Examples
    --------
    >>> round(entropy_of(np.array([0.5, 0.5, 0.0])), 6)
    0.693147
    """
    positive = probabilities[probabilities > 0]
    return float(-np.sum(positive * np.log(positive)))  # (entropy)


def mutual_information(joint: Floats) -> float:
    """Return what two attributes know of each other, in nats, from their joint probabilities.

    ::

        I(a; b) = E log P(a, b) / (P(a) P(b)) = H(a) + H(b) - H(a, b)                    (mutual-information)

    Examples
    --------
    >>> round(mutual_information(np.array([[0.5, 0.0], [0.0, 0.5]])), 6)
    0.693147
    """
    alone = entropy_of(joint.sum(axis=1)) + entropy_of(joint.sum(axis=0))  # (mutual-information)
    return alone - entropy_of(joint.reshape(-1))  # (mutual-information)


def sample_levels(probabilities: Floats, n: int, rng: RandomStream) -> Rows:
    """Draw ``n`` levels by inverting the cumulative distribution; a level of probability 0 is never drawn.

    ::

        l = the first with  p_0 + ... + p_l > u,     u ~ U[0, 1)                 (inverse-transform-sampling)

    Parameters
    ----------
    probabilities : array
        Shape (levels,), nonnegative, summing to 1.
    n : int
        How many to draw.
    rng : RandomStream
        The stream of random numbers.

    Returns
    -------
    array
        Levels, shape (n,).
    """
    cumulative = np.cumsum(probabilities)
    # Dividing by the last entry makes it exactly 1, above every uniform number, however sums round.
    uniform = asnumpy(check_rng(rng).uniform((checks.whole("n", n, 0),), dtype=np.float64))
    drawn = np.searchsorted(
        cumulative / cumulative[-1], uniform, side="right"
    )  # (inverse-transform-sampling)
    return drawn.astype(np.int64)
