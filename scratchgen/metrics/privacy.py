"""Privacy: what a model gives away about who was in its training data, and what noise guarantees.

A mechanism M is (epsilon, delta)-differentially private (Dwork et al. 2006) if for all data sets X and X' of
which one has one example more, and all sets S of outcomes,

    P(M(X) in S) <= exp(epsilon) P(M(X') in S) + delta.                                (privacy-definition)

Training with noise (Abadi et al. 2016) takes each example with probability q into a step, clips its gradient
to norm C and adds noise of standard deviation sigma C to their sum. In units of C, and at worst, what is seen
is then a number y of density N(0, sigma^2) without the example, and with it (1 - q) N(0, sigma^2) + q N(1,
sigma^2). The ratio of the two and the Renyi divergence of order alpha (Mironov et al. 2019) are

    r(y) = 1 - q + q exp((2 y - 1) / (2 sigma^2))                                          (privacy-ratio)
    R(alpha) = log E_(y ~ N(0, sigma^2)) [r(y)^alpha] / (alpha - 1)                        (privacy-renyi)

Divergences of steps add up, and a divergence of any order is a guarantee (Canonne et al. 2020, prop. 12):

    epsilon = min over alpha of  T R(alpha) + log(1 - 1 / alpha) - log(alpha delta) / (alpha - 1)
                                                                                         (privacy-epsilon)

What that leaves to an attacker who shall tell members from others (Humphries et al. 2020, theorem 3.5) is

    advantage <= (exp(epsilon) - 1 + 2 delta) / (exp(epsilon) + 1)                        (membership-bound)
"""

from __future__ import annotations

from typing import Any

import numpy as np

from ..backend import asnumpy, checks

ORDERS = np.array([*np.arange(1.1, 10.95, 0.1), *range(11, 64), 128, 256, 512, 1024])
REACH = 12.0  # standard deviations beyond which nothing counts
LEAST_NOISE, MOST_NOISE, NEAR = 0.05, 2.0**20, 1e-3  # between which noise is looked for, and how nearly
MARGIN = 1.001  # an upper bound shall not become a lower one by rounding, or by what others round


def membership_advantage(member_scores: Any, other_scores: Any) -> float:
    """How well a score tells the training data from other examples: 0 is guessing, 1 is certainty.

    An attacker calls "member" whatever scores above a threshold. Of the best threshold c,

        advantage = max over c of  P(score > c | member) - P(score > c | other)        (membership-advantage)

    (Yeom et al. 2018). It is a maximum over thresholds on a sample, and so not 0 on average for equal
    distributions; for few scores choose c on others, or bootstrap.

    Parameters
    ----------
    member_scores, other_scores : array, shape (n,) and (m,)
        Larger ones mean "member": minus the loss, or minus the distance to the nearest sample.

    Returns
    -------
    float
        In [0, 1].

    Raises
    ------
    TypeError, ValueError
        If one of them is no vector of finite numbers, or is empty.

    Examples
    --------
    >>> membership_advantage(np.array([3.0, 2.0, 5.0]), np.array([1.0, 2.5, 0.0]))
    0.6666666666666667
    """
    scores = {"member_scores": member_scores, "other_scores": other_scores}
    for name, given in scores.items():
        checks.shape(name, checks.finite(name, given), ("n",))
        if len(given) == 0:
            raise ValueError(f"{name}: got none, expected at least one")
    members, others = (np.sort(asnumpy(given)) for given in scores.values())
    thresholds = np.concatenate([members, others])
    above = [1 - np.searchsorted(x, thresholds, side="right") / len(x) for x in (members, others)]
    return float(max(0.0, (above[0] - above[1]).max()))  # (membership-advantage)


def membership_bound(epsilon: float, delta: float) -> float:
    """The largest membership advantage that any attacker can have, equation membership-bound.

    Parameters
    ----------
    epsilon, delta : float
        Of the training; epsilon may be infinite, which promises nothing.

    Raises
    ------
    TypeError, ValueError
        If epsilon is below 0, or delta not in [0, 1].

    Examples
    --------
    >>> round(membership_bound(epsilon=1.0, delta=1e-5), 4)
    0.4621
    """
    if epsilon != np.inf:
        checks.number("epsilon", epsilon, "[0, inf)")
    delta = checks.number("delta", delta, "[0, 1]")
    odds = np.exp(-float(epsilon))
    return float((1 - odds + 2 * delta * odds) / (1 + odds))  # (membership-bound)


