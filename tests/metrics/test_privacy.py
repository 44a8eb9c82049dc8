"""What the functions of privacy do with too little, and with nonsense."""

from __future__ import annotations

import numpy as np
import pytest

from scratchgen.metrics import membership_advantage, privacy_spent

pytestmark = pytest.mark.host_only


def test_nothing_spent_and_everything() -> None:
    assert privacy_spent(1.0, 0.01, 0, 1e-5) == 0
    assert privacy_spent(1.0, 0.0, 100, 1e-5) == 0
    assert privacy_spent(0.0, 0.01, 1, 1e-5) == np.inf


def test_more_of_each_costs_more() -> None:
    middle = privacy_spent(1.0, 0.01, 100, 1e-5)
    assert privacy_spent(0.9, 0.01, 100, 1e-5) > middle
    assert privacy_spent(1.0, 0.011, 100, 1e-5) > middle
    assert privacy_spent(1.0, 0.01, 110, 1e-5) > middle
    assert privacy_spent(1.0, 0.01, 100, 1e-6) > middle


def test_certainty_and_ignorance() -> None:
    assert membership_advantage(np.arange(3.0) + 5, np.arange(4.0)) == 1
    assert membership_advantage(np.arange(3.0), np.arange(3.0)) == 0
    assert membership_advantage(np.ones(3), np.ones(2)) == 0


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"noise_multiplier": -1.0}, "noise_multiplier: got -1.0"),
        ({"sampling_rate": 1.5}, "sampling_rate: got 1.5"),
        ({"steps": 1.5}, "steps: got 1.5"),
        ({"delta": 0.0}, "delta: got 0.0"),
        ({"delta": 1.0}, "delta: got 1.0"),
    ],
)
def test_bad_arguments(change: dict[str, float], message: str) -> None:
    given = {"noise_multiplier": 1.0, "sampling_rate": 0.01, "steps": 10, "delta": 1e-5}
    with pytest.raises((TypeError, ValueError), match=message):
        privacy_spent(**{**given, **change})


def test_bad_scores() -> None:
    with pytest.raises(ValueError, match="other_scores: got none"):
        membership_advantage(np.ones(2), np.ones(0))
    with pytest.raises(ValueError, match="member_scores: got 1 NaN"):
        membership_advantage(np.array([np.nan, 1.0]), np.ones(2))
    with pytest.raises((TypeError, ValueError), match="member_scores: got"):
        membership_advantage(np.ones((2, 2)), np.ones(2))
