"""The equations of `scratchgen.distributions`, each against its definition, summed or integrated."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy import integrate, special, stats
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import (
    Bernoulli,
    Categorical,
    Mixture,
    Normal,
    kl_divergence,
    kl_divergence_monte_carlo,
    score_function,
    sum_per_example,
)
from scratchgen.distributions.normal import reparameterise

LOGITS = np.array([-6.0, -1.5, 0.0, 0.3, 4.0])
TABLE = np.array([0.1, 0.2, 0.05, 0.65])
TABLES = np.array([TABLE, TABLE[::-1], [0.4, 0.3, 0.1, 0.2]])
NORMALS = [(0.0, 1.0), (1.5, 0.2), (-2.0, 3.0)]  # (mu, sigma)


def normal(mean: Any, sigma: Any) -> Normal:
    return Normal(sg.asarray(mean, np.float64), sg.asarray(2 * np.log(sigma), np.float64))


def gauss_hermite(n: int = 60) -> tuple[np.ndarray, np.ndarray]:
    """Nodes and weights with which a sum is the expectation over N(0, 1)."""
    nodes, weights = np.polynomial.hermite_e.hermegauss(n)
    return nodes, weights / weights.sum()


@pytest.mark.equation("normal-entropy")
@pytest.mark.parametrize(("mean", "sigma"), NORMALS)
def test_the_entropy_of_a_normal_is_minus_the_expected_log_density(mean: float, sigma: float) -> None:
    eps, weights = gauss_hermite()
    log_density = sg.asnumpy(normal(mean, sigma).log_prob(sg.asarray(mean + sigma * eps)))
    assert_close(normal(mean, sigma).entropy(), -(weights @ log_density), rtol=1e-12)
    assert_close(normal(mean, sigma).entropy(), stats.norm.entropy(mean, sigma), rtol=1e-12)


@pytest.mark.equation("bernoulli-log-probability")
def test_a_bernoulli_by_its_logit_is_the_one_by_its_probability() -> None:
    p, s = Bernoulli(sg.asarray(LOGITS)), 1 / (1 + np.exp(-LOGITS))
    for x in (0.0, 1.0):
        assert_close(p.log_prob(x), x * np.log(s) + (1 - x) * np.log(1 - s), rtol=1e-11)
        assert_close(p.log_prob(x), x * LOGITS - np.log1p(np.exp(LOGITS)), rtol=1e-11)


@pytest.mark.equation("bernoulli-entropy")
def test_the_entropy_of_a_bernoulli_is_minus_the_expected_log_probability() -> None:
    p, s = Bernoulli(sg.asarray(LOGITS)), special.expit(LOGITS)
    by_value = [sg.asnumpy(p.log_prob(x)) for x in (0.0, 1.0)]
    assert_close(p.entropy(), -(1 - s) * by_value[0] - s * by_value[1], rtol=1e-12)
    assert_close(p.entropy(), stats.bernoulli.entropy(s), rtol=1e-10)


@pytest.mark.equation("categorical-log-probability")
@pytest.mark.parametrize("shift", [0.0, 3.0, -700.0])
def test_a_categorical_is_its_table_whatever_is_added_to_all_logits(shift: float) -> None:
    p = Categorical(sg.asarray(np.log(TABLE) + shift))
    assert_close(p.log_prob(np.arange(4)), np.log(TABLE), rtol=1e-12)
    rows = Categorical(sg.asarray(np.log(TABLES)[:, None] + [[[shift], [1.0]]]))  # (3, 2, 4)
    levels = np.array([[0, 3], [1, 2], [2, 2]])
    expected = np.log(np.take_along_axis(TABLES, levels, axis=1))
    assert_close(rows.log_prob(sg.asarray(levels)), expected, rtol=1e-11)


@pytest.mark.equation("categorical-entropy")
def test_the_entropy_of_a_categorical_is_the_sum_over_its_levels() -> None:
    assert_close(Categorical(sg.asarray(np.log(TABLE))).entropy(), -(TABLE @ np.log(TABLE)), rtol=1e-12)
    assert_close(Categorical(sg.asarray(np.zeros(7))).entropy(), np.log(7), rtol=1e-12)  # the largest
    rows = Categorical(sg.asarray(np.log(TABLES)))
    assert_close(rows.entropy(), -(TABLES * np.log(TABLES)).sum(1), rtol=1e-12)


@pytest.mark.equation("mixture-log-density")
def test_in_a_mixture_of_vectors_the_product_stands_inside_the_sum() -> None:
    weights, means, sigmas = np.array([0.2, 0.8]), np.array([[0.0, 0.0], [2.0, -1.0]]), np.array([[0.5], [2]])
    p = Mixture(sg.asarray(np.log(weights)), normal(means, np.broadcast_to(sigmas, (2, 2))))
    x = np.array([[0.0, 0.0], [1.0, 1.0], [2.0, 0.0]])
    density = stats.norm.pdf(x[:, None], means, sigmas).prod(axis=2) @ weights
    assert_close(p.log_prob(sg.asarray(x)), np.log(density), rtol=1e-12)
    outside = np.log(stats.norm.pdf(x[:, None], means, sigmas).transpose(0, 2, 1) @ weights).sum(1)
    assert np.abs(outside - np.log(density)).max() > 0.1  # as if the elements chose apart


@pytest.mark.equation("kl-divergence")
def test_the_divergence_is_the_integral_of_its_definition_and_not_symmetric() -> None:
    for of_q, of_p in [(NORMALS[0], NORMALS[1]), (NORMALS[1], NORMALS[2]), (NORMALS[2], NORMALS[0])]:
        q, p = stats.norm(*of_q), stats.norm(*of_p)

        def integrand(x: float, q: Any = q, p: Any = p) -> float:
            return q.pdf(x) * (q.logpdf(x) - p.logpdf(x))

        low, high = of_q[0] - 12 * of_q[1], of_q[0] + 12 * of_q[1]
        expected = integrate.quad(integrand, low, high, limit=200, epsrel=1e-11)[0]
        found = float(sg.asnumpy(kl_divergence(normal(*of_q), normal(*of_p))))
        assert_close(found, expected, rtol=1e-9)
        assert abs(found - float(sg.asnumpy(kl_divergence(normal(*of_p), normal(*of_q))))) > 0.1


@pytest.mark.equation("kl-divergence")
def test_the_cross_entropy_is_the_entropy_plus_the_divergence() -> None:
    q, p = Categorical(sg.asarray(np.log(TABLE))), Categorical(sg.asarray(np.log(TABLE[::-1].copy())))
    cross_entropy = -(TABLE @ np.log(TABLE[::-1]))
    assert_close(kl_divergence(q, p), cross_entropy - sg.asnumpy(q.entropy()), rtol=1e-12)


@pytest.mark.equation("kl-standard-normal")
@pytest.mark.parametrize(("mean", "sigma"), NORMALS)
def test_the_divergence_from_the_prior_is_the_expected_log_ratio(mean: float, sigma: float) -> None:
    eps, weights = gauss_hermite()
    z = mean + sigma * eps
    expected = weights @ (stats.norm.logpdf(z, mean, sigma) - stats.norm.logpdf(z))
    assert_close(kl_divergence(normal(mean, sigma), Normal(0.0, 0.0)), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.equation("kl-bernoulli")
def test_the_divergence_of_two_bernoullis_is_the_sum_over_both_values() -> None:
    other = LOGITS[::-1].copy()
    q, p = special.expit(LOGITS), special.expit(other)
    expected = q * np.log(q / p) + (1 - q) * np.log((1 - q) / (1 - p))
    assert_close(
        kl_divergence(Bernoulli(sg.asarray(LOGITS)), Bernoulli(sg.asarray(other))),
        expected,
        rtol=1e-9,
        atol=1e-14,
    )


@pytest.mark.equation("kl-categorical")
def test_the_divergence_of_two_categoricals_is_the_sum_over_the_levels() -> None:
    other = np.array([0.4, 0.3, 0.2, 0.1])
    q, p = Categorical(sg.asarray(np.log(TABLE))), Categorical(sg.asarray(np.log(other)))
    assert_close(kl_divergence(q, p), TABLE @ (np.log(TABLE) - np.log(other)), rtol=1e-12)
    q = Categorical(sg.asarray(np.log(TABLES)))
    assert_close(kl_divergence(q, p), (TABLES * (np.log(TABLES) - np.log(other))).sum(1), rtol=1e-12)


@pytest.mark.equation("kl-divergence")
@pytest.mark.equation("kl-monte-carlo")
def test_the_estimate_is_the_mean_log_ratio_at_samples_of_q() -> None:
    q, p = normal([0.5, -1.0], [0.7, 2.0]), normal([0.0, 1.0], [1.0, 1.5])
    x = sg.asnumpy(q.sample(RandomStream(3), 11))
    ratios = stats.norm.logpdf(x, [0.5, -1.0], [0.7, 2.0]) - stats.norm.logpdf(x, [0.0, 1.0], [1.0, 1.5])
    assert_close(kl_divergence_monte_carlo(q, p, RandomStream(3), 11), ratios.mean(0), rtol=1e-11)
    learnt = [sg.tensor(np.array(x), requires_grad=True) for x in ([0.5, -1.0], [0.3, 0.2], [1.0, 0.0])]

    def estimate() -> Any:
        q, p = Normal(learnt[0], learnt[1]), Normal(learnt[2], learnt[1])
        return kl_divergence_monte_carlo(q, p, RandomStream(3), 11)

    assert_slopes(estimate, learnt)


@pytest.mark.equation("kl-monte-carlo")
def test_the_mean_of_many_estimates_is_the_closed_form() -> None:
    # The log-ratio has variance 1 for two unit normals one apart: with 400,000 samples five standard errors
    # are 0.008.
    q, p = normal(np.zeros(4), 1.0), normal(np.ones(4), 1.0)
    estimate = kl_divergence_monte_carlo(q, p, RandomStream(4), 100_000)
    assert_close(sum_per_example(estimate, leading=0) * 0.25, 0.5, rtol=0, atol=0.008)


@pytest.mark.equation("score-function-gradient")
def test_the_score_function_gives_the_same_gradient_with_more_variance() -> None:
    """d/dmu E z^2 = 2 mu, by both ways, each from single samples of q = N(1, 1)."""
    n = 40_000
    mean = sg.tensor(np.ones(n), requires_grad=True)
    q = Normal(mean, sg.asarray(np.zeros(n)))
    z = q.sample(RandomStream(0))
    by_score = sg.asnumpy(sg.grad(score_function(z**2, q.log_prob(z)).sum(), mean)[0])
    by_path = sg.asnumpy(sg.grad((q.rsample(RandomStream(0)) ** 2).sum(), mean)[0])
    assert_mean(by_score, 2.0)
    assert_mean(by_path, 2.0)
    # Their variances are 30 and 4: E z^4 (z - 1)^2 - 4 with z = 1 + e, and that of 2 z.
    assert_mean((by_score - 2) ** 2, 30.0)
    assert_mean((by_path - 2) ** 2, 4.0)


@pytest.mark.equation("score-function-gradient")
@pytest.mark.parametrize("baseline", [0.0, 1.7])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_score_function_differentiates_through_discrete_draws(baseline: float, dtype: Any) -> None:
    """The sum over all levels, each with its probability, of what one draw gives: no scatter left.

    f depends on the logits too: f(z) = c_z + a . a, so d/da E f = sum_l c_l dp_l/da + 2 a.
    """
    costs, single = np.array([2.0, -1.0, 0.5, 4.0], dtype), dtype == np.float32
    logits = sg.tensor(np.log(TABLE).astype(dtype) + dtype(0.3), requires_grad=True)
    a, found = sg.asnumpy(logits.data).astype(np.float64), np.zeros(4)
    for level, p in enumerate(TABLE):
        value = (logits * logits).sum() + costs[level]
        estimate = score_function(value, Categorical(logits).log_prob(level), baseline)
        assert_close(estimate.data, value.data, rtol=1e-7)
        slope = sg.asnumpy(sg.grad(estimate, logits)[0])
        of_log_q = (np.arange(4) == level) - TABLE
        assert_close(slope, (value.item() - baseline) * of_log_q + 2 * a, rtol=2e-5 if single else 1e-12)
        found += p * slope
    expected = TABLE * (costs - TABLE @ costs) + 2 * a
    assert_close(found, expected, rtol=2e-5 if single else 1e-12)


def test_a_score_function_of_other_shapes_is_refused() -> None:
    q = Bernoulli(sg.asarray(np.zeros(3)))
    with pytest.raises(ValueError, match="log_prob: got"):
        score_function(sg.asarray(np.zeros((2, 3))), q.log_prob(sg.asarray(np.zeros(3))))


@pytest.mark.equation("pathwise-gradient")
@pytest.mark.parametrize(("mean", "sigma"), NORMALS)
def test_the_expected_derivative_along_the_path_is_the_derivative_of_the_expectation(
    mean: float, sigma: float
) -> None:
    # E sin z = sin(mu) exp(-sigma^2 / 2); the expectation over eps is a sum over quadrature nodes.
    eps, weights = gauss_hermite(80)
    m, v = (sg.tensor(sg.asarray(x, np.float64), requires_grad=True) for x in (mean, 2 * np.log(sigma)))
    z = reparameterise(m, v, sg.asarray(eps))
    expectation = (sg.sin(z) * sg.asarray(weights)).sum()
    by_mean, by_log_var = sg.grad(expectation, [m, v])
    damping = np.exp(-(sigma**2) / 2)
    assert_close(expectation, np.sin(mean) * damping, rtol=1e-10, atol=1e-13)
    assert_close(by_mean, np.cos(mean) * damping, rtol=1e-10)
    # d/dsigma = -sigma sin(mu) exp(-sigma^2 / 2), and dsigma / dlog_var = sigma / 2
    assert_close(by_log_var, -(sigma**2) / 2 * np.sin(mean) * damping, rtol=1e-10, atol=1e-13)
