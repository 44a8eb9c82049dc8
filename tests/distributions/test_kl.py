import warnings

import numpy as np
import pytest
from estimates import assert_mean, integral
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import (
    Bernoulli,
    Categorical,
    Mixture,
    Normal,
    kl_divergence,
    kl_divergence_monte_carlo,
    sum_per_example,
)
from scratchgen.distributions.kl import kl_to_standard_normal

STANDARD = Normal(0.0, 0.0)
pairs = st.tuples(st.floats(-3, 3), st.floats(-3, 3))
rows = arrays(np.float64, 4, elements=st.floats(-3, 3))


def normal(mean, log_var):
    return Normal(sg.asarray(mean, np.float64), sg.asarray(log_var, np.float64))


def normals(*shape, seed=0):
    return normal(*(RandomStream(seed, i).normal(shape, np.float64) for i in range(2)))


def log_ratio(q, p):
    """What the divergence is the integral of."""
    return lambda x: sg.exp(q.log_prob(x)) * (q.log_prob(x) - p.log_prob(x))


def replicates(q, p, n=200, samples=100):
    estimates = (kl_divergence_monte_carlo(q, p, RandomStream(9, i), samples) for i in range(n))
    return np.stack([sg.asnumpy(estimate) for estimate in estimates])


@pytest.mark.equation("kl-normal")
@given(pairs, pairs)
@settings(max_examples=30)
def test_normal_kl_is_the_integral(of_q, of_p):
    q, p = normal(*of_q), normal(*of_p)
    reach = 12 * np.exp(of_q[1] / 2)
    expected = integral(log_ratio(q, p), of_q[0] - reach, of_q[0] + reach)
    assert_close(kl_divergence(q, p), expected, rtol=1e-9, atol=1e-10)


@given(rows, rows, rows, rows)
def test_normal_kl_is_never_negative_and_zero_only_for_equals(m, v, mp, vp):
    q, p = normal(m, v), normal(mp, vp)
    kl = sg.asnumpy(kl_divergence(q, p))
    assert (kl >= -1e-15).all()
    assert (kl[(np.abs(m - mp) > 1e-3) | (np.abs(v - vp) > 1e-3)] > 0).all()
    assert_close(kl_divergence(q, q), np.zeros(4), atol=1e-15)


@given(rows, rows)
def test_the_standard_normal_is_the_general_case_at_zero(m, v):
    q = normal(m, v)
    assert_close(kl_divergence(q, STANDARD), kl_divergence(q, normal(0.0, 0.0)), rtol=1e-12, atol=1e-14)
    assert_close(kl_divergence(q, STANDARD), 0.5 * (m**2 + np.exp(v) - v - 1), rtol=1e-12, atol=1e-14)


def test_the_standard_normal_costs_one_engine_operation():
    mean, log_var = (sg.tensor(np.zeros((2, 3), np.float32), requires_grad=True) for _ in range(2))
    kl = kl_divergence(Normal(mean, log_var), STANDARD)
    assert kl.origin[1] == (mean, log_var)
    assert kl.dtype == np.float32


@given(rows, rows)
def test_bernoulli_kl_is_the_sum_over_both_values(a, b):
    q, p = Bernoulli(sg.asarray(a)), Bernoulli(sg.asarray(b))
    table = [np.stack([1 - s, s]) for s in (special.expit(a), special.expit(b))]
    assert_close(kl_divergence(q, p), stats.entropy(*table, axis=0), rtol=1e-8, atol=1e-12)


@given(rows, rows)
def test_categorical_kl_is_the_sum_over_the_levels(a, b):
    q, p = Categorical(sg.asarray(a)), Categorical(sg.asarray(b))
    expected = stats.entropy(special.softmax(a), special.softmax(b))
    assert_close(kl_divergence(q, p), expected, rtol=1e-8, atol=1e-12)


def test_impossible_levels_add_zero_or_infinity_without_a_warning():
    half = Categorical(sg.asarray(np.array([0.0, -np.inf, 0.0, -np.inf])))
    other = Categorical(sg.asarray(np.array([0.0, 0.0, 0.0, -np.inf])))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert_close(kl_divergence(half, other), np.log(3 / 2), rtol=1e-12)
        assert_close(kl_divergence(other, half), np.inf)


