"""The equations of privacy, against brute force, closed forms, a simulation and a published accountant."""

from __future__ import annotations

import math

import numpy as np
import pytest
from estimates import assert_mean
from scipy import integrate, optimize, special, stats
from tools import assert_at_most, assert_close, to_device

from scratchgen.metrics import membership_advantage, membership_bound, privacy_spent
from scratchgen.metrics.privacy import MARGIN, ORDERS, renyi_divergence


@pytest.mark.equation("membership-advantage")
def test_the_advantage_is_that_of_the_best_threshold() -> None:
    """By trying all of them; with ties; and of two normal distributions, whose best threshold is half-way."""
    rng = np.random.default_rng(0)
    members, others = rng.integers(0, 6, 40) + 1.0, rng.integers(0, 6, 25) * 1.0
    tried = [(members > c).mean() - (others > c).mean() for c in np.arange(-1.5, 9, 0.5)]
    assert max(tried) > 0.1
    assert_close(membership_advantage(to_device(members), to_device(others)), max(tried), rtol=1e-14)
    assert_close(membership_advantage(others - 100, members), 0.0)  # never below guessing
    x, y = rng.normal(1.0, 1, 40_000), rng.normal(0.0, 1, 40_000)
    assert_at_most(
        abs(membership_advantage(x, y) - (2 * stats.norm.cdf(0.5) - 1)) / 0.005, 4, "standard errors"
    )


@pytest.mark.equation("membership-bound")
@pytest.mark.parametrize(("odds", "delta"), [(3, 0.2), (3, 0.0), (1, 0.4), (7, 0.6), (1, 0.0)])
def test_the_bound_is_reached_by_a_mechanism_that_tells_the_truth_by_odds(odds: int, delta: float) -> None:
    """With probability delta it tells all (3 or -1), else the truth (1 or 0) with odds of e^epsilon to 1."""
    total = 5 * (odds + 1)
    known, rest = round(delta * total), total - round(delta * total)
    right = rest * odds // (odds + 1)
    assert right * (odds + 1) == rest * odds
    members = np.repeat([3.0, 1.0, 0.0], [known, right, rest - right])
    others = np.repeat([-1.0, 0.0, 1.0], [known, right, rest - right])
    found = membership_advantage(to_device(members), to_device(others))
    assert_close(membership_bound(math.log(odds), delta), found, rtol=1e-12, atol=1e-15)


@pytest.mark.equation("membership-bound")
@pytest.mark.parametrize("sigma", [0.5, 1.0, 4.0])
def test_no_attack_on_the_gaussian_mechanism_is_above_the_bound(sigma: float) -> None:
    """N(1, sigma^2) against N(0, sigma^2): its advantage is known, and below for all deltas."""
    exact = 2 * special.ndtr(1 / (2 * sigma)) - 1
    bounds = [membership_bound(privacy_spent(sigma, 1.0, 1, delta), delta) for delta in (1e-5, 0.05, 0.3)]
    assert_at_most(max(exact / bound for bound in bounds), 1.0)
    assert exact > 0.5 * min(bounds)


@pytest.mark.equation("privacy-ratio")
@pytest.mark.equation("privacy-renyi")
@pytest.mark.parametrize(
    ("alpha", "sigma", "q"), [(2, 0.7, 0.03), (7, 1.3, 0.2), (32, 4.0, 0.01), (3, 0.3, 0.5)]
)
def test_divergences_of_whole_orders_are_binomial_sums(alpha: int, sigma: float, q: float) -> None:
    """E r^alpha by the binomial theorem, with E exp(k (2 z - 1) / 2 sigma^2) = exp((k^2 - k) / 2 sigma^2)."""
    terms = [
        math.comb(alpha, k) * (1 - q) ** (alpha - k) * q**k * math.exp((k * k - k) / (2 * sigma**2))
        for k in range(alpha + 1)
    ]
    assert_close(renyi_divergence(alpha, sigma, q), math.log(math.fsum(terms)) / (alpha - 1), rtol=1e-11)


