"""Rare events: what is refused, and what never happens."""

from __future__ import annotations

import numpy as np
import pytest

from scratchgen.metrics.rare import Tilted, equivalent_draws, importance_estimate, world_log_weights


def test_nothing_seen_is_zero_whatever_the_weights() -> None:
    estimate, error = importance_estimate(np.zeros(10, bool), np.full(10, np.inf))
    assert estimate == (0.0, 0.0, 0.0)
    assert error == 0


def test_bad_input() -> None:
    hits = np.array([True, False])
    for call, message in (
        (lambda: importance_estimate(hits[:1]), "draws: got 1"),
        (lambda: importance_estimate(hits, [0.0]), "log_weights: got shape"),
        (lambda: importance_estimate(hits, [0.0, np.nan]), "log_weights: got 1 NaN"),
        (lambda: importance_estimate(hits, level=1.0), "level: got"),
        (lambda: equivalent_draws(0.0, 0.1), "probability: got"),
        (lambda: equivalent_draws(0.1, 0.0), "error: got"),
        (lambda: Tilted(np.zeros((1, 2)), np.eye(3)[None]), "covariances: got shape"),
        (lambda: Tilted(np.zeros((1, 2)), np.eye(2)[None], share=0.0), "share: got"),
        (lambda: Tilted(np.zeros((1, 2)), np.eye(2)[None]).log_prob(np.zeros((4, 3))), "z: got shape"),
        (lambda: Tilted.towards(np.zeros((2, 2)), ~hits & hits, np.zeros(2)), "bad: got none among 2"),
        (lambda: world_log_weights([0.0], [0.0], [0.0, 1.0], [0.0]), "log_proposal: got shape"),
    ):
        with pytest.raises(ValueError, match=message):
            call()