def privacy_spent(noise_multiplier: float, sampling_rate: float, steps: int, delta: float) -> float:
    """The epsilon of (epsilon, delta)-differential privacy after training with noise.

    It protects one example, against whoever sees all weights of all steps: equations privacy-ratio to
    privacy-epsilon, and a thousandth more. It is an upper bound, and infinite without noise.

    Parameters
    ----------
    noise_multiplier : float
        sigma: the noise's standard deviation in units of the norm that gradients are clipped to.
    sampling_rate : float
        q: each example is in a step's batch with this probability, whatever the others are. Batches cut from
        a shuffled list have another guarantee, and it is not this one.
    steps : int
        T.
    delta : float
        In (0, 1); well below one over the number of examples.

    Returns
    -------
    float

    Raises
    ------
    TypeError, ValueError
        If an argument is not as said above.

    Examples
    --------
    >>> round(privacy_spent(noise_multiplier=1.1, sampling_rate=256 / 60_000, steps=10_000, delta=1e-5), 2)
    2.16
    """
    sigma = checks.number("noise_multiplier", noise_multiplier, "[0, inf)")
    q = checks.number("sampling_rate", sampling_rate, "[0, 1]")
    steps = checks.whole("steps", steps, 0)
    delta = checks.number("delta", delta, "(0, 1)")
    if steps == 0 or q == 0:
        return 0.0
    if sigma == 0:
        return float("inf")
    spent = steps * np.array([renyi_divergence(alpha, sigma, q) for alpha in ORDERS])
    epsilons = spent + np.log1p(-1 / ORDERS) - np.log(ORDERS * delta) / (ORDERS - 1)  # (privacy-epsilon)
    return float(max(0.0, epsilons.min() * MARGIN))


def noise_needed(epsilon: float, sampling_rate: float, steps: int, delta: float) -> float:
    """The least noise multiplier, but for a thousandth, whose `privacy_spent` is at most epsilon.

    Parameters
    ----------
    epsilon : float
        Above 0. One so small that no order of the divergence can show it, whatever the noise, is refused.
    sampling_rate, steps, delta
        As for `privacy_spent`.

    Raises
    ------
    TypeError, ValueError
        If an argument is not as said above, or epsilon cannot be reached.

    Examples
    --------
    >>> round(noise_needed(epsilon=2.16, sampling_rate=256 / 60_000, steps=10_000, delta=1e-5), 2)
    1.1
    """
    epsilon = checks.number("epsilon", epsilon, "(0, inf)")
    low, high = 0.0, 1.0
    while privacy_spent(high, sampling_rate, steps, delta) > epsilon:
        low, high = high, 2 * high
        if high > MOST_NOISE:
            least = privacy_spent(high, sampling_rate, steps, delta)
            raise ValueError(
                f"epsilon: got {epsilon:g}, expected more: even noise of {high:g} times the clipping norm is "
                f"shown to spend no less than {least:.3g} in these steps, with delta {delta:g}"
            )
    while low < (1 - NEAR) * high:
        middle = (low + high) / 2 if low > 0 else high / 2
        if privacy_spent(middle, sampling_rate, steps, delta) > epsilon:
            low = middle
        elif (high := middle) < LEAST_NOISE:
            break
    return high


def renyi_divergence(alpha: float, noise_multiplier: float, sampling_rate: float) -> float:
    """R(alpha) of one step, equation privacy-renyi, in nats: by the trapezoidal rule.

    Far out r(y)^alpha times the density is a Gaussian around alpha, so the integral reaches that far. The
    rule's error falls as exp(-2 pi a / h) with the step h, if the integrand is smooth in a strip of half
    width a around the real axis; where r is 0, pi sigma^2 beside it, a broken power is not.
    """
    alpha = checks.number("alpha", alpha, "(1, inf)")
    sigma = checks.number("noise_multiplier", noise_multiplier, "(0, inf)")
    q = checks.number("sampling_rate", sampling_rate, "[0, 1]")
    width = min(sigma, 2 * sigma**2) / 8
    y = np.arange(-REACH * sigma, alpha + REACH * sigma, width)
    log_density = -(y**2) / (2 * sigma**2) - np.log(2 * np.pi * sigma**2) / 2
    with np.errstate(divide="ignore"):
        log_ratio = np.logaddexp(np.log1p(-q), np.log(q) + (2 * y - 1) / (2 * sigma**2))  # (privacy-ratio)
    terms = alpha * log_ratio + log_density  # (privacy-renyi)
    peak = terms.max()
    return float(peak + np.log(np.exp(terms - peak).sum() * width)) / (alpha - 1)  # (privacy-renyi)
