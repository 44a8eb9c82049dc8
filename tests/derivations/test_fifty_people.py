"""Naive Bayes on independent draws: what its estimate costs, when smoothing pays, how many labels to take."""

from __future__ import annotations

import numpy as np
import pytest
from estimates import assert_mean
from scipy import stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import avatars, digits
from scratchgen.data.tables import mutual_information
from scratchgen.distributions import Normal
from scratchgen.metrics import exact_kl
from scratchgen.models import CategoricalNaiveBayes, PixelNaiveBayes
from scratchgen.nn import Linear, functional as F
from scratchgen.optim import Adam

pytestmark = pytest.mark.host_only


def divergences(alpha: float, people: int, samples: int, name: str) -> np.ndarray:
    """KL from P_data of naive Bayes, fitted to so many samples of independently drawn people."""
    rng = RandomStream(0, name)
    return np.array(
        [
            exact_kl(CategoricalNaiveBayes(avatars.LEVELS, alpha).fit(rows).log_prob)
            for rows in (avatars.sample(people, rng.child(i)) for i in range(samples))
        ]
    )


def test_smoothing_pays_on_independent_draws() -> None:
    """The table of the chapter: maximum likelihood is infinitely wrong three times in four."""
    of = {alpha: divergences(alpha, 50, 200, "fifty") for alpha in (0, 0.25, 1, 4)}
    excluded = np.isinf(of[0])
    assert excluded.mean() == 0.74
    assert all(np.isfinite(of[alpha]).all() for alpha in (0.25, 1, 4))
    assert_close(of[0][~excluded].mean(), 0.95, atol=0.005)
    assert_close([of[alpha].mean() for alpha in (0.25, 1, 4)], [0.97, 0.95, 1.06], atol=0.005)
    # Of fifty draws a level of probability p is missing with probability (1 - p)^50.
    rare = np.sort(np.concatenate(avatars.frequencies()))
    rare = rare[(rare > 0) & (rare <= 0.06)]
    assert_close(rare * 50, [1, 1, 2, 2, 3, 3], rtol=1e-12)
    assert_close(np.mean(excluded), 1 - np.prod(1 - (1 - rare) ** 50), atol=0.06)


@pytest.mark.equation("estimation-cost")
def test_the_estimate_costs_half_a_nat_for_each_parameter_and_person() -> None:
    occurring = [np.count_nonzero(theta) for theta in avatars.frequencies()]
    assert occurring == [6, 6, 3, 4, 7]
    n, never = 4000, sum(avatars.LEVELS) - sum(occurring)
    assert never == 2
    for alpha in (0, 1, 5):
        expected = sum(levels - 1 for levels in occurring) / (2 * n) + alpha * never / n
        assert_mean(divergences(alpha, n, 60, "many") - avatars.total_correlation(), expected)


@pytest.mark.equation("mutual-information")
def test_what_two_attributes_know_of_each_other() -> None:
    joint = np.random.default_rng(0).uniform(size=(3, 4))
    joint[1, 2] = 0
    joint /= joint.sum()
    product = np.outer(joint.sum(1), joint.sum(0))
    seen = joint > 0
    expected = np.sum(joint[seen] * np.log(joint[seen] / product[seen]))
    assert_close(mutual_information(joint), expected, rtol=1e-12)
    rows = joint / joint.sum(1, keepdims=True)
    remaining = -np.sum(joint[seen] * np.log(rows[seen]))  # H(b | a)
    assert_close(mutual_information(joint), stats.entropy(joint.sum(0)) - remaining, rtol=1e-12)
    assert_close(mutual_information(product), 0.0, atol=1e-15)


@pytest.mark.equation("naive-bayes-linear")
def test_the_difference_of_two_classes_is_linear_in_the_pixels() -> None:
    rng = np.random.default_rng(1)
    x, labels = rng.integers(0, 2, (40, 6)).astype(np.float64), np.repeat([0, 1], [28, 12])  # not balanced
    model = PixelNaiveBayes(levels=2, alpha=0.5).fit(x, labels)
    theta, pi = model.theta[:, :, 1], model.class_probabilities
    weights = np.log(theta[1] * (1 - theta[0]) / (theta[0] * (1 - theta[1])))
    offset = np.log(pi[1] / pi[0]) + np.sum(np.log((1 - theta[1]) / (1 - theta[0])))
    scores = model.class_log_prob(x)
    assert_close(scores[:, 1] - scores[:, 0], x @ weights + offset, rtol=1e-9, atol=1e-9)


@pytest.mark.equation("generative-accuracy")
@pytest.mark.parametrize(("n", "distance"), [(5, 2.0), (40, 1.2), (400, 0.8)])
def test_two_gaussian_classes_learnt_from_few_labels(n: int, distance: float) -> None:
    """Fit both means by maximum likelihood, classify by the densities, and count."""
    D, samples = 400, 40
    mu = np.full(D, distance / np.sqrt(D))
    rng = RandomStream(2, n)
    signs = 2 * rng.bernoulli(np.full((1000, 1), 0.5)) - 1
    x = signs * mu + rng.normal((1000, D), np.float64)
    accuracy = []
    for i in range(samples):
        estimate = (mu + rng.child(i).normal((n, D), np.float64)).mean(
            axis=0
        )  # of examples times their signs
        odds = Normal(estimate, 0.0).log_prob_per_example(x) - Normal(-estimate, 0.0).log_prob_per_example(x)
        accuracy.append(np.mean((odds > 0) == (signs[:, 0] > 0)))
    expected = stats.norm.cdf(distance / np.sqrt(1 + D / (n * distance**2)))
    assert_close(np.mean(accuracy), expected, atol=0.02)


def accuracies(n: int, draws: int) -> np.ndarray:
    """Of naive Bayes and of logistic regression, each after the same `n` labelled digits (means)."""
    data, total = digits(), np.zeros(2)
    seen = (data.test.reshape(len(data.test), -1) >= 0.5).astype(np.float32)
    for i in range(draws):
        chosen = np.random.default_rng(i).permutation(len(data.train))[:n]
        white = (data.train[chosen].reshape(n, -1) >= 0.5).astype(np.float32)
        naive = PixelNaiveBayes(levels=2, alpha=1).fit(data.train[chosen], data.train_labels[chosen])
        linear = Linear(64, 10, rng=RandomStream(3))
        optimiser = Adam(linear.parameters(), lr=0.05)
        for _ in range(60):
            optimiser.zero_grad()
            F.cross_entropy(linear(white), data.train_labels[chosen]).backward()
            optimiser.step()
        guesses = naive.classify(data.test), sg.asnumpy(linear(seen)).argmax(axis=1)
        total += [np.mean(guess == data.test_labels) / draws for guess in guesses]
    return total


def test_naive_bayes_is_ahead_with_a_few_hundred_labels_and_behind_with_many() -> None:
    few, many = accuracies(250, draws=6), accuracies(1500, draws=1)
    assert many[1] > many[0] + 0.02
    assert few[0] > few[1]
