"""What autoencoders are for: cleaning what is damaged, and noticing what is strange."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean, integral
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.backend import RandomStream
from scratchgen.metrics import alarm_precision, auroc, average_precision, psnr
from scratchgen.models import Autoencoder
from scratchgen.models.denoisers import mixture_denoiser, wiener
from scratchgen.nn import Linear
from scratchgen.optim import Adam, schedules

RNG = np.random.default_rng(0)
X, DAMAGED = RNG.normal(size=(4, 5)), RNG.normal(size=(4, 5))


@pytest.mark.equation("denoising-loss")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_code_is_made_of_the_damaged_copy_and_the_error_is_from_the_clean_one(dtype: Any) -> None:
    model = Autoencoder.dense(5, 7, 2, rng=RandomStream(0)).to(dtype)
    x, damaged = sg.asarray(X, dtype), sg.asarray(DAMAGED, dtype)
    guessed = sg.asnumpy(model.reconstruct(damaged)).astype(np.float64)
    expected = np.mean([np.sum((a - b) ** 2) for a, b in zip(sg.asnumpy(x), guessed, strict=True)])
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    assert_close(model.loss(x, corrupted=damaged), np.asarray(expected, dtype), rtol=rtol)


@pytest.mark.equation("denoising-loss")
def test_its_derivatives_by_the_weights() -> None:
    model = Autoencoder(Linear(5, 2), Linear(2, 5)).to(np.float64)

    def loss(encode: Any, decode: Any) -> Any:
        model.encoder.weight, model.decoder.weight = encode, decode
        return model.loss(sg.asarray(X), corrupted=sg.asarray(DAMAGED))

    layers = (model.encoder, model.decoder)
    assert check_gradients(loss, *(sg.asnumpy(layer.weight) for layer in layers)) < 1e-7


@pytest.mark.equation("anomaly-score")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_score_is_each_examples_own_squared_error(dtype: Any) -> None:
    model = Autoencoder.dense((1, 5), 7, 2, rng=RandomStream(1)).to(dtype)
    x = sg.asarray(X.reshape(4, 1, 5), dtype)
    rebuilt = sg.asnumpy(model.reconstruct(x)).astype(np.float64)
    expected = [np.sum((a - b) ** 2) for a, b in zip(sg.asnumpy(x), rebuilt, strict=True)]
    rtol = 1e-12 if dtype == np.float64 else 1e-5
    assert_close(model.anomaly_score(x), np.asarray(expected, dtype), rtol=rtol)


def tied_scores(seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Forty scores of which many are tied, a third of them positive and rather higher."""
    rng = np.random.default_rng(seed)
    labels = np.arange(40) % 3 == 0
    return rng.integers(0, 8, 40) / 8 + 0.25 * labels, labels


@pytest.mark.equation("auroc")
@pytest.mark.parametrize("seed", range(3))
def test_the_area_counts_the_pairs_in_the_right_order_and_half_of_the_ties(seed: int) -> None:
    scores, labels = tied_scores(seed)
    pairs = [(s > t) + (s == t) / 2 for s in scores[labels] for t in scores[~labels]]
    assert any(pair == 0.5 for pair in pairs)
    assert_close(auroc(scores, labels), np.mean(pairs), rtol=1e-13)


@pytest.mark.equation("auroc")
def test_it_is_the_area_below_the_curve_of_found_against_falsely_alarmed() -> None:
    scores, labels = tied_scores(3)
    levels = np.unique(scores)[::-1]
    found = np.array([0, *(np.mean(scores[labels] >= t) for t in levels)])
    alarmed = np.array([0, *(np.mean(scores[~labels] >= t) for t in levels)])
    area = np.sum(np.diff(alarmed) * (found[1:] + found[:-1]) / 2)
    assert_close(auroc(scores, labels), area, rtol=1e-13)


@pytest.mark.equation("average-precision")
@pytest.mark.parametrize("seed", range(3))
def test_it_averages_over_the_positives_the_share_of_positives_among_what_scores_no_less(seed: int) -> None:
    scores, labels = tied_scores(seed)
    precisions = [np.sum(labels & (scores >= s)) / np.sum(scores >= s) for s in scores[labels]]
    assert_close(average_precision(scores, labels), np.mean(precisions), rtol=1e-13)


@pytest.mark.equation("alarm-precision")
def test_an_alarm_is_right_as_often_as_a_count_of_people_says() -> None:
    ill, healthy = 300, 700
    alarmed = np.concatenate([np.arange(ill) < 240, np.arange(healthy) < 70])
    truly = np.arange(ill + healthy) < ill
    counted = np.sum(alarmed & truly) / np.sum(alarmed)
    assert_close(alarm_precision(share=0.3, found=0.8, false_alarms=0.1), counted, rtol=1e-13)


MEAN, SIGMA = np.array([1.0, -2.0, 0.5]), 0.7
ROOT = np.array([[1.5, 0.0, 0.0], [0.8, 0.6, 0.0], [-0.4, 0.3, 0.2]])
COVARIANCE = ROOT @ ROOT.T


@pytest.mark.equation("wiener")
def test_wieners_filter_is_the_posterior_mean_that_bayes_rule_gives_in_precisions() -> None:
    y = RNG.normal(size=(6, 3)) * 2
    precision = np.linalg.inv(COVARIANCE) + np.eye(3) / SIGMA**2
    expected = np.linalg.solve(precision, (np.linalg.inv(COVARIANCE) @ MEAN)[:, None] + y.T / SIGMA**2).T
    assert_close(wiener(sg.asarray(y), MEAN, COVARIANCE, SIGMA), expected, rtol=1e-11)


