"""Upsample and interpolate."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.backend import RandomStream
from scratchgen.nn import Upsample, functional as F

X = sg.asnumpy(RandomStream(0).normal((2, 2, 3, 4), np.float64))


@pytest.mark.parametrize("how", [{"scale_factor": 2}, {"size": (6, 8)}, {"scale_factor": (2.0, 2.0)}])
def test_nearest_by_a_whole_factor_repeats_each_pixel(how: Any) -> None:
    assert_close(F.interpolate(sg.asarray(X), **how), X.repeat(2, 2).repeat(2, 3), rtol=0)


@pytest.mark.parametrize("size", [(5, 3), (1, 9), (3, 4), (7, 7)])
def test_nearest_takes_the_pixel_at_the_floor(size: tuple[int, int]) -> None:
    rows, columns = (np.arange(n) * m // n for n, m in zip(size, (3, 4), strict=True))
    assert_close(F.interpolate(sg.asarray(X), size), X[:, :, rows][:, :, :, columns], rtol=0)


@pytest.mark.parametrize(("old", "new"), [(26, 46), (30, 22), (30, 52), (49, 100)])
def test_nearest_is_exact_where_the_ratio_of_sizes_is_not(old: int, new: int) -> None:
    x = np.arange(float(old)).reshape(1, 1, 1, old)
    expected = (np.arange(new) * old // new).astype(float).reshape(1, 1, 1, new)
    assert_close(F.interpolate(sg.asarray(x), (1, new)), expected, rtol=0)


@pytest.mark.parametrize("size", [(6, 8), (5, 3), (1, 9), (3, 4)])
def test_bilinear_interpolates_between_the_centres_of_pixels(size: tuple[int, int]) -> None:
    expected = X
    for axis, new in zip((2, 3), size, strict=True):
        old = X.shape[axis]
        centres = (np.arange(new) + 0.5) * old / new - 0.5
        expected = np.apply_along_axis(
            lambda line, c=centres: np.interp(c, np.arange(len(line)), line), axis, expected
        )
    assert_close(F.interpolate(sg.asarray(X), size, mode="bilinear"), expected, rtol=1e-12, atol=1e-13)


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
@pytest.mark.parametrize("size", [(6, 8), (2, 5)])
def test_gradients(mode: str, size: tuple[int, int]) -> None:
    check_gradients(lambda x: F.interpolate(x, size, mode=mode), X[:1, :1])


@pytest.mark.parametrize("mode", ["nearest", "bilinear"])
def test_dtype_and_empty_batches(mode: str) -> None:
    x = sg.tensor(X, requires_grad=True, dtype=np.float32)
    y = Upsample(size=(5, 8), mode=mode)(x)
    assert y.dtype == sg.grad(y.sum(), x)[0].dtype == np.float32
    assert Upsample(scale_factor=1.5, mode=mode)(sg.asarray(X[:0])).shape == (0, 2, 4, 6)


def test_interpolation_refuses() -> None:
    x = sg.asarray(X)
    for how in ({}, {"size": 3, "scale_factor": 2}):
        with pytest.raises(ValueError, match=r"size, scale_factor: got .* expected exactly one of the two"):
            F.interpolate(x, **how)
        with pytest.raises(ValueError, match="expected exactly one of the two"):
            Upsample(**how)
    for function in (lambda mode: F.interpolate(x, 3, mode=mode), lambda mode: Upsample(3, mode=mode)):
        with pytest.raises(ValueError, match="mode: got 'cubic', expected one of 'nearest', 'bilinear'"):
            function("cubic")
    with pytest.raises(ValueError, match=r"scale_factor: got 0.1, which leaves \(0, 0\)"):
        F.interpolate(x, scale_factor=0.1)
    with pytest.raises(ValueError, match="scale_factor: got -1, expected a positive number"):
        F.interpolate(x, scale_factor=-1)
    with pytest.raises(ValueError, match="size: got 0"):
        F.interpolate(x, 0)
    with pytest.raises(ValueError, match=r"x: got shape \(2, 3, 4\)"):
        F.interpolate(x[0], 3)
    with pytest.raises(ValueError, match=r"x: got shape \(2, 2, 0, 4\), .* with at least one pixel"):
        F.interpolate(x[:, :, :0], 3)


def test_repr_of_upsample() -> None:
    assert repr(Upsample(scale_factor=2)) == "Upsample(scale_factor=2, mode='nearest')"
    assert repr(Upsample((4, 5), mode="bilinear")) == "Upsample(size=(4, 5), mode='bilinear')"
