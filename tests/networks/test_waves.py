"""WaveNetwork at its doors: shapes, streams, what makes no sense."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.networks import WaveNetwork


def test_a_noise_is_a_function_of_each_point_by_itself() -> None:
    network = WaveNetwork(3, 2, 4, 5.0, [8], rng=RandomStream(0))
    z, points = RandomStream(1).normal((4, 3)), RandomStream(2).normal((4, 6, 1))
    all_ = sg.asnumpy(network(z, points))
    assert all_.shape == (4, 6, 2)
    np.testing.assert_allclose(sg.asnumpy(network(z, points[:, 2:4])), all_[:, 2:4], rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(sg.asnumpy(network(z[1:2], points[1:2])), all_[1:2], rtol=1e-5, atol=1e-6)


def test_first_weights_come_from_the_stream() -> None:
    one, same, other = (
        WaveNetwork(2, 1, 3, 2.0, [4], rng=RandomStream(seed)).state_dict() for seed in (0, 0, 1)
    )
    assert all((one[name] == same[name]).all() for name in one)
    assert not np.isin(one["straight.weight"], other["straight.weight"]).any()


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"waves": 0}, "waves: got 0"),
        ({"fields": 1.5}, "fields: got 1.5"),
        ({"period": -1.0}, "period: got -1.0"),
        ({"latent_dim": 0}, "latent_dim: got 0"),
    ],
)
def test_what_makes_no_sense_is_named(settings: dict[str, Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        WaveNetwork(**{"latent_dim": 2, "fields": 1, "waves": 3, "period": 2.0, "hidden": [4], **settings})


def test_points_of_another_shape_are_named() -> None:
    network = WaveNetwork(2, 1, 3, 2.0, [4])
    z = np.zeros((4, 2), np.float32)
    for points in (np.zeros((4, 5)), np.zeros((3, 5, 1)), np.zeros((4, 5, 2))):
        with pytest.raises(ValueError, match=r"points: got .*, expected .*4, points, 1"):
            network(z, sg.asarray(points.astype(np.float32)))
