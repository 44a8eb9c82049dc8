"""The flat buffer: parameters are views of it, whatever happens to them, and pieces cover it once."""

from __future__ import annotations

import copy
import pickle
from typing import Any

import numpy as np
import pytest
from hypothesis import given, strategies as st
from tools import assert_close, to_device

import scratchgen as sg
from scratchgen import nn, optim
from scratchgen.nn import Linear, Parameter
from scratchgen.optim import SGD, flat
from scratchgen.optim.flat import FlatParameters


def shares_memory(parameter: Parameter, buffer: Any) -> bool:
    """Whether a change of the parameter is one of the buffer."""
    before = sg.asnumpy(buffer).copy()
    parameter.data[...] += 1
    changed = int((sg.asnumpy(buffer) != before).sum())
    parameter.data[...] -= 1
    return changed == parameter.size


def test_parameters_become_views_and_keep_their_values() -> None:
    layer = Linear(3, 2)
    before = layer.state_dict()
    held = FlatParameters(list(layer.parameters()))
    assert_close(held.buffer, np.concatenate([before["weight"].ravel(), before["bias"]]))
    for name, parameter in layer.named_parameters():
        assert_close(parameter, before[name])
        assert shares_memory(parameter, held.buffer)
    assert_close(held.zeros(), np.zeros(8))


def test_weights_loaded_after_the_optimiser_was_made_are_those_it_moves() -> None:
    layer, other = Linear(3, 2), Linear(3, 2)
    optimiser = SGD(layer.parameters(), lr=1.0)
    layer.load_state_dict(other.state_dict())
    for parameter in layer.parameters():
        parameter.grad = sg.asarray(np.ones(parameter.shape, np.float32))
    optimiser.step()
    for name, array in other.state_dict().items():
        assert_close(layer.state_dict()[name], array - 1)
    assert all(shares_memory(p, optimiser.flat.buffer) for p in layer.parameters())


def test_an_array_put_in_a_parameters_place_is_taken_in() -> None:
    layer = Linear(3, 2)
    optimiser = SGD(layer.parameters(), lr=1.0)
    layer.weight.data = sg.asarray(np.full((2, 3), 5.0, np.float32))
    layer.weight.grad = sg.asarray(np.full((2, 3), 2.0, np.float32))
    optimiser.step()
    assert_close(layer.weight, np.full((2, 3), 3.0))
    assert shares_memory(layer.weight, optimiser.flat.buffer)


def test_two_optimisers_of_one_parameter_take_turns() -> None:
    x = Parameter(sg.asarray(np.zeros(3, np.float32)))
    first, second = SGD([x], lr=1.0), SGD([x], lr=10.0)
    x.grad = sg.asarray(np.ones(3, np.float32))
    for optimiser in (first, second, first):
        optimiser.step()
    assert_close(x, np.full(3, -12.0))


def test_a_model_converted_after_the_optimiser_was_made_is_refused_and_left_alone() -> None:
    layer = Linear(3, 2)
    optimiser = SGD(layer.parameters())
    layer.to(np.float64)
    message = (
        r"params\[0\]: got 6 numbers of float64.*expected 6 of float32.*after moving or converting the model"
    )
    with pytest.raises(ValueError, match=message):
        optimiser.step()
    assert optimiser.steps == 0
    assert layer.weight.dtype == np.float64


def test_parameters_without_gradient_are_left_alone_and_so_is_their_state() -> None:
    parameters = [Parameter(sg.asarray(np.ones(n))) for n in (3, 4, 5)]
    optimiser = SGD(parameters, lr=0.1, momentum=0.9)
    for step in range(2):
        parameters[0].grad = sg.asarray(np.ones(3))
        parameters[2].grad = sg.asarray(np.ones(5))
        parameters[1].grad = sg.asarray(np.ones(4)) if step == 0 else None
        optimiser.step()
    assert_close(parameters[0], np.full(3, 1 - 0.1 - 0.19))
    assert_close(parameters[1], np.full(4, 1 - 0.1))
    assert_close(optimiser.state["momentum_buffer"], np.repeat([1.9, 1.0, 1.9], [3, 4, 5]))


sizes = st.lists(st.tuples(st.integers(1, 20), st.booleans()), min_size=1, max_size=12)


