"""The two rules on models whose scores are known: the data, a copier, naive Bayes, noise."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.metrics import exact_kl, expected_scores, score_images, score_looks
from scratchgen.models import CategoricalNaiveBayes, JointMultinomial

N = 5000


@pytest.mark.equation("exact-kl")
def test_the_divergence_is_zero_for_the_data_and_known_for_the_uniform() -> None:
    assert exact_kl(avatars.log_prob) == 0
    uniform = exact_kl(lambda rows: sg.asarray(np.full(len(rows), -np.log(4032))))
    assert_close(uniform, np.log(4032) - avatars.entropy(), rtol=1e-12)


def test_the_divergence_of_a_model_that_excludes_what_occurs_is_infinite() -> None:
    people = avatars.observations()
    assert exact_kl(JointMultinomial(avatars.LEVELS).fit(people).log_prob) == np.inf
    smooth = exact_kl(JointMultinomial(avatars.LEVELS, alpha=1).fit(people).log_prob)
    naive = exact_kl(CategoricalNaiveBayes(avatars.LEVELS, alpha=1).fit(people).log_prob)
    assert avatars.total_correlation() < naive < smooth


def test_the_data_score_as_expected() -> None:
    runs = [score_looks(avatars.sample(N, RandomStream(k)), RandomStream(k), resamples=200) for k in range(5)]
    expected = expected_scores(N)
    for name in expected._fields:
        mean = np.mean([getattr(run, name).value for run in runs])
        widths = [getattr(run, name).upper - getattr(run, name).lower for run in runs]
        assert abs(mean - getattr(expected, name)) <= 0.6 * np.mean(widths), name


def test_expected_scores_are_sums_over_the_binomial_distribution() -> None:
    n, p = 37, avatars.probabilities()[avatars.probabilities() > 0]
    counts = np.arange(n + 1)
    masses = binom.pmf(counts[:, None], n, p)
    deviation = np.sum(masses * np.abs(counts[:, None] - n * p)) / (2 * n)
    expected = expected_scores(n)
    assert expected.total_variation == pytest.approx(deviation, rel=1e-10)
    assert expected.coverage == pytest.approx(np.sum(1 - masses[0]) / 4032, rel=1e-10)
    known = np.unique(avatars.observations(), axis=0)
    assert expected.novelty == pytest.approx(1 - np.exp(avatars.log_prob(known)).sum(), rel=1e-12)


def test_a_copier_has_no_novelty_and_covers_only_what_it_saw() -> None:
    people = avatars.observations()
    different = len(np.unique(people, axis=0))
    copied = score_looks(
        JointMultinomial(avatars.LEVELS).fit(people).sample(N, RandomStream(0)), RandomStream(1)
    )
    assert copied.novelty == (0, 0, 0)
    assert copied.coverage.value == different / 4032
    excluded = 1 - np.exp(avatars.log_prob(np.unique(people, axis=0))).sum()
    assert copied.total_variation.value >= excluded
    every_look = score_looks(avatars.all_looks(), RandomStream(0), resamples=50)
    assert every_look.coverage.value == 1
    assert every_look.novelty.value == 1 - different / 4032


def test_total_variation_is_that_by_hand() -> None:
    mode = avatars.look("LongHairStraight", "SilverGrey", "Round", "ShirtScoopNeck", "White")
    likely = float(np.exp(avatars.log_prob(mode))[0])
    always = score_looks(np.repeat(mode, 10, axis=0), RandomStream(0), resamples=50)
    assert always.total_variation.value == pytest.approx(1 - likely, rel=1e-12)
    impossible = score_looks(np.repeat([[1, 0, 0, 0, 0]], 10, axis=0), RandomStream(0), resamples=50)
    assert impossible.total_variation.value == pytest.approx(1, rel=1e-12)


def test_naive_bayes_is_novel_and_further_from_the_data_than_the_data() -> None:
    people = avatars.observations()
    drawn = CategoricalNaiveBayes(avatars.LEVELS).fit(people).sample(N, RandomStream(0))
    scores = score_looks(drawn, RandomStream(0), resamples=200)
    assert scores.novelty.lower > 0.7
    assert scores.total_variation.lower > expected_scores(N).total_variation


def test_pictures_count_as_their_look_if_they_are_near_enough() -> None:
    rows = avatars.sample(300, RandomStream(0))
    rng = RandomStream(1)
    drawn = score_images(sg.asarray(avatars.draw(rows)), rng, resamples=50)
    assert drawn == score_looks(rows, rng.child(), resamples=50)._replace(validity=drawn.validity)
    assert drawn.validity.value == 1

    images = avatars.draw(rows)
    images[:75] = np.random.default_rng(0).random((75, *avatars.SHAPE))
    spoilt = score_images(images, RandomStream(1), resamples=50)
    assert spoilt.validity.value == 0.75
    assert spoilt.validity.lower < 0.75 < spoilt.validity.upper
    assert spoilt.novelty.value <= drawn.novelty.value
    assert spoilt.total_variation.value > drawn.total_variation.value
    noise = np.random.default_rng(0).random((20, *avatars.SHAPE))
    nothing = score_images(noise, RandomStream(1), resamples=50)
    assert [estimate.value for estimate in nothing] == pytest.approx([0, 1, 0, 0], abs=1e-12)


def test_novelty_is_relative_to_what_was_observed() -> None:
    rows = avatars.sample(50, RandomStream(0))
    assert score_looks(rows, RandomStream(0), observed=rows, resamples=10).novelty.value == 0


def test_bad_input_is_named() -> None:
    rng = RandomStream(0)
    with pytest.raises(ValueError, match="rows: got none, expected at least one look"):
        score_looks(np.empty((0, 5), dtype=int), rng)
    with pytest.raises(ValueError, match=r"shown: got bool of shape \(49,\), expected bool of shape \(50,\)"):
        score_looks(avatars.observations(), rng, shown=np.ones(49, dtype=bool))
    with pytest.raises(ValueError, match="tolerance: got nan, expected a number"):
        score_images(np.zeros((1, 3, 32, 32)), rng, tolerance=float("nan"))
    with pytest.raises(ValueError, match="sum to 4032, expected at most 1"):
        exact_kl(lambda rows: np.zeros(len(rows)))
    with pytest.raises(ValueError, match=r"got shape \(4032, 5\), expected \(4032,\), one for each look"):
        exact_kl(lambda rows: np.zeros(rows.shape))
    with pytest.raises(ValueError, match="n: got 0, expected a positive whole number"):
        expected_scores(0)
