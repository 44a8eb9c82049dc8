import warnings

import numpy as np
import pytest
from estimates import assert_mean
from hypothesis import given, settings, strategies as st
from hypothesis.extra.numpy import arrays
from scipy import special, stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Categorical

logits_of = arrays(np.float64, st.tuples(st.integers(1, 3), st.integers(1, 5)), elements=st.floats(-6, 6))
HALF_IMPOSSIBLE = np.array([[-np.inf, 0.3, -np.inf, 0.1, -np.inf], [0.0, -np.inf, -np.inf, -np.inf, -np.inf]])


class Extreme(RandomStream):
    """Draws the largest uniform number below 1, or 0, every time."""

    def __init__(self, largest):
        super().__init__(0)
        self.largest = largest

    def uniform(self, shape=(), dtype=np.float32, **axis):
        value = 1 - np.finfo(dtype).epsneg if self.largest else 0
        return sg.asarray(np.full(shape, value, dtype))


@given(logits_of)
def test_log_prob_is_that_of_the_softmax_and_adds_up_to_one(logits):
    p = Categorical(sg.asarray(logits))
    table = special.softmax(logits, axis=-1)
    levels = np.arange(p.levels)
    by_level = sg.asnumpy(p.log_prob(sg.asarray(np.broadcast_to(levels[:, None], (p.levels, len(logits))))))
    assert_close(np.exp(by_level.T), table, rtol=1e-10)
    assert_close(p.entropy(), stats.entropy(table, axis=-1), rtol=1e-9, atol=1e-12)
    assert_close(p.mean, table @ levels, rtol=1e-12, atol=1e-12)
    assert_close(p.variance, table @ levels**2 - (table @ levels) ** 2, rtol=1e-9, atol=1e-10)


@given(logits_of, st.integers(0, 100))
@settings(max_examples=20)
def test_levels_are_drawn_with_their_probabilities(logits, seed):
    p = Categorical(sg.asarray(logits / 3))
    x = sg.asnumpy(p.sample(RandomStream(seed, "frequencies"), 20_000))
    assert x.dtype.kind == "i"
    assert_mean(x[..., None] == np.arange(p.levels), special.softmax(logits / 3, axis=-1))
    assert_mean(-sg.asnumpy(p.log_prob(sg.asarray(x))), p.entropy())


def test_elements_are_drawn_independently():
    p = Categorical(sg.asarray(np.zeros((2, 2))))
    x = sg.asnumpy(p.sample(RandomStream(1), 20_000))
    assert_mean((2 * x[:, 0] - 1) * (2 * x[:, 1] - 1), 0.0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("impossible", [0, 3, -1])
def test_impossible_levels_are_never_drawn_not_even_by_rounding(dtype, impossible):
    thirty = np.linspace(-1, 1, 30) * np.arange(1, 9)[:, None]  # of which many add up to 1 only nearly
    thirty[:, impossible] = -np.inf
    for logits in (HALF_IMPOSSIBLE, thirty):
        p = Categorical(sg.asarray(logits.astype(dtype)))
        for rng in (Extreme(largest=True), Extreme(largest=False), RandomStream(2)):
            x = sg.asnumpy(p.sample(rng, 50))
            drawn = np.take_along_axis(np.broadcast_to(logits, (50, *logits.shape)), x[..., None], -1)
            assert np.isfinite(drawn).all()


def test_impossible_levels_have_limits_without_nan_or_warning():
    logits = sg.tensor(HALF_IMPOSSIBLE, requires_grad=True)
    p = Categorical(logits)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        entropy, log_prob = p.entropy(), p.log_prob([0, 0])
        gradient = sg.asnumpy(sg.grad(entropy.sum() + p.log_prob([1, 0]).sum(), logits)[0])
    assert_close(log_prob, [-np.inf, 0.0])
    assert_close(entropy, [stats.entropy(special.softmax([0.3, 0.1])), 0.0], rtol=1e-12)
    assert np.isfinite(gradient).all()


def test_values_broadcast_against_the_logits():
    logits = RandomStream(3).normal((2, 3, 4), np.float64)
    p, table = Categorical(logits), special.log_softmax(sg.asnumpy(logits), axis=-1)
    assert_close(p.log_prob(2), table[..., 2], rtol=1e-12)
    assert_close(p.log_prob([0, 3, 1]), table[:, [0, 1, 2], [0, 3, 1]], rtol=1e-12)
    assert p.log_prob(sg.asarray(np.zeros((5, 2, 3), np.uint8))).shape == (5, 2, 3)


def test_derivatives_to_second_order():
    logits = RandomStream(4).normal((2, 4), np.float64)
    levels = sg.asarray(np.array([[0, 3], [2, 2], [1, 0]]))
    sg.autograd.check_gradients(lambda v: Categorical(v).log_prob(levels), logits)
    sg.autograd.check_gradients(lambda v: Categorical(v).entropy(), logits)
    sg.autograd.check_gradients(lambda v: Categorical(v).mean + Categorical(v).variance, logits)


def test_wrong_logits_and_levels_are_named():
    for shape in ((), (3, 0)):
        with pytest.raises(ValueError, match=r"logits: got shape .*, expected \(..., K\) with K at least 1"):
            Categorical(sg.asarray(np.zeros(shape, np.float32)))
    p = Categorical(sg.asarray(np.zeros((2, 3), np.float32)))
    with pytest.raises(TypeError, match=r"x: got an array of float32, expected whole numbers"):
        p.log_prob(sg.asarray(np.zeros(2, np.float32)))
    with pytest.raises(ValueError, match=r"x of shape \(3,\) and parameters of shape \(2,\) do not"):
        p.log_prob([0, 1, 2])


@pytest.mark.host_only
@pytest.mark.parametrize("x", [[0, 3], [-1, 0], 3, -1])
def test_levels_out_of_range_are_named(x):
    with pytest.raises(ValueError, match=r"x: got numbers from -?\d to -?\d, expected 0 to 2"):
        Categorical(np.zeros((2, 3), np.float32)).log_prob(x)
