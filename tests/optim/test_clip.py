"""Clipping of gradients by their joint norm."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.nn import Linear
from scratchgen.optim import clip_grad_norm


def joint_norm(parameters: Any) -> float:
    return float(np.sqrt(sum((sg.asnumpy(p.grad) ** 2).sum() for p in parameters)))


def test_gradients_above_the_norm_are_scaled_alike(make_parameters: Any, give_gradients: Any) -> None:
    parameters = make_parameters()
    give_gradients(parameters, 0)
    before, norm = [sg.asnumpy(p.grad).copy() for p in parameters], joint_norm(parameters)
    assert_close(clip_grad_norm(parameters, 0.5), norm, rtol=1e-12)
    assert abs(joint_norm(parameters) - 0.5) < 1e-6
    for parameter, gradient in zip(parameters, before, strict=True):
        assert_close(parameter.grad, gradient * (0.5 / norm), rtol=1e-6)


def test_gradients_below_the_norm_stay(make_parameters: Any, give_gradients: Any) -> None:
    parameters = make_parameters()
    give_gradients(parameters, 0)
    before = [sg.asnumpy(p.grad).copy() for p in parameters]
    clip_grad_norm(iter(parameters), 1e3)
    for parameter, gradient in zip(parameters, before, strict=True):
        assert_close(parameter.grad, gradient)


def test_parameters_without_a_gradient_are_passed_over() -> None:
    layer = Linear(2, 2)
    assert_close(clip_grad_norm(layer.parameters(), 1.0), 0.0)
    layer.bias.grad = sg.asarray([3.0, 4.0])
    assert_close(clip_grad_norm(layer.parameters(), 1.0), 5.0)
    assert_close(layer.bias.grad, [0.6, 0.8], rtol=1e-5)
    assert layer.bias.grad.dtype == np.float32


def test_one_parameter_may_come_by_itself() -> None:
    layer = Linear(2, 2)
    layer.bias.grad = sg.asarray([3.0, 4.0])
    assert_close(clip_grad_norm(layer.bias, 1.0), 5.0)


def test_zero_gradients_stay_zero() -> None:
    layer = Linear(2, 2)
    layer.bias.grad = sg.asarray([0.0, 0.0])
    clip_grad_norm(layer.parameters(), 1.0)
    assert_close(layer.bias.grad, [0.0, 0.0])


@pytest.mark.parametrize("max_norm", [0, -1.0, float("nan")])
def test_the_norm_is_positive(max_norm: float) -> None:
    with pytest.raises(ValueError, match=r"max_norm: got .*, expected a positive number"):
        clip_grad_norm(Linear(2, 2).parameters(), max_norm)
