"""The full joint multinomial repeats what it has seen."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import chisquare

from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.data.tables import enumerate_rows
from scratchgen.models import JointMultinomial


def test_it_has_4031_parameters_and_gives_observed_looks_their_frequency() -> None:
    people = avatars.observations()
    model = JointMultinomial(avatars.LEVELS).fit(people)
    assert model.parameter_count == 4031
    assert model.support_size == len(np.unique(people, axis=0))
    log_prob = model.log_prob(avatars.all_looks())
    assert np.exp(log_prob).sum() == pytest.approx(1, abs=1e-12)
    looks, counts = np.unique(people, axis=0, return_counts=True)
    np.testing.assert_allclose(np.exp(model.log_prob(looks)), counts / 50, rtol=1e-12)


def test_without_smoothing_it_only_copies() -> None:
    people = avatars.observations()
    drawn = JointMultinomial(avatars.LEVELS).fit(people).sample(1000, RandomStream(0))
    assert np.isin(avatars.look_numbers(drawn), avatars.look_numbers(people)).all()


def test_smoothing_shares_evenly() -> None:
    model = JointMultinomial((2, 3), alpha=2).fit([[1, 2], [1, 2], [0, 1]])
    np.testing.assert_allclose(model.theta, np.array([[2, 3, 2], [2, 2, 4]]) / 15, rtol=1e-14)


def test_samples_have_the_probabilities() -> None:
    model = JointMultinomial((2, 3)).fit([[0, 0], [0, 2], [1, 1], [1, 1], [0, 2], [0, 2]])
    rows = model.sample(6000, RandomStream(0))
    counts = np.bincount(3 * rows[:, 0] + rows[:, 1], minlength=6)
    probabilities = np.exp(model.log_prob(enumerate_rows((2, 3))))
    assert not counts[probabilities == 0].any()
    assert chisquare(counts[[0, 2, 4]], [1000, 3000, 2000]).pvalue > 1e-3


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match="alpha"):
        JointMultinomial((2, 3), alpha=-0.1)
    with pytest.raises(ValueError, match="rows: got none, expected at least one to fit"):
        JointMultinomial((2, 3)).fit(np.empty((0, 2), dtype=int))
    with pytest.raises(RuntimeError, match="call fit"):
        JointMultinomial((2, 3)).entropy()
