"""Work that is shared out between threads gives what one NumPy operation gives, to the last bit."""

from __future__ import annotations

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.autograd.channels import sum_pixels
from scratchgen.autograd.pooling import spread_windows, sum_windows

LARGE = (8, 16, 64, 48)  # enough for several pieces of work


def images(seed: int, dtype: str = "float32", channels: int = LARGE[1]) -> np.ndarray:
    """Large images (batch, channels, height, width) with channels-last memory."""
    shape = LARGE[0], *LARGE[2:], channels
    return np.random.default_rng(seed).standard_normal(shape).astype(dtype).transpose(0, 3, 1, 2)


def test_gradients_of_large_images_add_up() -> None:
    x = sg.tensor(sg.asarray(images(0)), requires_grad=True)
    other = sg.asarray(images(1))
    y = (x + other) * x + x
    y.backward(sg.asarray(images(2)))
    expected = images(2) * images(0) + images(2) * (images(0) + images(1)) + images(2)
    assert np.allclose(sg.asnumpy(x.grad), expected, rtol=1e-5, atol=1e-5)


def test_pooling_of_large_images() -> None:
    window = {"kernel": (2, 2), "stride": (2, 2), "padding": (0, 0)}
    x = images(0)
    sums = x.reshape(*x.shape[:2], 32, 2, 24, 2).sum(axis=(3, 5))
    assert np.allclose(sg.asnumpy(sum_windows(sg.asarray(x), **window)), sums, rtol=1e-5, atol=1e-5)
    spread = spread_windows(sg.asarray(x), size=(128, 96), **window)
    assert np.array_equal(sg.asnumpy(spread), x.repeat(2, axis=2).repeat(2, axis=3))


@pytest.mark.parametrize("by_image", [True, False])
def test_sums_over_the_pixels_of_large_images(by_image: bool) -> None:
    sums = sum_pixels(sg.asarray(images(0)), by_image=by_image)
    expected = images(0).astype("float64").sum(axis=(2, 3) if by_image else (0, 2, 3))
    assert np.allclose(sg.asnumpy(sums), expected, rtol=1e-4, atol=1e-3)


@pytest.mark.parametrize("slope", [0.0, 0.2, 1.0, 1.5, -0.5])
def test_leaky_relu_is_the_line_of_each_side(slope: float) -> None:
    x = np.array([-np.inf, -2.0, -0.0, 0.0, 3.0, np.inf, np.nan], np.float32)
    x = x[1:-2] if slope <= 0 else x  # 0 times infinity is no number
    ours = sg.asnumpy(sg.nn.functional.leaky_relu(sg.asarray(x), slope))
    assert np.array_equal(ours, np.where(x > 0, x, np.float32(slope) * x), equal_nan=True)
