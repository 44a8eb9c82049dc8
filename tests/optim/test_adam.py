"""Adam and AdamW beside the equations of their docstrings."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.optim import Adam, AdamW


@pytest.mark.parametrize("decoupled", [False, True])
@pytest.mark.parametrize("weight_decay", [0.0, 0.3])
@pytest.mark.parametrize(("betas", "eps"), [((0.9, 0.999), 1e-8), ((0.5, 0.9), 0.1), ((0.0, 0.0), 1e-3)])
def test_steps(
    betas: Any, eps: float, weight_decay: float, decoupled: bool, follow: Callable[..., None]
) -> None:
    def twin(x: Any, g: Any, t: int, memory: dict[str, Any]) -> Any:
        if decoupled:
            x = x - 0.05 * weight_decay * x
        else:
            g = g + weight_decay * x
        m = memory["m"] = betas[0] * memory.get("m", 0) + (1 - betas[0]) * g
        v = memory["v"] = betas[1] * memory.get("v", 0) + (1 - betas[1]) * g**2
        m_hat, v_hat = m / (1 - betas[0] ** t), v / (1 - betas[1] ** t)
        return x - 0.05 * m_hat / (np.sqrt(v_hat) + eps)

    make = AdamW if decoupled else Adam
    follow(lambda params: make(params, 0.05, betas, eps, weight_decay), twin)


def test_the_first_step_is_as_long_as_the_learning_rate_whatever_the_gradient(make_parameters: Any) -> None:
    (x,) = make_parameters()[:1]
    start = x.numpy().copy()
    x.grad = sg.asarray(np.where(np.arange(12.0).reshape(3, 4) % 2, 1e-3, -1e3))
    Adam([x], lr=0.01).step()
    assert_close(x, start - 0.01 * np.sign(sg.asnumpy(x.grad)), rtol=1e-4)


def test_decay_is_a_hundredth_in_adamw_and_none_in_adam(make_parameters: Any) -> None:
    assert AdamW(make_parameters()).weight_decay == 0.01
    assert Adam(make_parameters()).weight_decay == 0.0


def test_errors(make_parameters: Any) -> None:
    params = make_parameters()
    for options, message in (
        ({"betas": (1.0, 0.9)}, r"betas\[0\]: got 1.0, expected a number in \[0, 1\)"),
        ({"betas": (0.9, -0.1)}, r"betas\[1\]: got -0.1"),
        ({"eps": -1e-8}, "eps: got -1e-08"),
        ({"weight_decay": -1}, "weight_decay: got -1"),
    ):
        for make in (Adam, AdamW):
            with pytest.raises(ValueError, match=message):
                make(params, **options)
    for betas in (0.9, (0.9,)):
        with pytest.raises(TypeError, match=r"betas: got .*, expected two numbers"):
            Adam(params, betas=betas)
