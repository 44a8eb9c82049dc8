"""Naive Bayes on pixels: exact on small pictures, the published numbers on MNIST."""

from __future__ import annotations

import os

import numpy as np
import pytest
from estimates import assert_mean
from hypothesis import given, strategies as st
from scipy.stats import chisquare
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import digits, mnist
from scratchgen.data.tables import enumerate_rows
from scratchgen.models import PixelNaiveBayes


def every_image(levels: int, shape: tuple[int, ...]) -> np.ndarray:
    rows = enumerate_rows([levels] * int(np.prod(shape)))
    return (rows / (levels - 1)).reshape(len(rows), *shape).astype(np.float32)


@pytest.mark.equation("pixel-naive-bayes")
@given(st.sampled_from([2, 3]), st.sampled_from([0, 1, 2.5]), st.integers(0, 100))
def test_probabilities_of_all_images_sum_to_one(levels: int, alpha: float, seed: int) -> None:
    rng = np.random.default_rng(seed)
    images = rng.random((7, 1, 2, 2))
    labels = np.array([0, 1, 2, 0, 1, 2, rng.integers(3)])
    model = PixelNaiveBayes(levels, alpha).fit(images, labels)
    everything = every_image(levels, (1, 2, 2))
    assert_close(np.exp(model.log_prob(everything)).sum(), 1.0, atol=1e-12)
    assert_close(np.exp(model.class_log_prob(everything)).sum(axis=0), model.class_probabilities)


@pytest.mark.equation("pixel-naive-bayes")
def test_log_prob_and_classes_are_those_by_hand() -> None:
    images = np.array([[[1.0, 0.0]], [[1.0, 1.0]], [[0.0, 1.0]]], dtype=np.float32)
    model = PixelNaiveBayes(levels=2, alpha=1).fit(sg.asarray(images), sg.asarray(np.array([0, 0, 1])))
    # White: pixel 0 with 3/4 in class 0 and 1/3 in class 1, pixel 1 with 2/4 and 2/3; classes 2/3 and 1/3.
    assert_close(model.theta[:, :, 1], [[3 / 4, 2 / 4], [1 / 3, 2 / 3]])
    joint = np.exp(model.class_log_prob(np.array([[[0.9, 0.1]]])))
    assert_close(joint, [[2 / 3 * 3 / 4 * 1 / 2, 1 / 3 * 1 / 3 * 1 / 3]])
    assert np.exp(model.log_prob(np.array([[[0.9, 0.1]]])))[0] == pytest.approx(joint.sum())
    np.testing.assert_array_equal(model.classify(sg.asarray(images)), [0, 0, 1])
    assert model.parameter_count == 5


def test_two_levels_are_parted_at_128_of_255_and_256_are_bytes() -> None:
    grey = (np.arange(256) / 255).astype(np.float32).reshape(1, 1, 16, 16)
    white = PixelNaiveBayes(levels=2, alpha=0).fit(grey).theta[0, :, 1]
    np.testing.assert_array_equal(white, np.arange(256) >= 128)
    theta = PixelNaiveBayes(levels=256, alpha=0).fit(grey).theta[0]
    np.testing.assert_array_equal(theta, np.eye(256))


def test_colour_channels_are_pixels_of_their_own() -> None:
    rng = np.random.default_rng(0)
    images = np.rint(rng.random((40, 3, 2, 2)) * 255).astype(np.float32) / np.float32(255)
    model = PixelNaiveBayes(levels=256).fit(images)
    assert model.theta.shape == (1, 12, 256)
    channels = [PixelNaiveBayes(levels=256).fit(images[:, [c]]).log_prob(images[:, [c]]) for c in range(3)]
    np.testing.assert_allclose(model.log_prob(images), np.sum(channels, axis=0), rtol=1e-12)


