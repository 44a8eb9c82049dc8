"""GaussianHeads: features to the mean and the log-variance."""

from __future__ import annotations

import numpy as np
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.networks import GaussianHeads


def test_mean_and_log_variance_are_two_affine_maps_in_this_order() -> None:
    heads = GaussianHeads(5, 2, rng=RandomStream(0))
    features = RandomStream(1).normal((4, 5))
    found = heads(features)
    assert len(found) == 2
    for y, layer in zip(found, (heads.mean, heads.log_var), strict=True):
        expected = sg.asnumpy(features) @ sg.asnumpy(layer.weight).T + sg.asnumpy(layer.bias)
        assert_close(y, expected, rtol=1e-5, atol=1e-6)
    assert not np.isin(sg.asnumpy(heads.mean.weight), sg.asnumpy(heads.log_var.weight)).any()
    assert list(heads.state_dict()) == ["mean.weight", "mean.bias", "log_var.weight", "log_var.bias"]
