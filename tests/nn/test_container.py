"""Sequential and ModuleList."""

from __future__ import annotations

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.nn import Linear, Module, ModuleList, Sequential, Tanh


def test_each_module_takes_the_output_of_the_one_before() -> None:
    a, b = Linear(2, 3), Linear(3, 1)
    x = sg.asarray(np.ones((4, 2), np.float32))
    assert_close(Sequential(a, Tanh(), b)(x), sg.asnumpy(b(sg.tanh(a(x)))))
    assert Sequential()(x) is x


def test_it_is_a_sequence() -> None:
    layers = [Linear(2, 3), Tanh(), Linear(3, 1)]
    network = Sequential(*layers)
    assert len(network) == 3
    assert list(network) == layers
    assert network[-1] is layers[2]
    assert list(network.state_dict()) == ["0.weight", "0.bias", "2.weight", "2.bias"]


def test_what_is_no_module_is_refused() -> None:
    with pytest.raises(TypeError, match=r"modules\[1\]: got ufunc, expected Module"):
        Sequential(Tanh(), np.tanh)


def test_a_slice_is_a_sequential_of_the_same_modules() -> None:
    layers = [Linear(2, 3), Tanh(), Linear(3, 1)]
    part = Sequential(*layers)[1:]
    assert isinstance(part, Sequential)
    assert list(part) == layers[1:]
    assert list(part.state_dict()) == ["1.weight", "1.bias"]


def test_a_list_of_modules_is_owned_and_called_by_who_owns_it() -> None:
    class Stack(Module):
        def __init__(self) -> None:
            self.layers = ModuleList(Linear(2, 2) for _ in range(2)).append(Linear(2, 1))

        def forward(self, x: object) -> object:
            for layer in self.layers:
                x = layer(x)
            return x

    stack = Stack()
    assert [name for name, _ in stack.named_parameters()] == [
        f"layers.{i}.{kind}" for i in range(3) for kind in ("weight", "bias")
    ]
    x = sg.asarray(np.ones((4, 2), np.float32))
    assert_close(stack(x), sg.asnumpy(Sequential(*stack.layers)(x)))
    assert isinstance(stack.layers[:2], ModuleList)
    assert list(stack.layers[:2]) == [stack.layers[0], stack.layers[1]]
    with pytest.raises(TypeError, match=r"modules\[3\]: got ufunc, expected Module"):
        stack.layers.append(np.tanh)  # type: ignore[arg-type]
    with pytest.raises(NotImplementedError, match="ModuleList has no forward"):
        stack.layers(x)