@pytest.mark.parametrize("kind", ["normal", "standard", "bernoulli", "categorical"])
def test_closed_forms_in_many_dimensions_agree_with_monte_carlo(kind):
    first, second = (RandomStream(2, i).normal((6, 5), np.float64) for i in range(2))
    q, p = {
        "normal": (normals(6, 5), normals(6, 5, seed=1)),
        "standard": (normals(6, 5), STANDARD),
        "bernoulli": (Bernoulli(first), Bernoulli(second)),
        "categorical": (Categorical(first), Categorical(second)),
    }[kind]
    assert_mean(replicates(q, p), kl_divergence(q, p))


@pytest.mark.equation("kl-monte-carlo")
def test_monte_carlo_gradients_are_unbiased():
    m, v = (sg.tensor(np.array(values), requires_grad=True) for values in ([0.5, -1.0], [-0.5, 0.7]))
    mp, vp = (sg.tensor(np.array(values), requires_grad=True) for values in ([0.0, 0.3], [0.2, -0.2]))
    q, p = Normal(m, v), Normal(mp, vp)
    exact = sg.grad(kl_divergence(q, p).sum(), [m, v, mp, vp])
    totals = (kl_divergence_monte_carlo(q, p, RandomStream(3, i), 50).sum() for i in range(200))
    estimates = [sg.grad(total, [m, v, mp, vp]) for total in totals]
    for i, gradient in enumerate(exact):
        assert_mean(np.stack([sg.asnumpy(estimate[i]) for estimate in estimates]), gradient)


@pytest.mark.equation("kl-monte-carlo")
def test_a_mixture_as_the_prior_has_no_closed_form_but_an_estimate():
    q = normal(0.5, -1.0)
    p = Mixture(sg.asarray(np.array([0.5, -0.5])), normal([-1.0, 2.0], [0.0, 0.5]))
    with pytest.raises(NotImplementedError, match=r"Normal \|\| Mixture has no .*kl_divergence_monte_carlo"):
        kl_divergence(q, p)
    assert_mean(replicates(q, p), integral(log_ratio(q, p), -8, 9))
    assert_mean(replicates(p, q), integral(log_ratio(p, q), -15, 15, pieces=16))


def test_a_mixture_of_vectors_adds_up_the_elements_of_the_other_side():
    q = normals(6, 2)
    p = Mixture(sg.asarray(np.zeros(1)), normals(1, 2, seed=1))
    only = p.components
    exact = sum_per_example(kl_divergence(q, normal(only.mean[0], only.log_var[0])))
    assert_mean(replicates(q, p), exact)
    assert kl_divergence_monte_carlo(p, STANDARD, RandomStream(0), 7).shape == ()
    same = Mixture(sg.asarray(np.zeros(2)), Normal(sg.asarray(np.zeros((2, 3))), 0.0))
    standard = normal(np.zeros((4, 3)), np.zeros((4, 3)))
    assert_close(kl_divergence_monte_carlo(standard, same, RandomStream(0), 3), np.zeros(4), atol=1e-14)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_extreme_log_var_gives_limits_without_nan_or_warning(dtype):
    log_var = np.array([-1e4, -100.0, 100.0, 1e4])
    mean = np.array([0.0, 1.0, 0.0, 1.0])
    m, v = (sg.tensor(x.astype(dtype), requires_grad=True) for x in (mean, log_var))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        kl = kl_divergence(Normal(m, v), STANDARD)
        by_mean, by_log_var = sg.grad(kl.sum(), [m, v])
        general = sg.asnumpy(kl_divergence(Normal(m, v), Normal(sg.asarray(np.zeros(4, dtype)), 1.0)))
        swapped = sg.asnumpy(kl_divergence(Normal(m, 0.0), Normal(m, v)))
    large = np.inf if dtype == np.float32 else 0.5 * np.exp(100.0)
    assert_close(kl, [0.5 * (1e4 - 1), 50.0, large, np.inf], rtol=1e-6)
    assert_close(by_mean, [0.0, 1.0, 0.0, 1.0])
    assert_close(by_log_var, [-0.5, -0.5, large, np.inf], rtol=1e-6)
    assert not np.isnan(general).any()
    assert_close(swapped, [np.inf, large, 0.5 * 99, 0.5 * (1e4 - 1)], rtol=1e-5)


