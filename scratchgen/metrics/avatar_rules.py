"""The two rules of the course as numbers, in the world of avatars where P_data is known.

Rule 1, samples look as if drawn from P_data: the exact divergence of a model that has a likelihood, and for
any model validity (are its pictures avatars at all?) and total variation (does it draw each look as often
as it should?). Rule 2, samples are suitably different from the observations: novelty and coverage.

Every number of a finite sample needs its yardstick: ``expected_scores`` says what P_data itself would score.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..backend import RandomStream, asnumpy, checks
from ..data import avatars
from .bootstrap import Estimate, bootstrap_interval

#: The number that stands for a picture that shows no look, after those of the 4,032 looks.
NO_LOOK = len(avatars.all_looks())


class AvatarScores(NamedTuple):
    """What a set of samples scores; each number lies between 0 and 1."""

    validity: Estimate
    """The fraction of samples that show a look."""
    total_variation: Estimate
    """Half the summed difference of frequencies from P_data, "no look" counted as one; 0 is perfect."""
    novelty: Estimate
    """The fraction of samples that show a look that was not observed."""
    coverage: Estimate
    """The fraction of the 4,032 looks that the samples show; its interval is short (77 %, not 95 %)"""

    def __str__(self) -> str:
        return "\n".join(f"{name:<17}{getattr(self, name)}" for name in self._fields)


def exact_kl(log_prob: Callable[[Any], Any]) -> float:
    """Return the divergence of a model from P_data, summed over all looks, in nats.

    ::

        KL(P_data || P_model) = sum_x P_data(x) (log P_data(x) - log P_model(x))               (exact-kl)

    So the log-likelihood that a model may expect falls short of the best possible one by this much: ::

        E_data log P_model(x) = -H(P_data) - KL(P_data || P_model)                        (cross-entropy)

    It is infinite if the model excludes a look that occurs. There is nothing random in it, so there is no
    interval; how it depends on the fifty people is a ``bootstrap_interval`` over refits.

    Parameters
    ----------
    log_prob : callable
        From looks, shape (n, 5), to their log-probabilities in nats, shape (n,).

    Raises
    ------
    ValueError
        If the model's probabilities of the 4,032 looks sum to more than 1, are NaN, or have another shape.

    Examples
    --------
    >>> exact_kl(avatars.log_prob)
    0.0
    """
    log_model = np.asarray(asnumpy(log_prob(avatars.all_looks())), dtype=np.float64)
    checks.shape("log_prob(rows)", log_model, (NO_LOOK,), "one for each look")
    mass = float(np.exp(log_model).sum())
    if not mass <= 1 + 1e-5:
        raise ValueError(f"log_prob(rows): got probabilities that sum to {mass:g}, expected at most 1")
    data = avatars.probabilities()
    occurs = data > 0
    return float(np.sum(data[occurs] * (np.log(data[occurs]) - log_model[occurs])))  # (exact-kl)


def total_variation(numbers: NDArray[np.int64]) -> float:
    """Return the distance of the frequencies of sampled looks, given by their numbers, from P_data.

    ::

        TV = 1/2 sum_x |n_x / n - P_data(x)|                                            (total-variation)
    """
    counts = np.bincount(numbers, minlength=NO_LOOK + 1)
    difference = counts / len(numbers) - np.append(avatars.probabilities(), 0)
    return float(np.abs(difference).sum() / 2)  # (total-variation)


def coverage(numbers: NDArray[np.int64]) -> float:
    """Return the fraction of the 4,032 looks that occur among sampled numbers."""
    seen = np.bincount(numbers)[:NO_LOOK]
    return float(np.count_nonzero(seen)) / NO_LOOK  # (coverage)


def score_looks(
    rows: Any, rng: RandomStream, *, observed: Any = None, shown: Any = None, resamples: int = 1000
) -> AvatarScores:
    """Score sampled looks by both rules, each number with a 95 % bootstrap interval.

    Parameters
    ----------
    rows : array of int
        Looks, shape (n, 5), n >= 1.
    rng : RandomStream
        The stream of random numbers for the intervals.
    observed : array of int, optional
        What the model was trained on, shape (m, 5); by default the fifty observations.
    shown : array of bool, optional
        Whether sample i shows a look at all, shape (n,); by default every one does.
    resamples : int
        How many bootstrap resamples to draw.

    Raises
    ------
    ValueError
        If there is no sample, a row is no look, or ``shown`` has another shape.
    """
    numbers = avatars.look_numbers(rows)
    if len(numbers) == 0:
        raise ValueError("rows: got none, expected at least one look to score")
    visible = np.ones(len(numbers), dtype=bool) if shown is None else np.asarray(asnumpy(shown))
    if visible.shape != numbers.shape or visible.dtype != bool:
        raise ValueError(
            f"shown: got {visible.dtype} of shape {visible.shape}, expected bool of shape {numbers.shape}"
        )
    numbers = np.where(visible, numbers, NO_LOOK)
    known = avatars.look_numbers(avatars.observations() if observed is None else observed)
    new = visible & ~np.isin(numbers, known)  # (novelty)

    def interval(name: str, statistic: Callable[[Any], float], sample: Any) -> Estimate:
        stream = rng.child(name)
        return bootstrap_interval(statistic, sample, stream, resamples=resamples, bounds=(0.0, 1.0))

    return AvatarScores(
        validity=interval("validity", np.mean, visible),
        total_variation=interval("total variation", total_variation, numbers),
        novelty=interval("novelty", np.mean, new),
        coverage=interval("coverage", coverage, numbers),
    )


def score_images(
    images: Any,
    rng: RandomStream,
    *,
    observed: Any = None,
    tolerance: float = avatars.TOLERANCE,
    resamples: int = 1000,
) -> AvatarScores:
    """Score sampled pictures, shape (n, 3, 32, 32): each counts as its nearest look, if that is near enough.

    Parameters are those of :func:`score_looks`; ``tolerance`` is the largest distance that
    :func:`scratchgen.data.avatars.read` may measure for a picture to show a look.
    """
    tolerance = checks.number("tolerance", tolerance, "[0, inf]")
    rows, distances = avatars.read(images)
    return score_looks(rows, rng, observed=observed, shown=distances <= tolerance, resamples=resamples)


class ExpectedScores(NamedTuple):
    """What P_data itself scores on average."""

    validity: float
    total_variation: float
    novelty: float
    coverage: float


def expected_scores(n: int, *, observed: Any = None) -> ExpectedScores:
    """Return the average scores of ``n`` independent looks from P_data: the best that any model can do.

    They are not 1, 0, 1, 1. With X ~ Binomial(n, p) and nu = floor(n p) + 1, de Moivre found ::

        E |X - n p| = 2 nu binom(n, nu) p^nu (1 - p)^(n - nu + 1)                  (expected-total-variation)
        E covered looks = sum_x (1 - (1 - p_x)^n)                                     (expected-coverage)
        E novelty = 1 - sum of p_x over the x that were observed                       (expected-novelty)

    The sum of the first over the looks, over 2 n, is the total variation.

    References
    ----------
    Diaconis, P., & Zabell, S. (1991). Closed form summation for classical distributions: variations on a
    theme of de Moivre. Statistical Science 6(3).

    Examples
    --------
    >>> expected_scores(1000).coverage < expected_scores(10000).coverage < 3024 / 4032
    True
    """
    n = checks.whole("n", n)
    data = avatars.probabilities()
    known = np.unique(avatars.look_numbers(avatars.observations() if observed is None else observed))
    p = data[data > 0]
    nu = np.floor(n * p) + 1
    from scipy.special import gammaln  # slow to import

    log_binomial = gammaln(n + 1) - gammaln(nu + 1) - gammaln(n - nu + 1)
    log_mass = log_binomial + nu * np.log(p) + (n - nu + 1) * np.log1p(-p)  # (expected-total-variation)
    deviation = 2 * nu * np.exp(log_mass)  # (expected-total-variation)
    novelty = 1 - data[known].sum()  # (expected-novelty)
    return ExpectedScores(
        validity=1.0,
        total_variation=float(deviation.sum() / (2 * n)),
        novelty=float(novelty),
        coverage=float(-np.expm1(n * np.log1p(-p)).sum()) / len(data),  # (expected-coverage)
    )
