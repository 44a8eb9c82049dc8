"""The fifty people have exactly the published counts."""

from __future__ import annotations

import numpy as np

from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.data.tables import count_levels


def test_the_observations_have_the_published_counts() -> None:
    rows = avatars.observations()
    assert rows.shape == (50, 5)
    for counted, published in zip(count_levels(rows, avatars.LEVELS), avatars.COUNTS.values(), strict=True):
        assert counted.tolist() == list(published.values())


def test_the_observations_are_typical_of_the_world() -> None:
    # The mean log-probability of fifty draws from P_data scatters about minus its entropy; fifty independent
    # choices of levels, which have the same counts, are less probable.
    log_prob = avatars.log_prob(avatars.observations())
    assert abs(log_prob.mean() + avatars.entropy()) < 3 * log_prob.std() / np.sqrt(50)
    shuffled = np.stack([RandomStream(k).permutation(50) for k in range(5)], axis=1)
    independent = np.take_along_axis(avatars.observations(), shuffled, axis=0)
    assert avatars.log_prob(independent).mean() < log_prob.mean() - 0.5
