"""The equations of the metrics, each against its definition, an exhaustive sum or many repetitions."""

from __future__ import annotations

import numpy as np
import pytest
from estimates import assert_mean
from scipy import integrate, special, stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import avatars, dequantise
from scratchgen.metrics import (
    bootstrap_interval,
    distance_ratio,
    exact_kl,
    expected_scores,
    nearest_neighbour_ratio,
    precision_recall,
)
from scratchgen.metrics.avatar_rules import coverage, total_variation
from scratchgen.metrics.neighbours import squared_distances
from scratchgen.models import CategoricalNaiveBayes

P = avatars.probabilities()


def normal(name: str, n: int, shift: float = 0.0) -> np.ndarray:
    return shift + sg.asnumpy(RandomStream(0, "measuring", name).normal((n, 3), np.float64))


SAMPLES, TRAINING, HELD_OUT = normal("samples", 40, 0.3), normal("training", 60), normal("held out", 50)


@pytest.mark.equation("exact-kl")
def test_the_divergence_is_a_sum_over_all_looks() -> None:
    model = CategoricalNaiveBayes(avatars.LEVELS, 1).fit(avatars.observations())
    q = np.exp(model.log_prob(avatars.all_looks()))
    assert_close(exact_kl(model.log_prob), special.rel_entr(P, q).sum(), rtol=1e-12)
    uniform = exact_kl(lambda rows: sg.asarray(np.full(len(rows), -np.log(4032))))
    assert_close(uniform, np.log(4032) - avatars.entropy(), rtol=1e-12)


@pytest.mark.equation("total-variation")
def test_the_total_variation_is_the_largest_difference_of_any_events_probability() -> None:
    numbers = avatars.look_numbers(avatars.sample(500, RandomStream(1)))
    frequencies = np.bincount(numbers, minlength=4032) / 500
    event = frequencies > P  # the event that gains most
    assert_close(total_variation(numbers), frequencies[event].sum() - P[event].sum(), rtol=1e-10)


def repeated(n: int, times: int) -> list[np.ndarray]:
    """The numbers of `n` looks of P_data, drawn several times."""
    return [avatars.look_numbers(avatars.sample(n, RandomStream(seed, "repeated"))) for seed in range(times)]


@pytest.mark.equation("expected-coverage")
@pytest.mark.equation("expected-total-variation")
def test_de_moivres_formula_is_the_mean_deviation_of_a_binomial() -> None:
    n, p = 50, P[P > 0]
    counts = np.arange(n + 1)[:, None]
    deviation = np.sum(stats.binom.pmf(counts, n, p) * np.abs(counts - n * p)) / (2 * n)
    assert_close(expected_scores(n).total_variation, deviation, rtol=1e-10)
    assert expected_scores(n).validity == 1  # P_data draws no look that the rules forbid
    assert_mean([total_variation(numbers) for numbers in repeated(n, 200)], np.array(deviation))


@pytest.mark.equation("expected-coverage")
def test_a_look_is_covered_unless_it_is_missed_n_times() -> None:
    expected = np.sum(1 - (1 - P) ** 50) / 4032
    assert_close(expected_scores(50).coverage, expected, rtol=1e-10)
    assert_mean([coverage(numbers) for numbers in repeated(50, 200)], np.array(expected))


@pytest.mark.equation("bootstrap-interval")
def test_quantiles_of_the_resamples_are_shifted_to_the_observed_value() -> None:
    sample = np.arange(30) % 11
    found = bootstrap_interval(lambda x: len(np.unique(x)), sample, RandomStream(2), resamples=300, level=0.8)
    stream = RandomStream(2)
    again = [len(np.unique(sample[sg.asnumpy(stream.integers(0, 30, (30,)))])) for _ in range(300)]
    low, high = np.quantile(again, [0.1, 0.9]) - np.mean(again)
    assert_close(found, [11, 11 + low, 11 + high], rtol=1e-12)
    within = bootstrap_interval(
        lambda x: len(np.unique(x)), sample, RandomStream(2), resamples=300, level=0.8, bounds=(0, 11.1)
    )
    assert 11 + high > 11.1
    assert_close(within, [11, 11 + low, 11.1], rtol=1e-12)