@pytest.mark.equation("pixel-naive-bayes")
@pytest.mark.parametrize("levels", [2, 4])
def test_samples_have_the_probabilities(levels: int) -> None:
    rng = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), (24, 4, 2))  # a class is twelve times as frequent as another
    images = rng.random((30, 1, 1, 2)) ** np.array([4, 1, 0.2])[labels, None, None, None]
    model = PixelNaiveBayes(levels, alpha=1).fit(images, labels)
    n = 20_000
    drawn = model.sample(n, RandomStream(0))
    assert drawn.shape == (n, 1, 1, 2)
    assert drawn.dtype == np.float32
    everything = every_image(levels, (1, 1, 2))
    numbers = np.rint(drawn.reshape(n, 2) * (levels - 1)).astype(int) @ [levels, 1]
    expected = n * np.exp(model.log_prob(everything))
    assert chisquare(np.bincount(numbers, minlength=levels**2), expected).pvalue > 1e-3
    assert_mean(np.eye(levels**2)[numbers], expected / n)
    one = model.sample(n, RandomStream(1), labels=2).reshape(n, 2)
    mean = model.theta[2] @ (np.arange(levels) / (levels - 1))
    assert_mean(one, mean)


def test_an_unseen_pixel_is_impossible_without_smoothing_and_raises_no_warning() -> None:
    model = PixelNaiveBayes(levels=2, alpha=0).fit(np.zeros((2, 1, 1, 2)), np.array([0, 1]))
    assert model.log_prob(np.ones((1, 1, 1, 2)))[0] == -np.inf


def test_digits_are_classified_well() -> None:
    data = digits()
    model = PixelNaiveBayes(levels=2, alpha=1).fit(data.train, data.train_labels)
    assert np.mean(model.classify(data.test) == data.test_labels) > 0.8


@pytest.mark.slow
@pytest.mark.skipif("SCRATCHGEN_DATA" not in os.environ, reason="needs MNIST in SCRATCHGEN_DATA")
def test_mnist_has_the_published_numbers() -> None:
    data = mnist()
    classes = PixelNaiveBayes(levels=2, alpha=1).fit(data.train, data.train_labels)
    assert f"{np.mean(classes.classify(data.test) == data.test_labels):.4f}" == "0.8427"
    assert f"{-classes.log_prob(data.test).mean():.2f}" == "168.92"
    assert f"{-PixelNaiveBayes(2).fit(data.train).log_prob(data.test).mean():.2f}" == "205.85"
    nats = -PixelNaiveBayes(256).fit(data.train).log_prob(data.test).mean()
    assert f"{nats:.2f}" == "918.24"
    assert f"{nats / (784 * np.log(2)):.4f}" == "1.6897"


@pytest.mark.parametrize("levels", [1, 257, 2.0, "2"])
def test_levels_run_from_two_to_256(levels: object) -> None:
    with pytest.raises(ValueError, match=r"levels: got .*, expected a whole number from 2 to 256"):
        PixelNaiveBayes(levels=levels)  # type: ignore[arg-type]


def test_bad_images_and_labels_are_named() -> None:
    images = np.full((3, 1, 2, 2), 0.5)
    with pytest.raises(ValueError, match="alpha"):
        PixelNaiveBayes(alpha=float("nan"))
    with pytest.raises(ValueError, match="images: got 0, expected 1 or more"):
        PixelNaiveBayes().fit(images[:0])
    with pytest.raises(
        ValueError, match=r"images: got numbers from 0.5 to 1.5, expected 0 to 1; divide bytes by 255"
    ):
        PixelNaiveBayes().fit(np.where(np.arange(3)[:, None, None, None] == 1, 1.5, images))
    with pytest.raises(TypeError, match="images: got an array of uint8, expected float32 or float64"):
        PixelNaiveBayes().fit(np.zeros((3, 4), dtype=np.uint8))
    with pytest.raises(ValueError, match=r"labels: got shape \(2,\), expected \(3,\), one for each example"):
        PixelNaiveBayes().fit(images, np.array([0, 1]))
    with pytest.raises(ValueError, match=r"labels: got 0 to 2 without \[1\], expected every class"):
        PixelNaiveBayes().fit(images, np.array([0, 2, 2]))
    model = PixelNaiveBayes().fit(images)
    with pytest.raises(ValueError, match=r"images: got shape \(2, 1, 3, 3\), expected \(n, 1, 2, 2\)"):
        model.log_prob(np.zeros((2, 1, 3, 3)))
    with pytest.raises(IndexError, match="labels: got numbers from 1 to 1, expected 0 to 0"):
        model.sample(2, RandomStream(0), labels=1)
    with pytest.raises(RuntimeError, match="call fit"):
        PixelNaiveBayes().sample(2, RandomStream(0))
