"""Binarising keeps the mean; dequantising keeps the level."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import binarise, dequantise


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_binarised_pixels_have_the_grey_value_as_mean(dtype: type) -> None:
    grey = np.array([0, 0.1, 0.5, 0.8, 1], dtype)
    count = 20_000
    drawn = sg.asnumpy(binarise(sg.asarray(np.tile(grey, (count, 1))), RandomStream(0)))
    assert drawn.dtype == dtype
    assert set(np.unique(drawn)) == {0, 1}
    error = np.abs(drawn.mean(axis=0, dtype=np.float64) - grey)
    assert (error <= 5 * np.sqrt(grey * (1 - grey) / count) + 1e-12).all()  # five standard errors


def test_every_draw_is_new_and_every_stream_repeatable() -> None:
    grey = sg.asarray(np.full((4, 1, 8, 8), 0.5, np.float32))
    rng = RandomStream(3, "pixels")
    first, second = sg.asnumpy(binarise(grey, rng)), sg.asnumpy(binarise(grey, rng))
    assert (first != second).any()
    np.testing.assert_array_equal(sg.asnumpy(binarise(grey, RandomStream(3, "pixels"))), first)


@pytest.mark.parametrize("levels", [2, 17, 256])
def test_dequantised_pixels_are_uniform_on_the_bin_of_their_level(levels: int) -> None:
    level = np.random.default_rng(0).integers(0, levels, 20_000)
    y = sg.asnumpy(dequantise(sg.asarray(level / (levels - 1)), levels, RandomStream(0)))
    assert y.dtype == np.float64
    np.testing.assert_array_equal(np.floor(y * levels), level)
    within = y * levels - level
    assert within.mean() == pytest.approx(1 / 2, abs=5 * np.sqrt(1 / 12 / 20_000))
    assert within.var() == pytest.approx(1 / 12, rel=0.05)


def test_dequantised_float32_stays_float32_and_in_range() -> None:
    y = sg.asnumpy(dequantise(sg.asarray(np.ones((100, 1, 28, 28), np.float32)), 256, RandomStream(0)))
    assert y.dtype == np.float32
    assert y.shape == (100, 1, 28, 28)
    assert y.min() >= 255 / 256
    assert y.max() <= 1


@pytest.mark.parametrize("wrong", [[1.5], [-0.1], [np.nan, 0.5]])
def test_values_outside_the_unit_interval_are_refused(wrong: list[float]) -> None:
    with pytest.raises(ValueError, match=r"x: got (numbers from .*expected 0 to 1|1 NaN)"):
        binarise(np.array(wrong), RandomStream(0))
    with pytest.raises(ValueError, match=r"x: got (numbers from .*expected 0 to 1|1 NaN)"):
        dequantise(np.array(wrong), 256, RandomStream(0))


def test_bytes_are_refused() -> None:
    with pytest.raises(TypeError, match="x: got an array of uint8, expected float32 or float64"):
        binarise(np.zeros(3, np.uint8), RandomStream(0))


@pytest.mark.parametrize("levels", [1, 0, np.nan, np.inf, 2.5, "3", None, True])
def test_what_is_no_number_of_levels_is_refused(levels: Any) -> None:
    with pytest.raises(ValueError, match=r"levels: got .*, expected a whole number, 2 or more"):
        dequantise(sg.asarray(np.zeros(3)), levels, RandomStream(0))


def test_a_list_and_a_seed_are_refused() -> None:
    x = np.zeros(3)
    with pytest.raises(TypeError, match="rng: got int, expected a RandomStream"):
        binarise(x, 0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="rng: got int, expected a RandomStream"):
        dequantise(x, 2, 0)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="x: got list, expected an array or Tensor"):
        binarise([0.0], RandomStream(0))  # type: ignore[arg-type]
