import warnings

import numpy as np
import pytest
from estimates import assert_mean, integral
from hypothesis import given, settings, strategies as st
from scipy import stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Normal
from scratchgen.distributions.normal import LOG_2PI, normal_log_prob, reparameterise

means = st.floats(-5, 5)
log_vars = st.floats(-6, 4)
S = 20_000


def wide(*values):
    return [sg.asarray(value, np.float64) for value in values]


@pytest.mark.equation("normal-log-density")
@given(means, log_vars, st.floats(-10, 10))
def test_log_prob_is_that_of_scipy(mean, log_var, x):
    p = Normal(*wide(mean, log_var))
    assert_close(p.log_prob(x), stats.norm.logpdf(x, mean, np.exp(log_var / 2)), rtol=1e-12, atol=1e-12)


@pytest.mark.equation("normal-log-density")
@given(means, log_vars)
@settings(max_examples=30)
def test_the_density_integrates_to_one_and_the_entropy_is_its_integral(mean, log_var):
    p = Normal(*wide(mean, log_var))
    sigma = np.exp(log_var / 2)
    ends = mean - 12 * sigma, mean + 12 * sigma
    assert abs(integral(lambda x: sg.exp(p.log_prob(x)), *ends) - 1) < 1e-12
    entropy = integral(lambda x: -p.log_prob(x) * sg.exp(p.log_prob(x)), *ends)
    assert_close(p.entropy(), entropy, rtol=1e-11, atol=1e-11)
    assert_close(p.mean, integral(lambda x: x * sg.exp(p.log_prob(x)), *ends), atol=1e-11)
    assert_close(p.variance, integral(lambda x: (x - mean) ** 2 * sg.exp(p.log_prob(x)), *ends), rtol=1e-11)


@pytest.mark.equation("normal-log-density")
def test_log_prob_at_the_mean_of_a_narrow_density():
    # One public code gives 109.2 for 2.0 here: a parenthesis stands in the wrong place.
    p = Normal(*wide([0.3], [-4.0]))
    assert_close(p.log_prob(p.mean), [2.0 - 0.5 * np.log(2 * np.pi)], rtol=1e-14)
    assert_close(p.log_prob(p.mean), [1.081], atol=5e-4)


@pytest.mark.equation("normal-log-density")
@pytest.mark.parametrize("log_var", [-1.4, 0.9])
def test_with_one_variance_in_float32_as_a_likelihood_has_it(log_var):
    x, mean = np.random.default_rng(0).normal(size=(2, 3, 700)).astype(np.float32) * np.float32(2)
    found = Normal(sg.asarray(mean), sg.asarray(np.float32(log_var))).log_prob(sg.asarray(x))
    assert_close(found, stats.norm.logpdf(x, mean, np.exp(log_var / 2)), rtol=1e-6, atol=1e-5)


def test_log_var_is_not_the_logarithm_of_sigma():
    p = Normal(*wide([0.0], [2 * np.log(3.0)]))
    assert_close(p.sigma, [3.0], rtol=1e-14)
    assert_close(p.variance, [9.0], rtol=1e-14)


@given(st.lists(st.tuples(means, log_vars), min_size=1, max_size=4), st.integers(0, 100))
@settings(max_examples=20)
def test_samples_have_the_stated_moments(drawn, seed):
    mean, log_var = np.array(drawn).T
    p = Normal(*wide(mean, log_var))
    x = sg.asnumpy(p.sample(RandomStream(seed, "moments"), S))
    assert_mean(x, p.mean)
    assert_mean((x - mean) ** 2, p.variance)
    assert_mean(((x - mean) / np.exp(log_var / 2)) ** 4, 3.0)
    assert_mean(-sg.asnumpy(p.log_prob(sg.asarray(x))), p.entropy())


