"""Naive Bayes on features: the course's numbers, and probabilities that are probabilities."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy.stats import chisquare
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.data.tables import enumerate_rows
from scratchgen.metrics import exact_kl
from scratchgen.models import CategoricalNaiveBayes

LOOK = ("LongHairStraight", "Red", "Round", "ShirtScoopNeck", "White")


def fitted(alpha: float = 0) -> CategoricalNaiveBayes:
    return CategoricalNaiveBayes(avatars.LEVELS, alpha).fit(sg.asarray(avatars.observations()))


@pytest.mark.equation("naive-bayes-maximum-likelihood")
def test_theta_is_the_five_tables_of_the_course() -> None:
    for theta, frequencies in zip(fitted().theta, avatars.frequencies(), strict=True):
        assert_close(theta, frequencies, rtol=0)


@pytest.mark.equation("naive-bayes")
def test_known_answers_of_the_course() -> None:
    model = fitted()
    look = avatars.look(*LOOK)
    assert f"{np.exp(model.log_prob(look))[0]:.7f}" == "0.0054146"
    assert_close(np.exp(model.log_prob(look))[0], 23 * 8 * 22 * 19 * 22 / 50**5, rtol=1e-14)
    assert model.parameter_count == 23
    assert model.support_size == 3024
    assert f"{np.exp(model.log_prob(model.mode()))[0]:.6f}" == "0.016244"
    assert avatars.describe(model.mode()) == ["LongHairStraight, SilverGrey, Round, ShirtScoopNeck, White"]
    assert f"{model.entropy():.4f}" == "6.8114"


def test_one_quarter_of_the_looks_is_excluded_by_maximum_likelihood() -> None:
    log_prob = fitted().log_prob(avatars.all_looks())
    assert np.count_nonzero(log_prob > -np.inf) == 3024
    assert not np.isnan(log_prob).any()


@pytest.mark.equation("additive-smoothing")
def test_smoothing_gives_the_excluded_looks_three_percent() -> None:
    excluded = fitted().log_prob(avatars.all_looks()) == -np.inf
    model = fitted(alpha=1)
    assert model.support_size == 4032
    mass = np.exp(model.log_prob(avatars.all_looks()))[excluded].sum()
    assert f"{100 * mass:.2f} %" == "3.45 %"
    assert_close(mass, 2 / 58, rtol=1e-12)


def test_maximum_likelihood_stays_the_total_correlation_away_from_the_data() -> None:
    assert exact_kl(fitted().log_prob) == pytest.approx(avatars.total_correlation(), rel=1e-12)


@st.composite
def tables(draw: st.DrawFn) -> tuple[list[int], np.ndarray]:
    levels = draw(st.lists(st.integers(1, 4), min_size=1, max_size=4))
    rows = draw(
        st.lists(st.tuples(*(st.integers(0, count - 1) for count in levels)), min_size=1, max_size=12)
    )
    return levels, np.array(rows)


@given(tables(), st.sampled_from([0, 0.5, 1, 10]))
def test_probabilities_sum_to_one_and_are_products_of_frequencies(
    table: tuple[list[int], np.ndarray], alpha: float
) -> None:
    levels, rows = table
    model = CategoricalNaiveBayes(levels, alpha).fit(rows)
    looks = enumerate_rows(levels)
    probabilities = np.exp(model.log_prob(looks))
    assert probabilities.sum() == pytest.approx(1, abs=1e-12)
    by_hand = np.array(
        [
            np.prod(
                [
                    (np.sum(rows[:, k] == x) + alpha) / (len(rows) + alpha * levels[k])
                    for k, x in enumerate(look)
                ]
            )
            for look in looks
        ]
    )
    np.testing.assert_allclose(probabilities, by_hand, rtol=1e-12)
    positive = probabilities > 0
    entropy = -np.sum(probabilities[positive] * np.log(probabilities[positive]))
    assert model.entropy() == pytest.approx(entropy, abs=1e-12)
    assert model.support_size == np.count_nonzero(positive)


def test_samples_have_the_probabilities_and_none_of_zero() -> None:
    counts = [[30, 20], [10, 0, 40], [5, 45]]
    columns = [np.repeat(np.arange(len(seen)), seen) for seen in counts]
    model = CategoricalNaiveBayes((2, 3, 2)).fit(np.stack(columns, axis=1))
    n = 20_000
    rows = model.sample(n, RandomStream(0, "naive bayes"))
    drawn = np.bincount(np.ravel_multi_index(tuple(rows.T), model.levels), minlength=12)
    expected = n * np.exp(model.log_prob(enumerate_rows(model.levels)))
    assert not drawn[expected == 0].any()
    assert chisquare(drawn[expected > 0], expected[expected > 0]).pvalue > 1e-3


def test_log_prob_does_not_underflow() -> None:
    # The probability of 2,000 even coins, 2^-2000, is 0 in floating point; its logarithm is not.
    model = CategoricalNaiveBayes([2] * 2000).fit(np.array([[0] * 2000, [1] * 2000]))
    assert model.log_prob(np.zeros((1, 2000), dtype=int))[0] == pytest.approx(-2000 * np.log(2), rel=1e-12)


@pytest.mark.parametrize("alpha", [-1, float("nan"), float("inf"), "1"])
def test_alpha_must_be_a_finite_number_of_at_least_zero(alpha: object) -> None:
    with pytest.raises(ValueError, match=r"alpha: got .*, expected a number in \[0, inf\)"):
        CategoricalNaiveBayes((2, 3), alpha=alpha)  # type: ignore[arg-type]


def test_bad_tables_are_named() -> None:
    model = CategoricalNaiveBayes((2, 3))
    with pytest.raises(ValueError, match="rows: got none, expected at least one to fit"):
        model.fit(np.empty((0, 2), dtype=int))
    with pytest.raises(ValueError, match=r"rows\[0, 1\]: got level 3, expected 0 to 2"):
        model.fit([[0, 3]])
    with pytest.raises(RuntimeError, match="call fit"):
        model.log_prob([[0, 0]])
    with pytest.raises(ValueError, match=r"rows\[0, 0\]: got level 2, expected 0 to 1"):
        model.fit([[0, 0]]).log_prob([[2, 0]])
