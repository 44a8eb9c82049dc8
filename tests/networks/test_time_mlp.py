"""TimeMLP: shapes, times and labels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.networks import TimeMLP

X = np.random.default_rng(0).normal(size=(4, 3))
T = np.array([1, 1, 7, 900])
RNG = RandomStream(0)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_dtypes(dtype: Any) -> None:
    for out, expected in ((None, 3), (6, 6)):
        network = TimeMLP(3, 10, out, rng=RNG).to(dtype)
        y = network(sg.asarray(X, dtype), sg.asarray(T))
        assert y.shape == (4, expected)
        assert y.dtype == dtype
        gradients = sg.grad(y.sum(), list(network.parameters()))
        assert all(np.abs(sg.asnumpy(g)).max() > 0 for g in gradients)


def test_the_time_and_the_label_matter_and_the_batch_does_not() -> None:
    network = TimeMLP(3, 10, classes=2, rng=RNG).to(np.float64)
    x = sg.asarray(np.tile(X[:1], (4, 1)))

    def at(t: list[int], labels: list[int]) -> np.ndarray:
        return sg.asnumpy(network(x, sg.asarray(np.array(t)), sg.asarray(np.array(labels))))

    y = at([1, 1, 2, 1], [0, 0, 0, 1])
    assert np.abs(y[0] - y[1]).max() < 1e-12
    assert np.abs(y[0] - y[2]).max() > 1e-4
    assert np.abs(y[0] - y[3]).max() > 1e-4


def test_weights_are_fixed_by_the_stream_and_layers_are_as_many_as_asked_for() -> None:
    one, same, other = (TimeMLP(3, 10, classes=2, rng=RandomStream(seed)).state_dict() for seed in (0, 0, 1))
    assert all((one[name] == same[name]).all() for name in one)
    assert all((one[name] != other[name]).any() for name in one)
    assert len(list(TimeMLP(3, 10, layers=5).body.parameters())) == 2 * 6


def test_bad_input() -> None:
    network, x, t = TimeMLP(3, 10), sg.asarray(X), sg.asarray(T)
    with pytest.raises(ValueError, match=r"xt: got shape \(4, 2\), expected \(batch, 3\)"):
        network(x[:, :2], t)
    with pytest.raises(ValueError, match=r"t: got shape \(2,\), expected \(4,\), a time for each vector"):
        network(x, t[:2])
    with pytest.raises(
        ValueError, match="labels: got some, expected none: the model was made without classes"
    ):
        network(x, t, t)
    with pytest.raises(ValueError, match="labels: got none, expected one of 2 classes for each example"):
        TimeMLP(3, 10, classes=2)(x, t)
    for name in ("features", "hidden_dim", "layers", "out_features", "classes"):
        with pytest.raises(ValueError, match=f"{name}: got 0, expected a positive whole number"):
            TimeMLP(**{"features": 3, "hidden_dim": 4, name: 0})