@pytest.mark.equation("pathwise-gradient")
@given(means, log_vars)
@settings(max_examples=10)
def test_pathwise_gradients_are_unbiased(mean, log_var):
    # E[z^2] = mu^2 + sigma^2, so its derivative by mu is 2 mu, and by log sigma^2 it is sigma^2.
    m, v = (sg.tensor(np.full(S, value), requires_grad=True) for value in (mean, log_var))
    z = Normal(m, v).rsample(RandomStream(5))
    by_mean, by_log_var = sg.grad((z * z).sum(), [m, v])
    assert_mean(by_mean, 2 * mean)
    assert_mean(by_log_var, np.exp(log_var))
    # E[sin z] = sin(mu) e^(-sigma^2 / 2)
    by_mean, by_log_var = sg.grad(sg.sin(z).sum(), [m, v])
    damping = np.exp(-np.exp(log_var) / 2)
    assert_mean(by_mean, np.cos(mean) * damping)
    assert_mean(by_log_var, -0.5 * np.exp(log_var) * np.sin(mean) * damping)


def test_the_score_has_mean_zero_and_the_fisher_information_as_its_variance():
    m, v = (sg.tensor(np.full(S, value), requires_grad=True) for value in (0.7, -1.0))
    p = Normal(m, v)
    log_p = p.log_prob(p.sample(RandomStream(6)))
    by_mean, by_log_var = (sg.asnumpy(g) for g in sg.grad(log_p.sum(), [m, v]))
    assert_mean(by_mean, 0.0)
    assert_mean(by_log_var, 0.0)
    assert_mean(by_mean**2, np.exp(1.0))  # 1 / sigma^2
    assert_mean(by_log_var**2, 0.5)


SHAPES = [((2, 3), (2, 3)), ((2, 3), ()), ((3,), (2, 1)), ((), ()), ((0, 3), (3,))]


@pytest.mark.parametrize("shapes", SHAPES)
def test_derivatives_to_second_order(shapes):
    mean, log_var = (RandomStream(7, i).normal(shape, np.float64) for i, shape in enumerate(shapes))
    full = np.broadcast_shapes(*shapes)
    x = RandomStream(7, "x").normal((2, *full), np.float64)
    sg.autograd.check_gradients(lambda m, v, x: Normal(m, v).log_prob(x), mean, log_var, x)
    sg.autograd.check_gradients(lambda m, v: Normal(m, v).rsample(RandomStream(8), 2), mean, log_var)
    sg.autograd.check_gradients(lambda v: Normal(mean, v).entropy(), log_var)
    sg.autograd.check_gradients(lambda v: Normal(mean, v).variance * Normal(mean, v).sigma, log_var)


@pytest.mark.parametrize("shapes", SHAPES)
def test_fused_formulas_are_their_plain_twins(shapes):
    mean, log_var = (RandomStream(9, i).normal(shape, np.float64) for i, shape in enumerate(shapes))
    eps = x = RandomStream(9, "x").normal((2, *np.broadcast_shapes(*shapes)), np.float64)
    variables = [sg.tensor(value, requires_grad=True) for value in (x, mean, log_var, eps)]

    def plain_log_prob(x, mean, log_var):
        return -0.5 * (sg.autograd.square(x - mean) * sg.exp(-log_var) + log_var + LOG_2PI)

    def plain_path(mean, log_var, eps):
        return mean + sg.exp(0.5 * log_var) * eps

    for fused, plain, inputs in [
        (normal_log_prob, plain_log_prob, variables[:3]),
        (reparameterise, plain_path, variables[1:]),
    ]:
        y, twin = fused(*inputs), plain(*inputs)
        assert_close(y, twin, rtol=1e-12, atol=1e-13)
        for a, b in zip(sg.grad(y, inputs, x), sg.grad(twin, inputs, x), strict=True):
            assert_close(a, b, rtol=1e-11, atol=1e-12)


