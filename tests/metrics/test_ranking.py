"""Areas under the two curves: known answers, ties, and what is refused."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.metrics import alarm_precision, auroc, average_precision


def test_perfect_useless_and_inverted_scores() -> None:
    labels = np.array([0, 0, 0, 1, 1])
    assert auroc([1, 2, 3, 4, 5], labels) == average_precision([1, 2, 3, 4, 5], labels) == 1
    assert auroc([1, 1, 1, 1, 1], labels) == 0.5
    assert average_precision([1, 1, 1, 1, 1], labels) == 2 / 5
    assert auroc([5, 4, 3, 2, 1], labels) == 0
    assert average_precision([5, 4, 3, 2, 1], labels) == pytest.approx((1 / 4 + 2 / 5) / 2)


def test_order_scale_and_kind_of_numbers_do_not_matter() -> None:
    rng = np.random.default_rng(0)
    scores, labels = rng.integers(0, 9, 60), rng.random(60) < 0.3
    turned = rng.permutation(60)
    for area in (auroc, average_precision):
        expected = area(scores, labels)
        assert area(scores[turned], labels[turned]) == expected
        assert area(np.exp(scores.astype(np.float32)), labels.astype(np.int8)) == expected
        assert area(sg.asarray(scores.astype(np.float32)), sg.asarray(labels)) == expected
    assert auroc(-scores, labels) == pytest.approx(1 - auroc(scores, labels))
    assert auroc(scores, ~labels) == pytest.approx(1 - auroc(scores, labels))


def test_infinity_is_a_score() -> None:
    assert auroc([-np.inf, 0.0, np.inf], [0, 0, 1]) == 1
    assert average_precision([np.inf, 0.0, np.inf], [0, 0, 1]) == 0.5


@pytest.mark.parametrize("area", [auroc, average_precision])
@pytest.mark.parametrize(
    ("scores", "labels", "error", "message"),
    [
        ([0.1, np.nan], [0, 1], ValueError, "scores: got 1 NaN"),
        ([[0.1, 0.2]], [0, 1], ValueError, "scores: got shape"),
        (["a", "b"], [0, 1], TypeError, "scores: got an array of"),
        ([0.1, 0.2], [0, 1, 1], ValueError, "labels: got shape"),
        ([0.1, 0.2], [0, 2], ValueError, "labels: got numbers from 0 to 2"),
        ([0.1, 0.2], [0.0, 1.0], TypeError, "labels: got an array of float64"),
        ([0.1, 0.2], [1, 1], ValueError, "labels: got 2 positives of 2, expected both kinds"),
        ([], np.zeros(0, bool), ValueError, "labels: got 0 positives of 0"),
    ],
)
def test_bad_input(area: Any, scores: Any, labels: Any, error: type[Exception], message: str) -> None:
    with pytest.raises(error, match=message):
        area(scores, labels)


def test_shares_are_shares_and_some_alarm_is_raised() -> None:
    for name in ("share", "found", "false_alarms"):
        with pytest.raises(ValueError, match=f"{name}: got 1.5"):
            alarm_precision(**{"share": 0.5, "found": 0.5, "false_alarms": 0.5} | {name: 1.5})
    with pytest.raises(ValueError, match="never an alarm"):
        alarm_precision(share=1.0, found=0.0, false_alarms=0.5)
