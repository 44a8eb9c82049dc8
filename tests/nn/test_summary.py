"""The table that a model prints."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.nn import Dropout, Linear, Module, Parameter, Sequential, summary


class Scaled(Module):
    """A module with a parameter of its own beside a layer."""

    def __init__(self) -> None:
        self.layer = Linear(2, 1500)
        self.scale = Parameter(1.0)

    def forward(self, x: Any) -> Any:
        return self.layer(x) * self.scale


def test_rows_add_up_to_the_total_also_with_parameters_outside_of_layers() -> None:
    table = summary(Scaled(), sg.asarray(np.ones((3, 2), np.float32)))
    assert table.splitlines() == [
        "layer                   output shape   parameters",
        "-------------------------------------------------",
        "scale  Parameter        -                       1",
        "layer  Linear(2, 1500)  (batch, 1500)       4,500",
        "-------------------------------------------------",
        "Scaled: 4,501 parameters",
    ]


def test_without_an_input_there_are_no_shapes() -> None:
    assert "layer  Linear(2, 1500)  -                  4,500" in str(Scaled())


def test_a_single_layer_has_one_row() -> None:
    assert str(Linear(2, 3)).splitlines()[2].split() == ["Linear(2,", "3)", "-", "9"]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_an_example_shape_is_enough_in_either_precision(dtype: Any) -> None:
    module = Scaled().to(dtype)
    module.example_shape = (2,)
    assert "(batch, 1500)" in str(module)


def test_modes_and_results_are_as_before() -> None:
    module = Sequential(Dropout(0.5), Linear(2, 2))
    module[1].eval()
    call = Module.__call__
    summary(module, sg.asarray(np.ones((1, 2), np.float32)))
    assert (module.training, module[0].training, module[1].training) == (True, True, False)
    assert Module.__call__ is call
    with pytest.raises(ValueError, match="to fit the weight"):
        summary(module, sg.asarray(np.ones((1, 3), np.float32)))
    assert module[0].training
    assert Module.__call__ is call


def test_two_threads_may_print_at_once() -> None:
    started, over = threading.Event(), threading.Event()

    class Waiting(Module):
        def forward(self, x: Any) -> Any:
            started.set()
            over.wait(0.2)
            return x

    call = Module.__call__
    x = sg.asarray(np.zeros((1, 2), np.float32))
    first = threading.Thread(target=summary, args=(Waiting(), x))
    first.start()
    started.wait()
    second = threading.Thread(target=summary, args=(Sequential(Waiting(), Waiting()), x))
    second.start()
    first.join()
    over.set()
    second.join()
    assert Module.__call__ is call