@given(sizes, st.integers(1, 9))
def test_pieces_cover_every_number_with_a_gradient_exactly_once(drawn: Any, piece: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flat, "PIECE", piece)
        parameters = [Parameter(sg.asarray(np.zeros(size))) for size, _ in drawn]
        held = FlatParameters(parameters)
    held.piece = piece  # on a device there is one piece otherwise
    number = np.arange(1.0, held.buffer.size + 1)
    for parameter, (start, stop), (_, learns) in zip(parameters, held.spans, drawn, strict=True):
        parameter.grad = sg.asarray(number[start:stop].copy()) if learns else None
    seen = np.zeros(held.buffer.size)
    for where, gradient in held.pieces():
        assert 1 <= gradient.size == where.stop - where.start <= piece
        assert gradient.ndim == 1
        seen[where] += sg.asnumpy(gradient)
    assert_close(seen, number * np.repeat([learns for _, learns in drawn], [size for size, _ in drawn]))


def test_neighbouring_small_parameters_come_in_one_piece_and_a_large_one_in_several() -> None:
    parameters = [Parameter(sg.asarray(np.zeros(n))) for n in (2, 3, 1, 14, 2)]
    held = FlatParameters(parameters)
    held.piece = 6
    for parameter in parameters:
        parameter.grad = sg.asarray(np.zeros(parameter.shape))
    found = [(where.start, where.stop) for where, _ in held.pieces()]
    assert found == [(0, 6), (6, 12), (12, 18), (18, 20), (20, 22)]


@pytest.mark.parametrize("gradient", [np.ones((3, 2), np.float32), np.ones((2, 3))])
def test_a_gradient_unlike_its_parameter_is_refused_and_nothing_is_changed(gradient: Any) -> None:
    layer = Linear(3, 2)
    optimiser = SGD(layer.parameters(), momentum=0.9)
    before = sg.asnumpy(layer.bias).copy()
    layer.bias.grad, layer.weight.grad = sg.asarray(np.ones(2, np.float32)), sg.asarray(gradient)
    message = r"params\[0\]: got a gradient of shape .* expected \(2, 3\) and float32 like the parameter"
    with pytest.raises(ValueError, match=message):
        optimiser.step()
    assert optimiser.steps == 0
    assert_close(layer.bias, before)


def pickled(pair: Any) -> Any:
    return pickle.loads(pickle.dumps(pair))  # noqa: S301


def trained(model: Any, optimiser: optim.Optimizer, steps: int = 3) -> list[np.ndarray]:
    x = to_device(np.random.default_rng(0).random((5, 3)), np.float32)
    for _ in range(steps):
        optimiser.zero_grad()
        (model(x) ** 2).sum().backward()
        optimiser.step()
    return [sg.asnumpy(p.data).copy() for p in model.parameters()]


OPTIMISERS = {
    "SGD": optim.SGD,
    "momentum": lambda p: optim.SGD(p, momentum=0.9),
    "Adam": optim.Adam,
    "AdamW": optim.AdamW,
    "RMSprop": optim.RMSprop,
}


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
@pytest.mark.parametrize("make", OPTIMISERS.values(), ids=OPTIMISERS)
def test_a_copied_pair_trains_as_the_original_does(copied: Any, make: Any) -> None:
    model = nn.Sequential(nn.Linear(3, 4), nn.Linear(4, 2))
    optimiser = make(model.parameters())
    start = trained(model, optimiser)
    other_model, other = copied((model, optimiser))
    mine = trained(model, optimiser)
    assert all((a != b).any() for a, b in zip(mine, start, strict=True))
    for one, another in zip(trained(other_model, other), mine, strict=True):
        assert_close(one, another, rtol=0)
    assert other.flat.buffer is not optimiser.flat.buffer
    for one, another in zip(model.parameters(), mine, strict=True):
        assert_close(one, another, rtol=0)  # the copy's training left the original alone


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_model_copied_alone_gets_an_optimiser_of_its_own(copied: Any) -> None:
    model = nn.Linear(3, 4)
    optimiser = optim.Adam(model.parameters())
    trained(model, optimiser)
    other = copied(model)
    alone = trained(other, optim.SGD(other.parameters(), lr=0.01))
    fresh = nn.Linear(3, 4)
    fresh.load_state_dict(model.state_dict())
    for one, another in zip(trained(fresh, optim.SGD(fresh.parameters(), lr=0.01)), alone, strict=True):
        assert_close(one, another, rtol=0)


@pytest.mark.parametrize("copied", [copy.deepcopy, pickled])
def test_a_copied_model_and_average_go_together(copied: Any) -> None:
    model = nn.Linear(3, 4)
    average = optim.ExponentialMovingAverage(model.parameters())
    other_model, other = copied((model, average))
    other_model.weight.data[...] = 5
    other.update()
    with other.applied():
        applied = sg.asnumpy(other_model.weight.data).copy()
    assert (applied != 5).all()
    assert (sg.asnumpy(other_model.weight.data) == 5).all()