@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 3), ()), ((3,), (2, 1)), ((0, 3), (3,))])
def test_fused_formula_is_its_plain_twin(shapes):
    drawn = (RandomStream(4, i).normal(shape, np.float64) for i, shape in enumerate(shapes))
    m, v = (sg.tensor(x, requires_grad=True) for x in drawn)
    fused = kl_to_standard_normal(m, v)
    plain = 0.5 * (m * m + sg.exp(v) - v - 1)
    assert_close(fused, plain, rtol=1e-13, atol=1e-15)
    g = RandomStream(5).normal(plain.shape, np.float64)
    for a, b in zip(sg.grad(fused, [m, v], g), sg.grad(plain, [m, v], g), strict=True):
        assert_close(a, b, rtol=1e-12, atol=1e-14)


def test_derivatives_to_second_order():
    a, b, c, d = (sg.asnumpy(RandomStream(6, i).normal((2, 3), np.float64)) for i in range(4))
    check = sg.autograd.check_gradients
    check(lambda m, v: kl_divergence(Normal(m, v), STANDARD), a, b)
    check(lambda m, v: kl_divergence(Normal(m, v), STANDARD), a, b[0])
    check(lambda m, v, n, w: kl_divergence(Normal(m, v), Normal(n, w)), a, b, c, d[0])
    check(lambda x, y: kl_divergence(Bernoulli(x), Bernoulli(y)), a, b)
    check(lambda x, y: kl_divergence(Categorical(x), Categorical(y)), a, b[0])
    check(lambda m, v: kl_divergence_monte_carlo(Normal(m, v), STANDARD, RandomStream(7), 3), a, b)


def test_numbers_take_the_dtype_of_the_other_side():
    q = normals(3)
    assert kl_divergence(q, Normal(1.0, 0.5)).dtype == kl_divergence(STANDARD, q).dtype == np.float64
    assert_close(kl_divergence(q, Normal(1.0, 0.5)), kl_divergence(q, normal(1.0, 0.5)), rtol=1e-14)
    assert_close(kl_divergence(STANDARD, q), kl_divergence(normal(0.0, 0.0), q), rtol=1e-14)
    assert kl_divergence_monte_carlo(q, STANDARD, RandomStream(0), 2).dtype == np.float64


def test_a_gradient_that_would_be_wrong_is_refused():
    logits = sg.tensor(np.zeros(3), requires_grad=True)
    q, p = Bernoulli(logits), Bernoulli(sg.asarray(np.ones(3)))
    with pytest.raises(NotImplementedError, match="samples of Bernoulli do not carry the gradient"):
        kl_divergence_monte_carlo(q, p, RandomStream(0), 4)
    with sg.no_grad():
        kl_divergence_monte_carlo(q, p, RandomStream(0), 4)
    assert kl_divergence_monte_carlo(p, q, RandomStream(0), 4).requires_grad


def test_pairs_without_a_divergence_are_named():
    q = normals(2, 3)
    bernoulli = Bernoulli(sg.asarray(np.zeros((2, 3))))
    categorical = Categorical(sg.asarray(np.zeros((2, 3))))
    for divergence in (kl_divergence, lambda q, p: kl_divergence_monte_carlo(q, p, RandomStream(0), 2)):
        with pytest.raises(TypeError, match="p: got int, expected Distribution"):
            divergence(q, 3)
        with pytest.raises(ValueError, match=r"got Normal\(.* of real numbers and Bernoulli\(.* of 0 and 1"):
            divergence(q, bernoulli)
        with pytest.raises(TypeError, match="q and p: got float64 and float32, expected one dtype"):
            divergence(q, Normal(sg.asarray(np.zeros((2, 3), np.float32)), 0.0))
        with pytest.raises(ValueError, match="q and p: got 3 and 2 levels"):
            divergence(categorical, Categorical(sg.asarray(np.zeros(2))))
        with pytest.raises(ValueError, match=r"q of shape \(2, 3\) and p of shape \(2,\) do not"):
            divergence(q, normals(2))


def test_monte_carlo_names_what_does_not_fit():
    q = normals(2, 3)
    with pytest.raises(ValueError, match=r"p: got shape \(2, 3\), which does not broadcast to"):
        kl_divergence_monte_carlo(normals(3), q, RandomStream(0), 2)
    for samples in (0, -3):
        with pytest.raises(ValueError, match="samples: got"):
            kl_divergence_monte_carlo(q, STANDARD, RandomStream(0), samples)
    for samples in (None, (2, 2), 1.5):
        with pytest.raises(ValueError, match="samples: got"):
            kl_divergence_monte_carlo(q, STANDARD, RandomStream(0), samples)
    with pytest.raises(TypeError, match="rng: got int"):
        kl_divergence_monte_carlo(q, STANDARD, 0, 2)
