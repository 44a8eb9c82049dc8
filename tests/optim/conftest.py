"""What the tests of optimisers share: parameters with random gradients, and a plain NumPy twin to follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.nn import Parameter
from scratchgen.optim import Optimizer

SHAPES = ((3, 4), (5,), (), (2, 1, 3))
Twin = Callable[[np.ndarray, np.ndarray, int, dict[str, np.ndarray]], np.ndarray]


def values(seed: int, shapes: Sequence[tuple[int, ...]] = SHAPES) -> list[np.ndarray]:
    """One random array of each shape."""
    rng = np.random.default_rng(seed)
    return [rng.normal(size=shape) for shape in shapes]


@pytest.fixture
def make_parameters() -> Callable[..., list[Parameter]]:
    """``make_parameters(dtype)``: parameters of several shapes, the same ones each time."""
    return lambda dtype=np.float64: [Parameter(sg.asarray(x, dtype)) for x in values(0)]


@pytest.fixture
def give_gradients() -> Callable[[Sequence[Parameter], int], None]:
    """``give_gradients(parameters, step)``: random gradients, each step's its own."""

    def give(parameters: Sequence[Parameter], step: int) -> None:
        gradients = values(100 + step, [p.shape for p in parameters])
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = sg.asarray(gradient, parameter.dtype)

    return give


@pytest.fixture
def follow(make_parameters: Any, give_gradients: Any, monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """``follow(make, twin)``: six steps of the optimiser ``make(parameters)`` beside those of its twin.

    The twin is ``twin(x, g, t, memory) -> x``: one parameter's step number t = 1, 2, ..., from the equations
    in the optimiser's docstring. The flat buffer is worked through whole, and in pieces of four numbers.
    """

    def run(make: Callable[[list[Parameter]], Optimizer], twin: Twin) -> None:
        for piece, dtype, rtol in (
            (1 << 15, np.float64, 1e-12),
            (4, np.float64, 1e-12),
            (4, np.float32, 2e-5),
        ):
            monkeypatch.setattr("scratchgen.optim.flat.PIECE", piece)
            parameters = make_parameters(dtype)
            optimiser = make(parameters)
            expected = values(0)
            memories: list[dict[str, np.ndarray]] = [{} for _ in expected]
            for t in range(1, 7):
                give_gradients(parameters, t)
                before = [sg.asnumpy(p.grad).copy() for p in parameters]
                optimiser.step()
                for i, gradient in enumerate(values(100 + t)):
                    expected[i] = twin(expected[i], gradient, t, memories[i])
                    assert_close(parameters[i], expected[i], rtol=rtol, atol=rtol)
                    assert_close(parameters[i].grad, before[i])  # a gradient is read, not used up
                    assert parameters[i].dtype == dtype

    return run
