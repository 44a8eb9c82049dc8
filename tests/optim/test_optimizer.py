"""What all optimisers share: exact resume, the learning rate, and what they refuse."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.nn import Linear, Parameter
from scratchgen.optim import SGD, Adam, AdamW, Optimizer, RMSprop, schedules

OPTIMISERS: dict[str, Callable[[Any], Optimizer]] = {
    "sgd": lambda params: SGD(params, lr=0.1, momentum=0.9),
    "adam": lambda params: Adam(params, lr=0.1),
    "adamw": lambda params: AdamW(params, lr=0.1),
    "rmsprop": lambda params: RMSprop(params, lr=0.1, momentum=0.9),
}


@pytest.mark.parametrize("name", OPTIMISERS)
@pytest.mark.parametrize("stop", [0, 1, 3])
def test_resuming_is_exact(name: str, stop: int, make_parameters: Any, give_gradients: Any) -> None:
    straight = make_parameters(np.float32)
    optimiser = OPTIMISERS[name](straight)
    for step in range(6):
        if step == stop:
            saved = optimiser.state_dict(), [p.numpy().copy() for p in straight]
        if step == 4:
            optimiser.lr = 0.01
        give_gradients(straight, step)
        optimiser.step()

    resumed = make_parameters(np.float32)
    again = OPTIMISERS[name](resumed)
    again.lr = 7.0
    again.load_state_dict(saved[0])
    for parameter, array in zip(resumed, saved[1], strict=True):
        parameter.data[...] = sg.asarray(array)
    for step in range(stop, 6):
        if step == 4:
            again.lr = 0.01
        give_gradients(resumed, step)
        again.step()
    for one, other in zip(straight, resumed, strict=True):
        assert (one.numpy() == other.numpy()).all()
    assert again.steps == optimiser.steps == 6


def test_state_dict_is_a_copy_on_the_host(make_parameters: Any, give_gradients: Any) -> None:
    parameters = make_parameters()
    optimiser = Adam(parameters, lr=0.1)
    give_gradients(parameters, 0)
    optimiser.step()
    state = optimiser.state_dict()
    assert sorted(state) == ["lr", "m", "steps", "v"]
    assert type(state["m"]) is np.ndarray
    assert state["m"].shape == (12 + 5 + 1 + 6,)
    kept = state["m"].copy()
    optimiser.step()
    assert_close(state["m"], kept)
    optimiser.load_state_dict(state)
    state["m"][...] = 0
    assert_close(optimiser.state["m"], kept)


def test_a_state_that_does_not_fit_is_described_and_changes_nothing(make_parameters: Any) -> None:
    optimiser = Adam(make_parameters(), lr=0.1)
    state = optimiser.state_dict()
    state.update(m=np.ones(3), momentum_buffer=np.ones(24), steps=9)
    del state["v"]
    with pytest.raises(ValueError, match="state does not fit this Adam") as failure:
        optimiser.load_state_dict(state)
    assert str(failure.value).splitlines()[1:] == [
        "  missing: v",
        "  unexpected: momentum_buffer",
        "  wrong shape: m is (3,), expected (24,)",
    ]
    assert optimiser.steps == 0
    assert_close(optimiser.state["m"], np.zeros(24))


def test_the_learning_rate_follows_a_schedule(make_parameters: Any) -> None:
    (x,) = make_parameters()[:1]
    start = x.numpy().copy()
    rate = schedules.cosine(1.0, 4)
    optimiser = SGD([x], lr=1.0)
    x.grad = sg.asarray(np.ones(x.shape))
    for step in range(4):
        optimiser.lr = rate(step)
        optimiser.step()
    assert_close(x, start - sum(rate(step) for step in range(4)), rtol=1e-12)


def test_zero_grad_forgets_gradients(make_parameters: Any, give_gradients: Any) -> None:
    parameters = make_parameters()
    optimiser = SGD(parameters)
    give_gradients(parameters, 0)
    optimiser.zero_grad()
    assert all(p.grad is None for p in parameters)
    before = [p.numpy().copy() for p in parameters]
    optimiser.step()  # nothing to do, and no error
    for parameter, array in zip(parameters, before, strict=True):
        assert_close(parameter, array)


def test_what_is_no_list_of_parameters_is_refused() -> None:
    layer = Linear(2, 2)
    frozen = sg.tensor([1.0])
    wide = Parameter(sg.asarray(np.ones(2)))
    for params, error, message in (
        ([], ValueError, "got no parameters, expected at least one"),
        ([layer.weight, layer.weight], ValueError, "a parameter occurs twice"),
        ([layer.weight, wide], ValueError, r"got dtypes \['float32', 'float64'\], expected one"),
        ([layer.weight, 3.0], TypeError, r"params\[1\]: got float, expected a Parameter"),
        (layer, TypeError, r"params: got a Linear, expected model\.parameters\(\)"),
        (3, TypeError, "params: got a int"),
        ([frozen], TypeError, r"params\[0\]: got a Tensor without requires_grad"),
        ([layer.weight * 2], TypeError, r"params\[0\]: got a Tensor computed from others"),
        (layer.weight, TypeError, r"params\[0\]: got a Tensor computed from others, expected a list"),
        (layer.state_dict(), TypeError, r"params\[0\]: got str, expected a Parameter"),
    ):
        with pytest.raises(error, match=message):
            SGD(params)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"steps": 1.5}, "steps: got 1.5, expected a whole number of 0 or more"),
        ({"steps": -1}, "steps: got -1, expected a whole number of 0 or more"),
        ({"lr": float("nan")}, "lr: got nan, expected a number in [0, inf)"),
        ({"lr": "fast"}, "lr: got 'fast', expected a number in [0, inf)"),
        ({"v": np.full(24, "a")}, "not numeric: v is of <U1, expected float64"),
    ],
)
def test_a_state_of_wrong_values_changes_nothing(make_parameters: Any, change: Any, problem: str) -> None:
    optimiser = Adam(make_parameters(), lr=0.1)
    state = {**optimiser.state_dict(), "m": np.ones(24), **change}
    with pytest.raises(ValueError, match="state does not fit this Adam") as failure:
        optimiser.load_state_dict(state)
    assert str(failure.value).splitlines()[1:] == ["  " + problem]
    assert (optimiser.steps, optimiser.lr) == (0, 0.1)
    assert_close(optimiser.state["m"], np.zeros(24))


def test_a_state_that_is_no_mapping_is_refused(make_parameters: Any) -> None:
    with pytest.raises(TypeError, match="state: got list, expected Mapping, what state_dict gives"):
        Adam(make_parameters()).load_state_dict([])  # type: ignore[arg-type]