@pytest.mark.equation("privacy-ratio")
@pytest.mark.equation("privacy-renyi")
@pytest.mark.parametrize(
    ("alpha", "sigma", "q"), [(1.1, 0.5, 0.01), (2.5, 0.5, 0.01), (3.7, 1.1, 0.3), (1.5, 2.0, 1.0)]
)
def test_divergences_between_whole_orders_are_integrals(alpha: float, sigma: float, q: float) -> None:
    """Of the two densities themselves, by adaptive quadrature."""

    def integrand(z: float) -> float:
        with_me = (1 - q) * stats.norm.pdf(z, 0, sigma) + q * stats.norm.pdf(z, 1, sigma)
        return float(with_me**alpha * stats.norm.pdf(z, 0, sigma) ** (1 - alpha))

    total, _ = integrate.quad(integrand, -9 * sigma, alpha + 9 * sigma, epsabs=0, epsrel=1e-12, limit=400)
    assert_close(renyi_divergence(alpha, sigma, q), math.log(total) / (alpha - 1), rtol=1e-8)


@pytest.mark.equation("privacy-epsilon")
def test_epsilon_is_the_best_that_the_divergences_give() -> None:
    """The constant c of the derivation by search instead of calculus; all orders, solved for epsilon."""
    sigma, q, steps, delta = 0.9, 0.02, 500, 1e-5

    def epsilon(alpha: float) -> float:
        found = optimize.minimize_scalar(
            lambda log_x: -math.log(-math.expm1(-log_x)) + (alpha - 1) * log_x,
            bounds=(1e-9, 60 / alpha), method="bounded", options={"xatol": 1e-13},
        )  # fmt: skip
        return steps * renyi_divergence(alpha, sigma, q) + (-found.fun - math.log(delta)) / (alpha - 1)

    best = min(epsilon(float(alpha)) for alpha in ORDERS)
    assert_close(privacy_spent(sigma, q, steps, delta), best * MARGIN, rtol=1e-8)


@pytest.mark.equation("privacy-epsilon")
def test_the_guarantee_holds_for_the_gaussian_mechanism() -> None:
    """Of all examples in each step the exact delta is known (Balle & Wang 2018); and it is nearly reached."""
    sigma, steps = 6.0, 16
    epsilon = privacy_spent(sigma, 1.0, steps, 1e-5)
    mu = math.sqrt(steps) / sigma
    exact = special.ndtr(mu / 2 - epsilon / mu) - math.exp(epsilon) * special.ndtr(-mu / 2 - epsilon / mu)
    assert exact > 1e-7
    assert_at_most(exact / 1e-5, 1.0)


@pytest.mark.equation("privacy-definition")
@pytest.mark.equation("privacy-epsilon")
def test_the_guarantee_holds_in_a_simulation() -> None:
    """How often, in 400,000 trainings with me, is the loss of privacy so large that delta is needed?"""
    sigma, q, steps, delta = 1.0, 0.1, 30, 1e-2
    rng = np.random.default_rng(0)
    z = rng.normal(size=(400_000, steps)) * sigma + (rng.random((400_000, steps)) < q)
    loss = np.log(1 - q + q * np.exp((2 * z - 1) / (2 * sigma**2))).sum(axis=1)
    epsilon = privacy_spent(sigma, q, steps, delta)
    needed = np.maximum(0, -np.expm1(epsilon - loss)).mean()
    assert delta / 50 < needed < delta
    assert_mean(np.exp(-loss), 1.0)  # the densities are normalised: the simulation is right


@pytest.mark.parametrize(
    ("sigma", "q", "steps"),
    [
        (1.1, 256 / 60_000, 10_000),
        (0.8, 0.01, 500),
        (0.5, 0.01, 100),
        (2.0, 0.1, 500),
        (5.0, 1.0, 10),
        (10.0, 0.05, 50),
    ],
)
def test_a_published_accountant_agrees(sigma: float, q: float, steps: int) -> None:
    """Never below it, and above by the margin alone; nor below the numerical one, which is the tightest."""
    accounting = pytest.importorskip("dp_accounting")
    event = accounting.PoissonSampledDpEvent(q, accounting.GaussianDpEvent(sigma))
    ours = privacy_spent(sigma, q, steps, 1e-5)
    theirs = accounting.rdp.RdpAccountant().compose(event, steps).get_epsilon(1e-5)
    assert theirs <= ours
    assert_at_most(ours / theirs - 1, 0.0011)
