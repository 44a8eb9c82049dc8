"""ExponentialMovingAverage of the weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.nn import Linear, Parameter
from scratchgen.optim import SGD, ExponentialMovingAverage


def test_the_average_is_that_of_the_definition() -> None:
    x = Parameter(sg.asarray([0.0], np.float64))
    average = ExponentialMovingAverage([x], decay=0.3)
    expected = 0.0
    for t in range(1, 8):
        x.data[...] = t**2
        average.update()
        decay = min(0.3, (1 + t) / (10 + t))
        expected = decay * expected + (1 - decay) * t**2
        assert_close(average.averages[0], [expected], rtol=1e-12)
    assert decay == 0.3  # so both kinds of step were made


def test_within_applied_the_model_computes_with_the_average_and_afterwards_with_its_own_weights() -> None:
    layer = Linear(2, 1)
    optimiser = SGD(layer.parameters(), lr=1.0)
    average = ExponentialMovingAverage(layer.parameters(), decay=0.9)
    for p in layer.parameters():
        p.grad = sg.asarray(np.ones(p.shape, np.float32))
    optimiser.step()
    average.update()
    own, averages = layer.state_dict(), [sg.asnumpy(a).copy() for a in average.averages]
    with average.applied():
        assert_close(layer.weight, averages[0])
        assert_close(layer.bias, averages[1])
    assert_close(layer.state_dict()["weight"], own["weight"])
    assert_close(average.averages[0], averages[0])
    with pytest.raises(KeyError), average.applied():
        raise KeyError
    assert_close(layer.state_dict()["weight"], own["weight"])
    optimiser.step()  # still the same weights that the optimiser moves
    assert_close(layer.state_dict()["weight"], own["weight"] - 1, rtol=1e-6)


def test_resuming_is_exact() -> None:
    def make() -> tuple[Any, ExponentialMovingAverage]:
        layer = Linear(2, 2)
        return layer, ExponentialMovingAverage(layer.parameters(), decay=0.5)

    (layer, average), (_, other) = make(), make()
    average.update()
    state = average.state_dict()
    assert type(state["0"]) is np.ndarray
    other.parameters = average.parameters
    other.load_state_dict(state)
    state["0"][...] = 9
    for one in (average, other):
        layer.weight.data[...] = 3
        one.update()
    assert other.steps == average.steps == 2
    for one, another in zip(average.averages, other.averages, strict=True):
        assert (sg.asnumpy(one) == sg.asnumpy(another)).all()


def test_a_state_that_does_not_fit_changes_nothing() -> None:
    layer = Linear(2, 2)
    average = ExponentialMovingAverage(layer.parameters())
    before = sg.asnumpy(average.averages[0]).copy()
    good = average.state_dict()
    for change in (
        {"0": np.ones((3, 2))},
        {"2": np.ones(2)},
        {"steps": -1},
        {"steps": 0.5},
        {"1": ["a", "b"]},
    ):
        with pytest.raises(ValueError, match="state does not fit this average"):
            average.load_state_dict({**good, "0": np.zeros((2, 2)), **change})
    with pytest.raises(ValueError, match="state does not fit this average"):
        average.load_state_dict({"0": np.zeros((2, 2)), "1": np.zeros(2)})
    with pytest.raises(TypeError, match="state: got int"):
        average.load_state_dict(3)  # type: ignore[arg-type]
    assert_close(average.averages[0], before)


def test_errors() -> None:
    for decay in (1.0, -0.1, float("nan")):
        with pytest.raises(ValueError, match=r"decay: got .*, expected a number in \[0, 1\)"):
            ExponentialMovingAverage(Linear(2, 2).parameters(), decay)
    with pytest.raises(ValueError, match="params: got no parameters"):
        ExponentialMovingAverage([])
