import numpy as np
import pytest
from estimates import assert_mean, integral
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Bernoulli, Mixture, Normal, sum_per_example

S = 20_000


def row_of(elements):
    return arrays(np.float64, 3, elements=elements)


parameters = st.tuples(row_of(st.floats(-3, 3)), row_of(st.floats(-3, 3)), row_of(st.floats(-2, 2)))


def mixture(logits, means, log_vars):
    return Mixture(sg.asarray(logits), Normal(sg.asarray(means), sg.asarray(log_vars)))


def numbers(*shape):
    return RandomStream(0, "numbers", *shape).normal(shape, np.float64)


@pytest.mark.equation("mixture-log-density")
@given(parameters, st.floats(-6, 6))
def test_log_prob_is_the_logarithm_of_the_weighted_densities(drawn, x):
    logits, means, log_vars = drawn
    density = special.softmax(logits) @ stats.norm.pdf(x, means, np.exp(log_vars / 2))
    assert_close(mixture(*drawn).log_prob(x), np.log(density), rtol=1e-10, atol=1e-12)


@given(parameters)
@settings(max_examples=20)
def test_the_density_integrates_to_one_and_has_the_stated_moments(drawn):
    p = mixture(*drawn)
    mean = float(sg.asnumpy(p.mean))
    assert abs(integral(lambda x: sg.exp(p.log_prob(x)), -35, 35, pieces=20) - 1) < 1e-10
    assert abs(integral(lambda x: x * sg.exp(p.log_prob(x)), -35, 35, pieces=20) - mean) < 1e-9
    variance = integral(lambda x: (x - mean) ** 2 * sg.exp(p.log_prob(x)), -35, 35, pieces=20)
    assert_close(p.variance, variance, rtol=1e-9)


@given(parameters, st.integers(0, 100))
@settings(max_examples=20)
def test_samples_have_the_stated_moments(drawn, seed):
    p = mixture(*drawn)
    x = sg.asnumpy(p.sample(RandomStream(seed, "moments"), S))
    assert_mean(x, p.mean)
    assert_mean((x - sg.asnumpy(p.mean)) ** 2, p.variance)


@pytest.mark.parametrize("components", [1, 2, 5])
def test_equal_components_are_one_component(components):
    # One public code gives 109.2 for 2.0 here: a parenthesis stands in the wrong place.
    p = Mixture(sg.asarray(np.zeros(components)), Normal(sg.asarray(np.full(components, 0.3)), -4.0))
    assert_close(p.log_prob(0.3), 2.0 - 0.5 * np.log(2 * np.pi), rtol=1e-12)


def test_a_vector_takes_all_its_elements_from_one_component():
    # Two corners of a square; elements drawn independently would fill all four.
    p = Mixture(sg.asarray(np.zeros(2)), Normal(sg.asarray([[-5.0, -5.0], [5.0, 5.0]], np.float64), -4.0))
    x = sg.asnumpy(p.sample(RandomStream(1), S))
    assert (np.sign(x[:, 0]) == np.sign(x[:, 1])).all()
    assert_mean(x[:, 0] > 0, 0.5)
    same, other = sg.asnumpy(p.log_prob(sg.asarray([[5.0, 5.0], [5.0, -5.0]], np.float64)))
    assert abs(same - (4 - np.log(2 * np.pi) - np.log(2))) < 1e-12
    assert other < -1000
    assert p.event_ndim == 1
    assert p.shape == (2,)


def test_log_prob_of_vectors_is_the_logarithm_of_weighted_products():
    logits, means, log_vars, x = numbers(3), numbers(3, 4), numbers(3, 4) / 2, numbers(6, 5, 4)
    p = Mixture(logits, Normal(means, log_vars))
    host = [sg.asnumpy(value) for value in (logits, means, log_vars, x)]
    densities = stats.norm.pdf(host[3][..., None, :], host[1], np.exp(host[2] / 2)).prod(axis=-1)
    assert_close(p.log_prob(x), np.log(densities @ special.softmax(host[0])), rtol=1e-10)
    assert_close(p.log_prob_per_example(x, leading=2), p.log_prob(x))


