"""Exact denoisers: limits, and what they refuse."""

from __future__ import annotations

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.metrics import psnr
from scratchgen.models.denoisers import mixture_denoiser, wiener


def test_little_noise_changes_little_and_much_leaves_the_mean() -> None:
    y, mean, covariance = np.array([[2.0, -1.0]]), np.array([0.5, 0.0]), np.array([[2.0, 0.5], [0.5, 1.0]])
    assert_close(wiener(y, mean, covariance, 1e-6), y, rtol=1e-9)
    assert_close(wiener(y, mean, covariance, 1e6), mean[None], rtol=0, atol=1e-9)


def test_one_component_is_wieners_filter() -> None:
    y, mean = np.random.default_rng(0).normal(size=(4, 3)), np.array([1.0, 0.0, -1.0])
    found = mixture_denoiser(y, [1.0], mean[None], [0.5], 0.3)
    assert_close(found, wiener(y, mean, 0.25 * np.eye(3), 0.3), rtol=1e-12)


def test_far_away_nothing_overflows() -> None:
    far = mixture_denoiser([[1e6, 0.0]], [0.5, 0.5], [[-1.0, 0.0], [1.0, 0.0]], [0.0, 0.0], 0.1)
    assert_close(far, [[1.0, 0.0]], rtol=1e-12)


def test_bad_input() -> None:
    y = np.zeros((2, 2))
    for arguments, message in (
        ((y[0], np.zeros(2), np.eye(2), 1.0), "y: got shape"),
        ((y, np.zeros(3), np.eye(2), 1.0), "mean: got shape"),
        ((y, np.zeros(2), np.eye(3), 1.0), "covariance: got shape"),
        ((y, np.zeros(2), np.eye(2), 0.0), "sigma: got"),
    ):
        with pytest.raises(ValueError, match=message):
            wiener(*arguments)
    good = {"weights": [0.5, 0.5], "means": np.eye(2), "spreads": [1.0, 1.0], "sigma": 1.0}
    for wrong, message in (
        ({"weights": [0.5, 0.6]}, "weights: got"),
        ({"weights": [0.0, 1.0]}, "weights: got"),
        ({"means": np.eye(3)}, "means: got shape"),
        ({"spreads": [1.0, -1.0]}, "spreads: got"),
        ({"sigma": np.nan}, "sigma: got"),
    ):
        with pytest.raises(ValueError, match=message):
            mixture_denoiser(y, **good | wrong)


def test_psnr_of_equal_images_is_infinite_and_of_none_is_refused() -> None:
    x = sg.asarray(np.ones((1, 2, 2), np.float32))
    assert psnr(x, x) == np.inf
    for arguments, message in (((x, x[:, :1]), "others: got shape"), ((x[:0], x[:0]), "images: got shape")):
        with pytest.raises(ValueError, match=message):
            psnr(*arguments)
    with pytest.raises(ValueError, match="peak: got"):
        psnr(x, x, peak=0)
