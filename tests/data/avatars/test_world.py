"""P_data: marginals exact, dependencies real, probabilities those of the samples."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from hypothesis.extra.numpy import arrays
from scipy.stats import chisquare
from tools import assert_close

from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.data.avatars import world


def test_marginals_are_the_tables_to_twelve_digits() -> None:
    assert avatars.joint().shape == avatars.LEVELS
    for attribute, theta in enumerate(avatars.frequencies()):
        np.testing.assert_allclose(world.marginal(avatars.joint(), attribute), theta, rtol=0, atol=1e-12)


def test_the_support_is_the_3024_looks_of_seen_levels() -> None:
    assert np.count_nonzero(avatars.joint()) == 3024
    assert not avatars.joint()[1].any()
    assert not avatars.joint()[..., 0].any()


@pytest.mark.equation("total-correlation")
def test_total_correlation_is_the_stated_one_and_the_divergence_from_independence() -> None:
    assert avatars.total_correlation() == pytest.approx(0.7315, abs=5e-5)
    assert "0.7315 nats" in (world.__doc__ or "")
    independent = np.einsum("a,b,c,d,e->abcde", *avatars.frequencies())
    joint = avatars.joint()
    occurs = joint > 0
    divergence = np.sum(joint[occurs] * np.log(joint[occurs] / independent[occurs]))
    assert_close(avatars.total_correlation(), divergence, rtol=1e-12)


def test_the_fit_keeps_the_declared_odds() -> None:
    # Scaling levels cannot change an odds ratio: that of pink hair and pink clothes is still exp(2.5).
    pair = avatars.joint()[3, :, 1, 2, :]
    odds = pair[3, 5] * pair[4, 7] / (pair[3, 7] * pair[4, 5])
    assert odds == pytest.approx(np.exp(2.5), rel=1e-10)


@given(arrays(float, (2, 3, 2), elements=st.floats(0.1, 10)), arrays(float, (3,), elements=st.floats(0.1, 1)))
def test_proportional_fitting_reaches_any_marginals(weights: np.ndarray, wanted: np.ndarray) -> None:
    marginals = (np.array([0.2, 0.8]), wanted / wanted.sum(), np.array([1.0, 0.0]))
    fitted = world.iterative_proportional_fit(weights, marginals)
    for attribute, marginal in enumerate(marginals):
        np.testing.assert_allclose(world.marginal(fitted, attribute), marginal, rtol=0, atol=1e-12)


def test_proportional_fitting_says_what_it_cannot_do() -> None:
    with pytest.raises(ValueError, match=r"marginals: got \(2, 3\) levels, expected \(2, 2\)"):
        world.iterative_proportional_fit(np.ones((2, 2)), (np.ones(2) / 2, np.ones(3) / 3))
    impossible = np.array([[1.0, 0.0], [0.0, 1.0]])
    with pytest.raises(RuntimeError, match="off after 20 sweeps"):
        world.iterative_proportional_fit(impossible, (np.array([0.5, 0.5]), np.array([0.3, 0.7])), sweeps=20)


def test_log_prob_is_the_log_of_the_joint() -> None:
    looks = avatars.all_looks()
    log_prob = avatars.log_prob(looks)
    assert np.exp(log_prob).sum() == pytest.approx(1, abs=1e-12)
    occurs = log_prob > -np.inf
    assert -np.sum(np.exp(log_prob[occurs]) * log_prob[occurs]) == pytest.approx(avatars.entropy(), rel=1e-12)
    assert log_prob[1234] == np.log(avatars.joint()[tuple(looks[1234])])
    with pytest.raises(ValueError, match=r"got level ., expected 0 to 2"):
        avatars.log_prob([[0, 0, 3, 0, 1]])


def test_samples_have_the_probabilities() -> None:
    n = 20_000
    numbers = avatars.look_numbers(avatars.sample(n, RandomStream(0, "world")))
    expected = n * avatars.probabilities()
    common = expected >= 5
    observed = np.bincount(numbers, minlength=4032)
    pooled = np.append(observed[common], observed[~common].sum())
    assert chisquare(pooled, np.append(expected[common], expected[~common].sum())).pvalue > 1e-3
    assert not observed[expected == 0].any()
