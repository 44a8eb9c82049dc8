"""P_data: the joint distribution of the looks, known exactly.

Taste comes in pairs: who wears overalls likes blue and pastel green ones, red hair is often frizzy.
``AFFINITIES`` declares such pairs; a pair of affinity ``a`` is ``exp(a)`` times as likely as it would be
without it, before the marginals are set right. Among all joint distributions whose five marginals are the
table's, P_data is the one nearest to the declared one (in Kullback-Leibler divergence), which iterative
proportional fitting finds: multiply every attribute's levels in turn by wanted over present frequency, ::

    P(x) <- P(x) theta_d[x_d] / P_d(x_d),     d = 1 .. D, 1 .. D, ...    (iterative-proportional-fitting)

until nothing changes (Deming & Stephan 1940; Csiszar 1975 for the divergence).

The fit leaves the dependencies alone. Their strength is the total correlation ::

    TC = sum_d H(x_d) - H(x) = KL(P_data || prod_d P_data(x_d))                       (total-correlation)

It is 0.7315 nats, which is exactly how far the best naive Bayes model stays from P_data, however many people
it has seen.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ...backend import RandomStream
from ..tables import Rows, entropy_of, log_of_probabilities, sample_levels
from .looks import ATTRIBUTES, LEVELS, NAMES, all_looks, frequencies, look_numbers

Floats = NDArray[np.float64]

#: For two attributes, pairs of levels that go together (above 0) or avoid each other (below 0), in nats.
AFFINITIES: dict[tuple[str, str], dict[tuple[str, str], float]] = {
    ("topType", "hairColor"): {
        ("LongHairStraight", "SilverGrey"): 1.0,
        ("LongHairStraight", "Black"): -1.0,
        ("ShortHairFrizzle", "Red"): 2.0,
        ("ShortHairShortFlat", "Blonde"): 1.5,
        ("NoHair", "Black"): 1.5,
    },
    ("topType", "accessoriesType"): {("NoHair", "Sunglasses"): 1.5, ("LongHairStraight", "Round"): 1.0},
    ("topType", "clothingType"): {("NoHair", "Hoodie"): 1.5, ("LongHairStraight", "Overall"): 1.0},
    ("accessoriesType", "clothingType"): {("Round", "Overall"): 1.0, ("Sunglasses", "Hoodie"): 1.5},
    ("hairColor", "clothingColor"): {("PastelPink", "Pink"): 2.5, ("SilverGrey", "Grey01"): 1.0},
    ("clothingType", "clothingColor"): {
        ("ShirtScoopNeck", "White"): 1.5,
        ("Hoodie", "Grey01"): 1.5,
        ("Overall", "PastelGreen"): 1.5,
        ("Overall", "Blue01"): 2.0,
        ("ShirtVNeck", "Red"): 2.0,
    },
}


def declared_affinities() -> Floats:
    """Return ``exp`` of the summed affinities of every look, shape (7, 6, 3, 4, 8): the start of the fit."""
    log_affinity = np.zeros(LEVELS)
    for attributes, pairs in AFFINITIES.items():
        columns = [ATTRIBUTES.index(attribute) for attribute in attributes]
        for names, affinity in pairs.items():
            cell: list[slice | int] = [slice(None)] * len(LEVELS)
            for column, name in zip(columns, names, strict=True):
                cell[column] = NAMES[column].index(name)
            log_affinity[tuple(cell)] += affinity
    return np.exp(log_affinity)


def marginal(joint: Floats, attribute: int) -> Floats:
    """Return the distribution of one attribute of a joint distribution, shape (levels of that attribute,)."""
    return joint.sum(axis=tuple(axis for axis in range(joint.ndim) if axis != attribute))


def iterative_proportional_fit(
    joint: Floats, marginals: tuple[Floats, ...], *, tolerance: float = 1e-15, sweeps: int = 1000
) -> Floats:
    """Return the distribution nearest to ``joint`` that has the wanted marginals.

    Parameters
    ----------
    joint : array
        Positive weights, one axis per attribute.
    marginals : tuple of arrays
        The wanted distribution of each attribute.
    tolerance : float
        Stop when no marginal is further than this from the wanted one.
    sweeps : int
        At most this many rounds over the attributes.

    Raises
    ------
    ValueError
        If the marginals do not fit the axes of ``joint``.
    RuntimeError
        If the marginals are not within 1e-12 after the last sweep.

    Examples
    --------
    >>> wanted = np.array([0.3, 0.7]), np.array([0.5, 0.5])
    >>> fitted = iterative_proportional_fit(np.array([[2.0, 1.0], [1.0, 2.0]]), wanted)
    >>> fitted.sum(axis=1).round(12)
    array([0.3, 0.7])
    >>> print(round(fitted[0, 0] * fitted[1, 1] / (fitted[0, 1] * fitted[1, 0]), 12))  # as it was
    4.0
    """
    if joint.shape != tuple(len(wanted) for wanted in marginals):
        sizes = tuple(len(wanted) for wanted in marginals)
        raise ValueError(f"marginals: got {sizes} levels, expected {joint.shape} as joint has")
    for _ in range(sweeps):
        for attribute, wanted in enumerate(marginals):
            present = marginal(joint, attribute)
            factor = np.divide(wanted, present, out=np.zeros_like(wanted), where=wanted > 0)
            others = [axis for axis in range(joint.ndim) if axis != attribute]
            joint = joint * np.expand_dims(factor, others)  # (iterative-proportional-fitting)
        error = max(np.abs(marginal(joint, k) - wanted).max() for k, wanted in enumerate(marginals))
        if error <= tolerance:
            return joint
    if error > 1e-12:
        raise RuntimeError(
            f"the marginals are still {error:.1e} off after {sweeps} sweeps of proportional fitting"
        )
    return joint


@cache
def joint() -> Floats:
    """Return P_data of every look, shape (7, 6, 3, 4, 8), summing to 1 (read-only).

    Its marginals are ``n / 50`` of the table to 1e-12, so the 1,008 looks with a bun or in black
    have probability 0.
    """
    fitted = iterative_proportional_fit(declared_affinities(), frequencies())
    fitted.setflags(write=False)
    return fitted


def probabilities() -> Floats:
    """Return P_data of every look in the order of :func:`all_looks`, shape (4032,)."""
    return joint().reshape(-1)


def log_prob(rows: Any) -> Floats:
    """Return log P_data of each look, in nats; minus infinity for a look that does not occur.

    Parameters
    ----------
    rows : array of int
        Looks, shape (n, 5).

    Returns
    -------
    array
        Shape (n,).

    Raises
    ------
    ValueError
        If a row is no look.

    Examples
    --------
    >>> log_prob([[3, 5, 1, 2, 7], [1, 5, 1, 2, 7]]).round(4)
    array([-3.3064,    -inf])
    """
    return log_of_probabilities(probabilities()[look_numbers(rows)])


def sample(n: int, rng: RandomStream) -> Rows:
    """Draw ``n`` independent looks from P_data, shape (n, 5)."""
    return all_looks()[sample_levels(probabilities(), n, rng)]


def entropy() -> float:
    """Return the entropy of P_data in nats."""
    return entropy_of(probabilities())


def total_correlation() -> float:
    """Return ``sum_d H(x_d) - H(x)`` in nats: 0 would mean that the attributes are independent.

    Examples
    --------
    >>> round(total_correlation(), 4)
    0.7315
    """
    return sum(entropy_of(theta) for theta in frequencies()) - entropy()  # (total-correlation)
