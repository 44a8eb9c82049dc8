"""Schedules of the learning rate."""

from __future__ import annotations

import numpy as np
import pytest
from tools import assert_close

from scratchgen.optim import schedules


def test_cosine_goes_from_the_rate_to_the_final_one_and_stays() -> None:
    rate = schedules.cosine(2.0, 10, final=0.5)
    assert_close([rate(step) for step in (0, 5, 10, 50)], [2.0, 1.25, 0.5, 0.5])
    assert_close(rate(3), 0.5 + 1.5 * (1 + np.cos(np.pi * 0.3)) / 2)


def test_warmup_rises_linearly_then_is_the_schedule() -> None:
    rate = schedules.warmup(schedules.cosine(1.0, 10), 4)
    plain = schedules.cosine(1.0, 10)
    steps = np.arange(12)
    expected = [plain(step) * min(1.0, (step + 1) / 4) for step in steps]
    assert_close([rate(step) for step in steps], expected)
    assert rate(0) > 0  # the first step is not lost
    assert schedules.warmup(plain, 0)(3) == plain(3)


def test_stepwise_drops_after_so_many_steps() -> None:
    rate = schedules.stepwise(1.0, 0.1, every=3)
    assert_close([rate(step) for step in range(7)], [1, 1, 1, 0.1, 0.1, 0.1, 0.01], rtol=1e-12)


def test_constant() -> None:
    assert [schedules.constant(0.3)(step) for step in (0, 9)] == [0.3, 0.3]


def test_errors() -> None:
    with pytest.raises(ValueError, match="steps: got 0, expected a positive whole number"):
        schedules.cosine(1.0, 0)
    with pytest.raises(ValueError, match="steps: got -1, expected a whole number, 0 or more"):
        schedules.warmup(schedules.constant(1.0), -1)
    with pytest.raises(ValueError, match="every: got 0, expected a positive whole number"):
        schedules.stepwise(1.0, 0.1, 0)