def test_rsample_and_log_prob_are_one_engine_operation_each():
    mean, log_var = (sg.tensor(np.zeros((2, 3), np.float32), requires_grad=True) for _ in range(2))
    z = Normal(mean, log_var).rsample(RandomStream(0))
    assert z.origin[1][:2] == (mean, log_var)
    assert Normal(mean, log_var).log_prob(z).origin[1] == (z, mean, log_var)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_log_var_gives_limits_without_nan_or_warning(dtype):
    log_var = np.array([-1e4, -1500.0, -180.0, -100.0, 100.0, 180.0, 1500.0, 1e4])
    variable = sg.tensor(log_var.astype(dtype), requires_grad=True)
    p = Normal(sg.asarray(np.zeros(8, dtype)), variable)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        at_mean, away = p.log_prob(sg.asarray(np.zeros(8, dtype))), p.log_prob(sg.asarray(np.ones(8, dtype)))
        gradients = [sg.asnumpy(sg.grad(y.sum(), variable)[0]) for y in (at_mean, away)]
        samples = sg.asnumpy(p.rsample(RandomStream(0), 50))
        moments = sg.asnumpy(p.sigma), sg.asnumpy(p.variance), sg.asnumpy(p.entropy())
    assert_close(at_mean, -0.5 * (log_var + LOG_2PI), rtol=1e-6)  # exact at every width
    assert_close(gradients[0], np.full(8, -0.5), atol=1e-3)
    away = sg.asnumpy(away)
    assert not np.isnan(away).any()
    assert (away[:3] < -1e37).all()
    assert_close(away[4:], -0.5 * (log_var[4:] + LOG_2PI), rtol=1e-6)
    assert not np.isnan(gradients[1]).any()
    assert not np.isnan(samples).any()
    assert (samples[:, :2] == 0).all()
    assert np.isinf(samples[:, -2:]).all()
    assert np.isinf(samples[:, 5]).all() == (dtype == np.float32)
    assert not any(np.isnan(moment).any() for moment in moments)


@pytest.mark.parametrize("log_var", [-160.0, 160.0])
def test_float32_is_exact_one_sigma_from_the_mean_where_the_variance_is_out_of_range(log_var):
    x = sg.asarray(np.exp(log_var / 2), np.float32)
    p = Normal(sg.asarray(np.zeros((), np.float32)), log_var)
    assert_close(p.log_prob(x), -0.5 * (1 + log_var + LOG_2PI), rtol=1e-5)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_numbers_take_the_dtype_of_what_they_meet(dtype):
    x = sg.asarray(np.array([0.5, -1.0], dtype))
    fixed = Normal(x, 2 * np.log(0.1))
    assert fixed.dtype == fixed.log_prob(x).dtype == fixed.sample(RandomStream(0)).dtype == dtype
    assert fixed.sigma.shape == fixed.log_var.shape == fixed.entropy().shape == (2,)
    prior = Normal(0.0, 0)
    assert prior.log_prob(x).dtype == dtype
    assert_close(prior.log_prob(x), stats.norm.logpdf([0.5, -1.0]), rtol=1e-6)
    assert prior.sample(RandomStream(0), (4, 2)).shape == (4, 2)
    assert prior.is_standard
    assert not Normal(0.0, 1.0).is_standard
    assert not Normal(x, 0.0).is_standard


def test_parameters_broadcast_in_every_result():
    p = Normal(sg.asarray(np.zeros((3,), np.float32)), sg.asarray(np.zeros((2, 1), np.float32)))
    drawn = p.sample(RandomStream(0))
    results = (drawn, p.log_prob(drawn), p.log_prob(0.0), p.mean, p.log_var, p.sigma, p.variance, p.entropy())
    assert {result.shape for result in results} == {(2, 3)}


def test_wrong_shapes_and_dtypes_are_named():
    narrow, other = sg.asarray(np.zeros((2, 3), np.float32)), sg.asarray(np.zeros((2, 3)))
    with pytest.raises(ValueError, match=r"mean of shape \(2, 3\) and log_var of shape \(3, 2\) do not"):
        Normal(narrow, narrow.reshape(3, 2))
    with pytest.raises(TypeError, match="different types: got mean float32, log_var float64"):
        Normal(narrow, other)
    p = Normal(narrow, narrow)
    with pytest.raises(TypeError, match=r"x: got float64, expected float32 like the parameters of Normal\("):
        p.log_prob(other)
    with pytest.raises(TypeError, match="x: got uint8, expected float32"):
        p.log_prob(sg.asarray(np.zeros((2, 3), np.uint8)))
    with pytest.raises(ValueError, match=r"x of shape \(2, 4\) and parameters of shape \(2, 3\) do not"):
        p.log_prob(sg.asarray(np.zeros((2, 4), np.float32)))