@pytest.mark.equation("bootstrap-interval")
def test_of_a_mean_it_is_the_normal_interval() -> None:
    sample = normal("mean", 400)[:, 0]
    found = bootstrap_interval(np.mean, sample, RandomStream(0), resamples=4000)
    half_width = 1.96 * sample.std() / 20
    assert_close(found, sample.mean() + np.array([0, -1, 1]) * half_width, atol=0.05 * half_width)


@pytest.mark.equation("squared-distances")
def test_the_square_of_a_difference_is_expanded() -> None:
    by_hand = ((SAMPLES[:, None] - TRAINING) ** 2).sum(-1)
    assert_close(squared_distances(SAMPLES, TRAINING), by_hand, rtol=1e-10)


def distances(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    return np.sort(np.linalg.norm(points[:, None] - others, axis=-1), axis=1)


@pytest.mark.equation("nearest-neighbour-ratio")
def test_the_nearest_is_divided_by_the_next() -> None:
    near = distances(SAMPLES, TRAINING)
    found = nearest_neighbour_ratio(sg.asarray(SAMPLES), sg.asarray(TRAINING))
    assert_close(found, near[:, 0] / near[:, 1], rtol=1e-9)
    twice = np.concatenate([TRAINING, TRAINING[::-1]])  # the next is another example, not the same again
    assert_close(nearest_neighbour_ratio(sg.asarray(SAMPLES), sg.asarray(twice)), found, rtol=1e-9)


@pytest.mark.equation("distance-ratio")
def test_the_unit_is_the_distance_of_fresh_data() -> None:
    medians = [np.median(distances(points, TRAINING)[:, 0]) for points in (SAMPLES, HELD_OUT)]
    assert_close(distance_ratio(SAMPLES, TRAINING, HELD_OUT), medians[0] / medians[1], rtol=1e-9)


@pytest.mark.equation("precision-recall")
def test_a_point_is_among_others_if_it_is_within_reach_of_one() -> None:
    def among(points: np.ndarray, reference: np.ndarray) -> float:
        reach = distances(reference, reference)[:, 3]  # [:, 0] is the point itself
        balls = list(zip(reference, reach, strict=True))
        return float(np.mean([any(np.linalg.norm(a - b) <= r for b, r in balls) for a in points]))

    expected = among(SAMPLES, TRAINING), among(TRAINING, SAMPLES)
    assert 0.1 < min(expected) < max(expected) < 1
    assert_close(precision_recall(TRAINING, SAMPLES), expected, rtol=1e-14)


@pytest.mark.equation("dequantisation-bound")
def test_the_mean_log_density_of_spread_levels_is_below_their_log_probability() -> None:
    # A density on [0, 1] that is not flat within bins: Beta(2, 3). Four levels.
    k = np.arange(4)
    mass = np.diff(stats.beta.cdf(np.arange(5) / 4, 2, 3))
    bound = np.array(
        [4 * integrate.quad(lambda y: stats.beta.logpdf(y, 2, 3), a / 4, (a + 1) / 4)[0] for a in k]
    ) - np.log(4)
    assert (bound < np.log(mass)).all()
    x = sg.asarray(np.tile(k / 3, (40_000, 1)))
    spread = sg.asnumpy(dequantise(x, 4, RandomStream(0)))
    assert_mean(stats.beta.logpdf(spread, 2, 3) - np.log(4), bound)
    # Where the density is constant within each bin, the bound is an equality.
    steps = np.array([0.1, 0.4, 0.3, 0.2])
    density = 4 * steps[np.floor(spread * 4).astype(int)]
    assert_close(np.log(density).mean(0) - np.log(4), np.log(steps), rtol=1e-12)
