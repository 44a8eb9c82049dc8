"""Driving: scenarios are what they should be, and the car's answers are sane."""

from __future__ import annotations

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import driving
from scratchgen.data.driving import CAREFUL, HURRIED, Controller

STEADY = np.array([[20.0] * 8 + [5.0, -1.0]])


def test_scenarios_are_float32_and_the_same_for_the_same_stream() -> None:
    x = sg.asnumpy(driving.sample(50, RandomStream(0)))
    assert x.shape == (50, len(driving.FEATURES)) == (50, 10)
    assert x.dtype == np.float32
    assert (x == sg.asnumpy(driving.sample(50, RandomStream(0)))).all()
    assert sg.asnumpy(driving.sample(0, RandomStream(0))).shape == (0, 10)


def test_kinds_occur_as_often_as_they_should() -> None:
    x = sg.asnumpy(driving.sample(20_000, RandomStream(3)))
    stops = np.mean(x[:, 4] < 7)  # only who brakes hard is so slow after eight seconds, or nearly
    assert 0.08 < stops < 0.14


def test_nothing_happens_behind_a_steady_car() -> None:
    found = driving.drive(STEADY, CAREFUL)
    assert not found.collided[0]
    np.testing.assert_allclose(found.speed[0], 20, atol=1e-9)
    assert np.isinf(found.person).all()


def test_somebody_close_is_hit_and_somebody_late_is_not() -> None:
    scenarios = np.repeat(STEADY, 3, axis=0)
    scenarios[:, 9] = [0.5, -0.5, 0.5]  # into the lane, not into it, and after the end
    scenarios[2, 8] = 20.0
    assert driving.collides(scenarios, CAREFUL).tolist() == [True, False, False]
    slow = np.array([[6.0] * 8 + [5.0, 0.5]])
    found = driving.drive(slow, CAREFUL)
    assert not found.collided[0]  # it stops for him
    assert found.speed[0, 85] < 1
    assert found.speed[0].min() >= 0


def test_speeds_below_zero_are_zero() -> None:
    back = np.array([[10.0, 5.0, 0.0, -5.0, -9.0, -9.0, -9.0, -9.0, 5.0, -1.0]])
    stopped = np.maximum(back, [[0.0] * 9 + [-1.0]])
    np.testing.assert_array_equal(driving.drive(back, CAREFUL).lead, driving.drive(stopped, CAREFUL).lead)


def test_collisions_are_rare_and_the_hurried_has_more() -> None:
    x = driving.sample(20_000, RandomStream(4))
    careful, hurried = (driving.collides(x, c).mean() for c in (CAREFUL, HURRIED))
    assert 0.0005 < careful < hurried < 0.01


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="n: got -1"):
        driving.sample(-1, RandomStream(0))
    for wrong in (np.zeros((3, 9)), np.full((1, 10), np.nan)):
        with pytest.raises(ValueError, match="x: got"):
            driving.log_prob(wrong)
        with pytest.raises(ValueError, match="x: got"):
            driving.collides(wrong, CAREFUL)
    with pytest.raises(TypeError, match="controller: got float"):
        driving.collides(STEADY, 1.6)  # type: ignore[arg-type]
    for name in ("headway", "braking", "least_gap"):
        with pytest.raises(ValueError, match=f"{name}: got 0"):
            Controller(**{name: 0.0})
    with pytest.raises(ValueError, match="reaction: got -1"):
        Controller(reaction=-1.0)
