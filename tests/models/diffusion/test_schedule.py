"""Schedules: what they hold, what they refuse, and their entries at the times of a batch."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.models.diffusion import Schedule, cosine_schedule, linear_schedule


@pytest.mark.parametrize("make", [linear_schedule, cosine_schedule])
@pytest.mark.parametrize("T", [1, 2, 10, 20, 21, 100, 1000, 4000])
def test_every_schedule_is_one(make: Any, T: int) -> None:
    schedule = make(T)
    for values in (schedule.beta, schedule.alpha, schedule.alpha_bar):
        assert values.shape == (T,)
        assert values.dtype == np.float64
        assert ((values > 0) & (values < 1)).all()
    assert_close(schedule.alpha, 1 - schedule.beta, rtol=1e-15)
    assert_close(schedule.alpha_bar, np.cumprod(1 - schedule.beta), rtol=1e-15)
    assert schedule.steps == T
    assert schedule.alpha_bar_at(0) == 1.0
    assert schedule.alpha_bar_at(T) == schedule.alpha_bar[-1]
    assert T < 10 or schedule.alpha_bar[-1] < 1e-3  # nearly nothing is left, however few the steps


def test_betas_that_few_steps_would_carry_beyond_1_are_clipped() -> None:
    beta = linear_schedule(10).beta
    assert_close(beta[:5], 100 * np.linspace(1e-4, 0.02, 10)[:5], rtol=1e-12)
    assert_close(beta[5:], np.full(5, 0.999), rtol=0)
    assert linear_schedule(21).beta[-1] < 0.999


def test_entries_at_the_times_of_a_batch_have_its_dtype_and_its_axes() -> None:
    schedule, t = linear_schedule(10), sg.asarray(np.array([1, 10, 3]))
    for dtype in (np.float32, np.float64, np.float32):
        for shape in ((3, 4), (3, 1, 8, 8)):
            found = schedule.at("signal", t, sg.asarray(np.zeros(shape, dtype)))
            assert found.dtype == dtype
            assert found.shape == (3, *(1,) * (len(shape) - 1))
            assert_close(found.reshape(3), np.sqrt(schedule.alpha_bar)[[0, 9, 2]], rtol=1e-6)


def test_one_minus_alpha_bar_keeps_its_digits_in_float32() -> None:
    # 1 - alpha_bar_1 = 1e-4: from a float32 alpha_bar it would be off by 6e-4 of itself.
    found = linear_schedule(1000).at(
        "noise", sg.asarray(np.array([1])), sg.asarray(np.zeros((1, 1), np.float32))
    )
    assert_close(found, [[1e-2]], rtol=1e-7)


@pytest.mark.parametrize(
    ("beta", "error", "message"),
    [
        ([0.1, 1.0], ValueError, r"beta: got 1.0 at t = 2, expected a number in \(0, 1\)"),
        ([0.0, 0.1], ValueError, r"beta: got 0.0 at t = 1"),
        ([0.1, 0.2, -0.1], ValueError, r"beta: got -0.1\d* at t = 3"),
        ([0.1, np.nan], ValueError, r"beta: got nan at t = 2"),
        ([], ValueError, r"beta: got shape \(0,\), expected \(T,\)"),
        (0.1, ValueError, r"beta: got shape \(\), expected \(T,\)"),
        ([[0.1]], ValueError, r"beta: got shape \(1, 1\), expected \(T,\)"),
        (["a"], TypeError, r"beta: got an array of <U1, expected numbers"),
    ],
    ids=str,
)
def test_bad_betas(beta: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        Schedule(beta)


def test_a_schedule_without_its_finest_steps_is_the_same_beyond_them() -> None:
    schedule = cosine_schedule(1000)
    coarse = schedule.starting_at(1 / 16)
    assert 960 < coarse.steps < 975
    assert_close(coarse.alpha_bar, schedule.alpha_bar[-coarse.steps :], rtol=1e-9)
    assert coarse.noise[0] >= 1 / 16 > schedule.noise[-coarse.steps - 1]
    assert_close(schedule.starting_at(0.0).beta, schedule.beta, rtol=0)
    assert Schedule([0.1, 0.1]).starting_at(0.9).steps == 1


def test_bad_settings() -> None:
    for noise in (-0.1, 1.0, np.nan):
        with pytest.raises(ValueError, match=r"noise: got .*, expected a number in \[0, 1\)"):
            linear_schedule(10).starting_at(noise)
    for make in (linear_schedule, cosine_schedule):
        for T in (0, -5, 2.5, "10", None, True):
            with pytest.raises(ValueError, match=r"T: got .*, expected a positive whole number"):
                make(T)
    for first in (0.0, 0.2, np.nan):
        with pytest.raises(ValueError, match=r"first: got .*, expected a number in \(0, 0.1\]"):
            linear_schedule(10, first, 0.1)
    with pytest.raises(ValueError, match=r"last: got 1.0, expected a number in \(0, 1\)"):
        linear_schedule(10, 0.1, 1.0)
    with pytest.raises(ValueError, match=r"offset: got 1.5, expected a number in \[0, 1\)"):
        cosine_schedule(10, 1.5)
    assert repr(Schedule([0.5, 0.5])) == "Schedule(T=2, alpha_bar_T=0.25)"
