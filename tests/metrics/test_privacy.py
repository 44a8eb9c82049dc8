"""What the functions of privacy do with too little, and with nonsense."""

from __future__ import annotations

import numpy as np
import pytest

from scratchgen.metrics import membership_advantage, membership_bound, noise_needed, privacy_spent

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


def test_bounds_of_nothing_and_of_everything() -> None:
    assert membership_bound(0.0, 0.0) == 0
    assert membership_bound(np.inf, 1e-5) == 1
    assert membership_bound(0.0, 0.3) == pytest.approx(0.3)
    assert membership_bound(1000.0, 0.0) == 1
    for epsilon, delta in ((-1.0, 0.1), (np.nan, 0.1), (1.0, 1.1)):
        with pytest.raises(ValueError, match=r"(epsilon|delta): got"):
            membership_bound(epsilon, delta)


@pytest.mark.parametrize(("epsilon", "q", "steps"), [(0.5, 1.0, 1), (2.0, 0.02, 800), (50.0, 0.5, 10)])
def test_the_noise_needed_is_enough_and_hardly_more(epsilon: float, q: float, steps: int) -> None:
    noise = noise_needed(epsilon, q, steps, 1e-5)
    assert privacy_spent(noise, q, steps, 1e-5) <= epsilon < privacy_spent(0.998 * noise, q, steps, 1e-5)


def test_an_epsilon_that_no_noise_reaches_is_refused() -> None:
    with pytest.raises(ValueError, match=r"epsilon: got 0.001, expected more: .* no less than 0.00"):
        noise_needed(0.001, 0.1, 10, 1e-5)
    with pytest.raises(ValueError, match="epsilon: got 0"):
        noise_needed(0.0, 0.1, 10, 1e-5)
    assert noise_needed(0.001, 0.1, 0, 1e-5) < 0.05  # nothing is done


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