@pytest.mark.equation("wiener")
def test_a_linear_denoising_autoencoder_converges_to_wieners_filter() -> None:
    """The loss's mean over the noise is a quadratic in the weights, made exact here."""
    rng, n = np.random.default_rng(4), 400

    def exact(a: np.ndarray, mean: Any, covariance: Any) -> np.ndarray:
        """Points moved so that their mean and covariance are exactly these."""
        a = a - a.mean(axis=0)
        return (
            mean
            + a @ np.linalg.inv(np.linalg.cholesky(np.cov(a.T, ddof=0))).T @ np.linalg.cholesky(covariance).T
        )

    joint = np.block([[COVARIANCE, np.zeros((3, 3))], [np.zeros((3, 3)), SIGMA**2 * np.eye(3)]])
    both = exact(rng.normal(size=(n, 6)), np.concatenate([MEAN, np.zeros(3)]), joint)
    clean, noisy = sg.asarray(both[:, :3]), sg.asarray(both[:, :3] + both[:, 3:])
    model = Autoencoder(Linear(3, 4, rng=RandomStream(0)), Linear(4, 3, rng=RandomStream(1))).to(np.float64)
    optimiser, rate = Adam(model.parameters(), lr=0.05), schedules.cosine(0.05, 1200)
    for step in range(1200):
        optimiser.lr = rate(step)
        optimiser.zero_grad()
        model.loss(clean, corrupted=noisy).backward()
        optimiser.step()
    y = RNG.normal(size=(6, 3)) * 2
    assert_close(model.reconstruct(sg.asarray(y)), wiener(y, MEAN, COVARIANCE, SIGMA), rtol=0, atol=1e-4)


WEIGHTS, MEANS, SPREADS = [0.2, 0.5, 0.3], [[-2.0], [0.5], [1.5]], [0.3, 0.0, 0.8]


def component(k: int, x: Any) -> Any:
    """The density of a component of the mixture on the line."""
    return np.exp(-((x - MEANS[k][0]) ** 2) / (2 * SPREADS[k] ** 2)) / np.sqrt(2 * np.pi * SPREADS[k] ** 2)


def moments(y: float) -> tuple[float, float]:
    """The integrals of p(x) N(y; x, sigma^2) and of x times it, the component without a spread as a point."""

    def kernel(x: Any) -> Any:
        return np.exp(-((y - x) ** 2) / (2 * SIGMA**2))

    zero = WEIGHTS[1] * kernel(MEANS[1][0])
    one = zero * MEANS[1][0]
    for k in (0, 2):
        zero += WEIGHTS[k] * integral(lambda x, k=k: component(k, x) * kernel(x), -8, 8, pieces=40)
        one += WEIGHTS[k] * integral(lambda x, k=k: x * component(k, x) * kernel(x), -8, 8, pieces=40)
    return zero, one


@pytest.mark.equation("mixture-denoiser", "mixture-responsibility")
@pytest.mark.parametrize("y", [-2.5, -0.4, 0.9, 3.0])
def test_of_a_mixture_it_is_the_integral_of_bayes_rule(y: float) -> None:
    zero, one = moments(y)
    found = mixture_denoiser(sg.asarray(np.array([[y]])), WEIGHTS, MEANS, SPREADS, SIGMA)
    assert_close(found, [[one / zero]], rtol=1e-10)


@pytest.mark.equation("mixture-denoiser", "mixture-responsibility")
def test_in_the_plane_the_rest_is_orthogonal_to_every_function_of_the_noisy_point() -> None:
    """Which only the posterior mean is: here for four functions, with unequal components."""
    rng, n = np.random.default_rng(5), 200_000
    weights, spreads = np.array([0.7, 0.3]), np.array([0.2, 0.9])
    means = np.array([[-1.0, 0.5], [1.0, -0.2]])
    k = (rng.random(n) < weights[1]).astype(int)
    x = means[k] + spreads[k, None] * rng.normal(size=(n, 2))
    y = x + SIGMA * rng.normal(size=(n, 2))
    rest = x - sg.asnumpy(mixture_denoiser(y, weights, means, spreads, SIGMA))
    for f in (np.ones(n), y[:, 0], y[:, 1] ** 2, np.linalg.norm(y - means[1], axis=1) < 1):
        assert_mean(rest * f[:, None], np.zeros(2))


@pytest.mark.equation("denoising-best")
def test_another_denoiser_errs_more_by_its_distance_from_the_posterior_mean() -> None:
    rng, n = np.random.default_rng(6), 100_000
    x = MEAN + rng.normal(size=(n, 3)) @ ROOT.T
    y = x + SIGMA * rng.normal(size=(n, 3))
    best, other = sg.asnumpy(wiener(y, MEAN, COVARIANCE, SIGMA)), 0.9 * y + 0.1 * np.sin(y)
    parts = [np.sum(d * d, axis=1) for d in (x - other, x - best, best - other)]
    assert_mean(parts[0] - parts[1] - parts[2], 0.0)
    least = np.trace(COVARIANCE - COVARIANCE @ np.linalg.solve(COVARIANCE + SIGMA**2 * np.eye(3), COVARIANCE))
    assert_mean(parts[1], least)  # the posterior's variance


@pytest.mark.equation("psnr")
def test_psnr_is_ten_times_the_logarithm_of_the_peaks_square_over_the_mean_square() -> None:
    x, y = RNG.random((2, 3, 4)), RNG.random((2, 3, 4))
    total = sum((a - b) ** 2 for a, b in zip(x.ravel(), y.ravel(), strict=True))
    assert_close(psnr(x, y), 10 * np.log10(24 / total), rtol=1e-12)
    assert_close(psnr(255 * x, 255 * y, peak=255), psnr(x, y), rtol=1e-12)
    assert psnr(x, x) == np.inf
    assert_close(psnr(np.zeros(3), np.ones(3)), 0.0)