def test_each_example_may_have_its_own_mixture():
    logits, means, log_vars, x = numbers(5, 3), numbers(5, 3, 2), numbers(3, 2), numbers(7, 5, 2)
    p = Mixture(logits, Normal(means, log_vars))
    assert p.shape == (5, 2)
    for i in range(5):
        one = Mixture(logits[i], Normal(means[i], log_vars))
        assert_close(p.log_prob(x)[:, i], one.log_prob(x[:, i]), rtol=1e-12)
        assert_close(p.mean[i], one.mean, rtol=1e-12)
        assert_close(p.variance[i], one.variance, rtol=1e-12)
    drawn = sg.asnumpy(p.sample(RandomStream(2), S))
    assert_mean(drawn, p.mean)
    assert_mean((drawn - sg.asnumpy(p.mean)) ** 2, p.variance)


def test_far_from_every_component_the_log_density_stays_finite():
    p = Mixture(sg.asarray(np.zeros(2, np.float32)), Normal(sg.asarray(np.array([0, 1], np.float32)), 0.0))
    assert_close(p.log_prob(1e4), -0.5 * 9999.0**2, rtol=1e-5)


def test_a_component_of_probability_zero_takes_no_part():
    logits = sg.tensor(np.array([0.0, -np.inf]), requires_grad=True)
    p = Mixture(logits, Normal(sg.asarray(np.array([0.0, 50.0])), 0.0))
    assert_close(p.log_prob(0.5), Normal(0.0, 0.0).log_prob(sg.asarray(0.5, np.float64)), rtol=1e-12)
    assert (sg.asnumpy(p.sample(RandomStream(3), 1000)) < 10).all()
    assert np.isfinite(sg.asnumpy(sg.grad(p.log_prob(0.5), logits)[0])).all()


def test_derivatives_to_second_order():
    x = numbers(2, 2)
    inputs = sg.asnumpy(numbers(3)), sg.asnumpy(numbers(3, 2)), sg.asnumpy(numbers(3, 2)) / 3, sg.asnumpy(x)
    sg.autograd.check_gradients(lambda w, m, v, x: Mixture(w, Normal(m, v)).log_prob(x), *inputs)
    sg.autograd.check_gradients(lambda w, m, v: Mixture(w, Normal(m, v)).mean, *inputs[:3])
    sg.autograd.check_gradients(lambda w, m, v: Mixture(w, Normal(m, v)).variance, *inputs[:3])


def test_entropy_says_how_to_estimate_it():
    p = mixture(np.zeros(3), np.zeros(3), np.zeros(3))
    with pytest.raises(NotImplementedError, match=r"Mixture\.entropy: it has no closed form; estimate it"):
        p.entropy()
    estimate = -sg.asnumpy(p.log_prob(p.sample(RandomStream(4), S)))
    assert_mean(estimate, Normal(0.0, 0.0).entropy())


def test_wrong_components_and_values_are_named():
    logits = sg.asarray(np.zeros(3, np.float32))
    with pytest.raises(TypeError, match="components: got Bernoulli, expected Normal"):
        Mixture(logits, Bernoulli(logits))
    with pytest.raises(TypeError, match="components: got float64, expected float32 as the logits"):
        Mixture(logits, Normal(sg.asarray(np.zeros(3)), 0.0))
    for shape, other in [((3,), (2, 3)), ((3,), ()), ((), (3,)), ((0,), (0, 2)), ((2, 3), (3,))]:
        components = Normal(sg.asarray(np.zeros(other, np.float32)), 0.0)
        with pytest.raises(ValueError, match=r"components: got shape .* expected \(\*batch, K, \*event\)"):
            Mixture(sg.asarray(np.zeros(shape, np.float32)), components)
    p = Mixture(logits, Normal(sg.asarray(np.zeros((3, 2), np.float32)), 0.0))
    for shape in ((), (1,), (4, 1)):
        with pytest.raises(ValueError, match=r"x: got shape .*, expected \(..., 2\)"):
            p.log_prob(sg.asarray(np.zeros(shape, np.float32)))
    assert sum_per_example(p.log_prob(sg.asarray(np.zeros((4, 2), np.float32)))).shape == (4,)
