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
    summary(module, sg.asarray(np.ones((1, 2), np.float32)))
    assert (module.training, module[0].training, module[1].training) == (True, True, False)
    with pytest.raises(ValueError, match="to fit the weight"):
        summary(module, sg.asarray(np.ones((1, 3), np.float32)))
    assert module[0].training


def test_a_thread_that_prints_is_seen_by_no_other() -> None:
    """Neither the observer nor the evaluation of a summary reaches a thread that trains meanwhile."""
    printing, trained = threading.Event(), threading.Event()

    class Waiting(Module):
        def forward(self, x: Any) -> Any:
            if not self.training:
                printing.set()
                trained.wait(60)
            return x

    module, x = Sequential(Waiting(), Dropout(0.5)), sg.asarray(np.ones((1, 2, 50), np.float32))
    tables: list[str] = []
    thread = threading.Thread(target=lambda: tables.append(summary(module, x)))
    thread.start()
    printing.wait(60)
    assert module.training
    assert (sg.asnumpy(module(x[:, :1])) == 0).any()
    trained.set()
    thread.join()
    assert tables[0].count("(batch, 2, 50)") == 2
