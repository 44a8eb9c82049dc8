import numpy as np
import pytest
from estimates import assert_mean
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Bernoulli

logits_of = arrays(np.float64, st.integers(1, 4), elements=st.floats(-8, 8))


@given(logits_of)
def test_log_prob_is_that_of_scipy_and_the_two_add_up_to_one(logits):
    p = Bernoulli(sg.asarray(logits))
    s = 1 / (1 + np.exp(-logits))
    for x in (0.0, 1.0):
        assert_close(p.log_prob(x), stats.bernoulli.logpmf(x, s), rtol=1e-9)
    assert_close(sg.exp(p.log_prob(0.0)) + sg.exp(p.log_prob(1.0)), np.ones_like(logits), rtol=1e-14)
    assert_close(p.entropy(), stats.bernoulli.entropy(s), rtol=1e-9)
    assert_close(p.mean, s, rtol=1e-14)
    assert_close(p.variance, s * (1 - s), rtol=1e-10)


@given(logits_of, st.integers(0, 100))
@settings(max_examples=20)
def test_samples_have_the_stated_moments(logits, seed):
    p = Bernoulli(sg.asarray(logits / 4))
    x = sg.asnumpy(p.sample(RandomStream(seed, "moments"), 20_000))
    assert set(np.unique(x)) <= {0.0, 1.0}
    assert x.dtype == np.float64
    assert_mean(x, p.mean)
    assert_mean((x - sg.asnumpy(p.mean)) ** 2, p.variance)
    assert_mean(-sg.asnumpy(p.log_prob(sg.asarray(x))), p.entropy())


def test_the_tails_are_exact_where_the_probability_is_rounded_to_one():
    logits = sg.tensor(np.array([-2000.0, -60.0, 60.0, 2000.0], np.float32), requires_grad=True)
    p = Bernoulli(logits)
    assert_close(p.log_prob(1.0), [-2000.0, -60.0, 0.0, 0.0], atol=1e-6)
    assert_close(p.log_prob(0.0), [0.0, 0.0, -60.0, -2000.0], atol=1e-6)
    assert_close(sg.grad(p.log_prob(1.0).sum(), logits)[0], [1.0, 1.0, 0.0, 0.0], atol=1e-6)
    assert_close(p.entropy(), np.zeros(4), atol=1e-5)
    assert_close(p.variance, [0.0, np.exp(-60.0), np.exp(-60.0), 0.0], rtol=1e-5)


def test_per_example_sum_is_the_sum_of_the_elements():
    logits, x = (RandomStream(1, i).normal((3, 2, 4), np.float64) for i in range(2))
    p = Bernoulli(sg.tensor(logits))
    x = sg.asarray((x > 0).astype(np.float64))
    assert_close(p.log_prob_per_example(x), p.log_prob(x).sum(axis=(1, 2)), rtol=1e-14)
    assert_close(p.log_prob_per_example(x, leading=2), p.log_prob(x).sum(axis=2), rtol=1e-14)


def test_derivatives_to_second_order():
    logits = RandomStream(2).normal((2, 3), np.float64)
    x = sg.asarray(np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]))
    sg.autograd.check_gradients(lambda v: Bernoulli(v).log_prob(x), logits)
    sg.autograd.check_gradients(lambda v: Bernoulli(v).log_prob_per_example(x), logits)
    sg.autograd.check_gradients(lambda v: Bernoulli(v).entropy(), logits)
    sg.autograd.check_gradients(lambda v: Bernoulli(v).mean + Bernoulli(v).variance, logits)


def test_wrong_values_are_named():
    p = Bernoulli(sg.asarray(np.zeros((2, 3), np.float32)))
    with pytest.raises(TypeError, match="x: got int64, expected float32 like the parameters"):
        p.log_prob(sg.asarray(np.zeros((2, 3), np.int64)))
    with pytest.raises(ValueError, match=r"x of shape \(4,\) and parameters of shape \(2, 3\) do not"):
        p.log_prob_per_example(sg.asarray(np.zeros(4, np.float32)))


@pytest.mark.host_only
@pytest.mark.parametrize("x", [1.5, -0.5, [0.0, 2.0], [0.5, np.nan]])
def test_what_is_no_share_of_one_has_no_log_probability(x):
    p = Bernoulli(np.zeros(2))
    for log_prob in (p.log_prob, p.log_prob_per_example):
        with pytest.raises(ValueError, match=r"x: got .*(expected 0 to 1|NaN)"):
            log_prob(x)
        log_prob(0.5)  # a grey value may pass: see log_prob
