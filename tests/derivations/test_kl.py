"""KL(N(mu, sigma^2) || N(0, 1)): the right formula, and the two wrong ones that the course printed."""

import numpy as np
import pytest
from estimates import assert_mean, integral
from hypothesis import given, settings, strategies as st
from scipy import optimize
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Normal, kl_divergence, sum_per_example

means = st.floats(-3, 3)
sigmas = st.floats(0.05, 4)


def by_quadrature(mean, sigma):
    """The definition: the integral of q (log q - log p), both densities written out."""

    def integrand(x):
        log_q = -0.5 * ((x - mean) / sigma) ** 2 - np.log(sigma)
        log_p = -0.5 * x**2
        return np.exp(log_q) / np.sqrt(2 * np.pi) * (log_q - log_p)

    return integral(integrand, mean - 12 * sigma, mean + 12 * sigma)


def by_scratchgen(mean, sigma):
    q = Normal(sg.asarray([mean], np.float64), sg.asarray([2 * np.log(sigma)], np.float64))
    return float(sg.asnumpy(sum_per_example(kl_divergence(q, Normal(0.0, 0.0)), leading=0)))


def printed_with_the_wrong_sign(mean, sigma):
    return 0.5 * (1 + np.log(sigma**2) - mean**2 - sigma**2)


def printed_with_log_sigma(mean, sigma):
    return sigma**2 + mean**2 - np.log(sigma) - 1


@pytest.mark.equation("kl-standard-normal")
@given(means, sigmas)
@settings(max_examples=50)
def test_the_closed_form_is_the_integral(mean, sigma):
    assert_close(by_scratchgen(mean, sigma), by_quadrature(mean, sigma), rtol=0, atol=1e-9)


@pytest.mark.equation("kl-standard-normal")
@given(means, sigmas)
def test_the_closed_form_is_least_at_the_prior_and_zero_there(mean, sigma):
    assert by_scratchgen(0.0, 1.0) == 0.0
    assert by_scratchgen(mean, sigma) >= -1e-15
    least = optimize.minimize(lambda at: by_scratchgen(at[0], np.exp(at[1])), [0.4, 0.3], tol=1e-10)
    assert_close(least.x, [0.0, 0.0], atol=1e-4)


@pytest.mark.equation("kl-standard-normal")
def test_the_closed_form_adds_up_over_dimensions_to_the_logarithm_of_a_ratio_of_joint_densities():
    # In ten dimensions by Monte Carlo, within five standard errors.
    mean, log_var = (RandomStream(1, i).normal((1, 10), np.float64) for i in range(2))
    q, prior = Normal(mean, log_var), Normal(0.0, 0.0)
    z = q.sample(RandomStream(2), 20_000)[:, 0]
    ratios = sg.asnumpy(sum_per_example(q.log_prob(z) - prior.log_prob(z)))
    exact = sg.asnumpy(sum_per_example(kl_divergence(q, prior)))[0]
    assert_mean(ratios, exact, errors=5)


@pytest.mark.equation("kl-standard-normal")
@given(means, sigmas)
def test_the_first_printed_formula_is_minus_the_divergence(mean, sigma):
    printed = printed_with_the_wrong_sign(mean, sigma)
    assert printed <= 1e-15
    assert_close(-printed, by_scratchgen(mean, sigma), rtol=0, atol=1e-12)


@pytest.mark.equation("kl-standard-normal")
def test_the_second_printed_formula_is_least_at_another_sigma_and_negative_there():
    least = optimize.minimize_scalar(lambda s: printed_with_log_sigma(0.0, s), bounds=(0.1, 3))
    assert_close(least.x, np.sqrt(0.5), rtol=0, atol=1e-4)
    assert round(least.x, 4) == 0.7071
    assert round(least.fun, 4) == -0.1534
    assert printed_with_log_sigma(0.0, 1.0) == 0.0 > least.fun  # so the prior itself is not its minimum
    assert_close(by_scratchgen(0.0, least.x), 0.0966, rtol=0, atol=1e-4)  # a divergence is never negative
    slope = (by_scratchgen(0.0, 1 + 1e-4) - by_scratchgen(0.0, 1 - 1e-4)) / 2e-4
    assert_close(slope, 0.0, rtol=0, atol=1e-7)  # and least at the prior itself


@pytest.mark.equation("kl-standard-normal")
def test_half_of_the_second_printed_formula_is_right_once_sigma_is_squared_inside_the_logarithm():
    for mean, sigma in [(0.0, 0.7), (1.5, 0.2), (-2.0, 3.0)]:
        mended = 0.5 * (sigma**2 + mean**2 - np.log(sigma**2) - 1)
        assert_close(by_scratchgen(mean, sigma), mended, rtol=0, atol=1e-12)
        assert_close(mended, by_quadrature(mean, sigma), rtol=0, atol=1e-10)
        assert abs(printed_with_log_sigma(mean, sigma) - by_quadrature(mean, sigma)) > 0.05


@pytest.mark.equation("kl-normal")
@given(means, sigmas, means, sigmas)
@settings(max_examples=50)
def test_the_divergence_of_two_normals_is_the_textbook_formula(mean, sigma, mean_p, sigma_p):
    # log(sigma_p / sigma) + (sigma^2 + (mu - mu_p)^2) / (2 sigma_p^2) - 1/2
    q, p = (
        Normal(sg.asarray(m, np.float64), sg.asarray(2 * np.log(s), np.float64))
        for m, s in ((mean, sigma), (mean_p, sigma_p))
    )
    textbook = np.log(sigma_p / sigma) + (sigma**2 + (mean - mean_p) ** 2) / (2 * sigma_p**2) - 0.5
    assert_close(kl_divergence(q, p), textbook, rtol=1e-10, atol=1e-12)
