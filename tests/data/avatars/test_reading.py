"""Reading is the exact inverse of drawing, and forgives noise."""

from __future__ import annotations

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.data import avatars


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_every_portrait_is_read_without_error(dtype: type) -> None:
    looks = avatars.all_looks()[:: 1 if dtype is np.float32 else 16]
    rows, distances = avatars.read(sg.asarray(avatars.draw(looks).astype(dtype)))
    np.testing.assert_array_equal(rows, looks)
    assert distances.max() < 1e-7


def test_the_distance_is_the_root_mean_square_difference() -> None:
    looks = avatars.all_looks()[::97]
    rows, distances = avatars.read(avatars.draw(looks) + np.float32(0.01))
    np.testing.assert_array_equal(rows, looks)
    np.testing.assert_allclose(distances, 0.01, rtol=1e-4)


def test_reading_finds_the_nearest_of_all_portraits() -> None:
    noise = np.random.default_rng(0).standard_normal((8, 3, 32, 32))
    images = avatars.draw(avatars.all_looks()[::505]) + 0.3 * noise
    rows, distances = avatars.read(images)
    portraits = avatars.draw(avatars.all_looks()).astype(np.float64)
    exact = np.stack([np.sqrt(np.mean((portraits - image) ** 2, axis=(1, 2, 3))) for image in images])
    np.testing.assert_array_equal(avatars.look_numbers(rows), exact.argmin(axis=1))
    np.testing.assert_allclose(distances, exact.min(axis=1), rtol=1e-6)


def test_the_tolerance_separates_noisy_portraits_from_blends_of_two() -> None:
    rng = np.random.default_rng(0)
    portraits = avatars.draw(avatars.all_looks()[rng.integers(0, 4032, 400)])
    noisy = portraits + 0.03 * rng.standard_normal(portraits.shape).astype(np.float32)
    assert (avatars.read(noisy).distances < avatars.TOLERANCE).all()
    blends = (portraits[:200] + portraits[200:]) / 2
    assert np.mean(avatars.read(blends).distances > avatars.TOLERANCE) > 0.9


@pytest.mark.parametrize(
    ("images", "message"),
    [
        (np.zeros((2, 3, 28, 28)), r"images: got shape \(2, 3, 28, 28\), expected \(n, 3, 32, 32\)"),
        (np.zeros((3, 32, 32)), r"expected \(n, 3, 32, 32\)"),
        (
            np.zeros((2, 3, 32, 32), dtype=np.uint8),
            "images: got an array of uint8, expected float32 or float64",
        ),
        (np.full((2, 3, 32, 32), np.nan), "images: got 6144 NaN or infinite numbers"),
    ],
)
def test_what_is_no_picture_is_not_read(images: np.ndarray, message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        avatars.read(images)
