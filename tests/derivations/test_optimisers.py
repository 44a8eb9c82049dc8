"""The optimisers' equations, stepped by hand in plain NumPy beside the package's flat and blocked form."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.nn import Linear, Parameter
from scratchgen.optim import SGD, Adam, AdamW, ExponentialMovingAverage, RMSprop, clip_grad_norm, schedules

START = np.array([1.0, -2.0, 0.5])
LR = 0.1
TIMES = 701  # as often the three numbers stand in the parameter, so that a loop has whole blocks and a rest
DTYPES = pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])


def steps(make: Any, count: int = 6, dtype: Any = np.float64) -> Iterator[tuple[int, np.ndarray, np.ndarray]]:
    """For t = 1, 2, ...: the gradient given, and the parameter after the step; gradients differ in size."""
    rng = np.random.default_rng(0)
    x = Parameter(sg.asarray(np.tile(START, TIMES).astype(dtype)))
    optimiser = make([x])
    for t in range(1, count + 1):
        g = (rng.normal(size=3) * [100.0, 1.0, 0.01]).astype(np.float32).astype(np.float64)
        x.grad = sg.asarray(np.tile(g, TIMES).astype(dtype))
        optimiser.step()
        moved = sg.asnumpy(x).reshape(TIMES, 3)
        assert moved.dtype == dtype
        assert (moved == moved[0]).all()
        yield t, g, moved[0]


@pytest.mark.equation("sgd-momentum")
@pytest.mark.equation("sgd-nesterov")
@DTYPES
def test_momentum_is_a_sum_of_past_gradients(dtype: Any, rtol: float) -> None:
    x, gradients = START, []
    for t, g, found in steps(lambda p: SGD(p, LR, momentum=0.8), dtype=dtype):
        gradients.append(g)
        v = sum(0.8 ** (t - s) * past for s, past in enumerate(gradients, 1))
        x = x - LR * v
        assert_close(found, x, rtol=rtol)


@pytest.mark.equation("sgd-momentum")
@pytest.mark.equation("sgd-nesterov")
@DTYPES
def test_nesterov_looks_one_step_ahead(dtype: Any, rtol: float) -> None:
    # Sutskever et al. (2013), eq. 3 and 4: the gradient is taken at y = x + m V, where the parameter stands.
    momentum, curvature = 0.8, np.array([1.0, 3.0, 0.2])
    x, velocity = START, np.zeros(3)
    parameter = Parameter(sg.asarray(START.astype(dtype)))
    optimiser = SGD([parameter], LR, momentum=momentum, nesterov=True)
    for t in range(8):
        ahead = x + momentum * velocity if t else x
        assert_close(parameter, ahead, rtol=rtol)
        parameter.grad = sg.asarray((curvature * sg.asnumpy(parameter)).astype(dtype))
        optimiser.step()
        velocity = momentum * velocity - LR * curvature * ahead
        x = x + velocity


@pytest.mark.equation("rmsprop")
@DTYPES
def test_rmsprop_divides_by_a_running_root_mean_square(dtype: Any, rtol: float) -> None:
    x, v, u = START, np.zeros(3), np.zeros(3)
    made: list[RMSprop] = []

    def make(parameters: Any) -> RMSprop:
        made.append(RMSprop(parameters, LR, alpha=0.9, eps=1e-3, momentum=0.5))
        return made[0]

    for _, g, found in steps(make, dtype=dtype):
        v = 0.9 * v + 0.1 * g**2
        u = 0.5 * u + g / (np.sqrt(v) + 1e-3)
        x = x - LR * u
        assert_close(found, x, rtol=rtol)
    assert_close(made[0].state["square_avg"][:3], v, rtol=rtol)
    assert_close(made[0].state["momentum_buffer"][:3], u, rtol=rtol)


def moments(gradients: list[np.ndarray], beta: float, power: int) -> np.ndarray:
    """The running mean written out as a weighted sum: (1 - beta) sum_s beta^(t - s) g_s^power."""
    t = len(gradients)
    return (1 - beta) * sum(beta ** (t - s) * g**power for s, g in enumerate(gradients, 1))


@pytest.mark.equation("adam-moments")
@DTYPES
def test_adams_moments_are_running_means_of_the_gradient_and_its_square(dtype: Any, rtol: float) -> None:
    x = Parameter(sg.asarray(START.astype(dtype)))
    optimiser, gradients = Adam([x], LR, (0.7, 0.9)), []
    for seed in range(5):
        gradients.append(np.random.default_rng(seed).normal(size=3))
        x.grad = sg.asarray(gradients[-1].astype(dtype))
        optimiser.step()
        assert_close(optimiser.state["m"][:3], moments(gradients, 0.7, 1), rtol=rtol)
        assert_close(optimiser.state["v"][:3], moments(gradients, 0.9, 2), rtol=rtol)


@pytest.mark.equation("adam-bias-correction")
@DTYPES
def test_the_corrected_mean_of_a_constant_is_that_constant(dtype: Any, rtol: float) -> None:
    gradients = [np.array([3.0, -0.2])] * 7
    assert_close(moments(gradients, 0.9, 1) / (1 - 0.9**7), gradients[0], rtol=1e-13)
    # So Adam moves by lr sign(g) each time, from the first step on.
    x = Parameter(sg.asarray(np.zeros(2, dtype)))
    optimiser = Adam([x], LR, eps=0.0)
    for t in range(1, 8):
        x.grad = sg.asarray(gradients[0].astype(dtype))
        optimiser.step()
        assert_close(x, -LR * t * np.sign(gradients[0]), rtol=rtol)


@pytest.mark.equation("adam-step")
@DTYPES
def test_the_step_of_the_paper_is_the_step_taken(dtype: Any, rtol: float) -> None:
    x, gradients = START, []
    for t, g, found in steps(lambda p: Adam(p, LR, (0.7, 0.9), eps=1e-2), dtype=dtype):
        gradients.append(g)
        m_hat = moments(gradients, 0.7, 1) / (1 - 0.7**t)
        v_hat = moments(gradients, 0.9, 2) / (1 - 0.9**t)
        x = x - LR * m_hat / (np.sqrt(v_hat) + 1e-2)
        assert_close(found, x, rtol=rtol)


@pytest.mark.equation("adamw-decay")
@DTYPES
def test_decoupled_decay_is_not_divided_by_the_gradients_size(dtype: Any, rtol: float) -> None:
    x, gradients = START, []
    for t, g, found in steps(lambda p: AdamW(p, LR, (0.7, 0.9), weight_decay=0.3), dtype=dtype):
        gradients.append(g)
        m_hat = moments(gradients, 0.7, 1) / (1 - 0.7**t)
        v_hat = moments(gradients, 0.9, 2) / (1 - 0.9**t)
        x = x * (1 - LR * 0.3) - LR * m_hat / (np.sqrt(v_hat) + 1e-8)
        assert_close(found, x, rtol=rtol)


@pytest.mark.equation("weight-average")
@DTYPES
def test_the_average_weighs_the_past_geometrically(dtype: Any, rtol: float) -> None:
    x = Parameter(sg.asarray(np.zeros(TIMES, dtype)))
    average, values = ExponentialMovingAverage([x], decay=0.1), []
    for t in range(1, 9):  # (1 + t) / (10 + t) is above 0.1 from the first step on
        x.data[...] = t**2
        values.append(t**2)
        average.update()
        expected = sum(0.9 * 0.1 ** (t - s) * v for s, v in enumerate(values, 1))
        assert_close(average.averages[0], np.full(TIMES, expected), rtol=rtol)


@pytest.mark.equation("gradient-clipping")
@pytest.mark.parametrize(("limit", "norm"), [(0.5, 0.5), (100.0, 13.0)])
def test_the_joint_norm_is_cut_and_the_direction_kept(limit: float, norm: float) -> None:
    parameters = [Parameter(sg.asarray(np.zeros(n))) for n in (2, 1)]
    for p, g in zip(parameters, ([3.0, 4.0], [12.0]), strict=True):  # a norm of 13
        p.grad = sg.asarray(np.array(g))
    assert_close(clip_grad_norm(parameters, limit), 13.0, rtol=1e-14)
    clipped = np.concatenate([sg.asnumpy(p.grad) for p in parameters])
    assert_close(clipped, np.array([3.0, 4.0, 12.0]) * norm / 13, rtol=1e-6)


@pytest.mark.equation("gradient-clipping")
def test_a_small_constant_guards_the_division() -> None:
    parameter = Parameter(sg.asarray(np.zeros(2)))
    parameter.grad = sg.asarray(np.array([3e-6, 4e-6]))
    clip_grad_norm([parameter], 1e-6)
    assert_close(parameter.grad, [0.5e-6, 4e-6 / 6], rtol=1e-12)


@pytest.mark.equation("cosine-learning-rate")
def test_the_rate_falls_along_half_a_cosine() -> None:
    rate = schedules.cosine(0.3, steps=12, final=0.06)
    assert_close([rate(0), rate(6), rate(12), rate(99)], [0.3, 0.18, 0.06, 0.06], rtol=1e-12)
    assert_close(rate(4), 0.06 + 0.24 * (1 + 0.5) / 2, rtol=1e-12)  # cos(pi / 3) = 1 / 2


@pytest.mark.equation("fan-in-initialisation")
@pytest.mark.parametrize("width", [10, 100, 1000])
def test_first_outputs_have_a_variance_that_does_not_depend_on_the_width(width: int) -> None:
    x = sg.asnumpy(RandomStream(1, width).normal((width,), np.float64))
    layer = Linear(width, 40_000, rng=RandomStream(2, width)).to(np.float64)
    outputs = sg.asnumpy(layer(sg.asarray(x[None])))[0]
    expected = np.mean(x**2) / 3 + 1 / (3 * width)
    assert_close(outputs.var(), expected, rtol=5 * np.sqrt(2 / 40_000))


@pytest.mark.equation("gradient-descent")
@DTYPES
def test_a_step_goes_against_the_gradient(dtype: Any, rtol: float) -> None:
    x = START
    for _, g, found in steps(lambda p: SGD(p, LR), dtype=dtype):
        x = x - LR * g
        assert_close(found, x, rtol=rtol)


@pytest.mark.equation("coupled-decay")
@pytest.mark.parametrize("make", [SGD, Adam])
def test_decay_in_the_gradient_is_a_penalty_on_the_squared_weights(make: Any) -> None:
    """The same path as without decay, for the loss plus lambda / 2 |x|^2."""
    decay, coupled, penalised = 0.3, Parameter(sg.asarray(START)), Parameter(sg.asarray(START))
    one, other = make([coupled], lr=LR, weight_decay=decay), make([penalised], lr=LR)
    for _ in range(5):
        for optimiser, x, penalty in ((one, coupled, 0.0), (other, penalised, decay / 2)):
            optimiser.zero_grad()
            (sg.sin(x).sum() + penalty * (x * x).sum()).backward()
            optimiser.step()
    assert_close(coupled.data, penalised.data, rtol=1e-12)
    assert abs(sg.asnumpy(coupled.data) - START).max() > 1e-3


@pytest.mark.equation("weight-average-start")
def test_the_average_forgets_the_start_soon() -> None:
    x = Parameter(sg.asarray(np.array([7.0])))  # the random start
    average, expected = ExponentialMovingAverage([x], decay=0.4), 7.0
    for t in range(1, 9):
        x.data[...] = t**2
        average.update()
        decay = min(0.4, (1 + t) / (10 + t))  # 2 / 11, 3 / 12, 4 / 13, 5 / 14, 6 / 15 = 0.4, 0.4, ...
        expected = decay * expected + (1 - decay) * t**2
        assert_close(average.averages[0], [expected], rtol=1e-12)


@pytest.mark.equation("warm-up")
def test_the_rate_rises_evenly_to_that_of_the_schedule() -> None:
    rate = schedules.warmup(schedules.stepwise(0.4, 0.5, 6), 5)
    assert_close([rate(t) for t in range(7)], [0.08, 0.16, 0.24, 0.32, 0.4, 0.4, 0.2], rtol=1e-12)
    assert rate(5) == schedules.warmup(schedules.constant(0.4), 0)(5) == 0.4
    assert_close(schedules.warmup(schedules.constant(0.4), 1)(0), 0.4, rtol=1e-12)


@pytest.mark.equation("stepwise-rate")
def test_the_rate_falls_in_steps() -> None:
    rate = schedules.stepwise(0.8, factor=0.25, every=3)
    assert_close([rate(t) for t in range(8)], [0.8] * 3 + [0.2] * 3 + [0.05] * 2, rtol=1e-12)
