"""Functions that obey a law: their slopes, what they leave of the law, and worlds whose solution is known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy.integrate import solve_ivp
from tools import assert_at_most, assert_close, assert_slopes, to_device

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data.physics import media, oscillators, read_back
from scratchgen.data.physics.elliptic import process, temperature
from scratchgen.models.gan import PhysicsInformedGAN, generator_loss, slope
from scratchgen.networks import MLP, FieldNetwork, WaveNetwork
from scratchgen.nn import Module, Parameter

TIMES = np.array([0.1, 0.5, 0.8, 1.7])


class Waves(Module):
    """u = a sin(z t), with one weight a: functions whose derivatives are known."""

    def __init__(self, a: float, dtype: Any = np.float64) -> None:
        self.a = Parameter(np.array(a, dtype))

    def forward(self, z: Any, points: Any) -> Any:
        return self.a * sg.autograd.sin(z.reshape((len(z), 1, 1)) * points)


def swing(fields: Any, points: Any, z: Any) -> Any:
    """u'' + 3 u."""
    u = fields[..., 0]
    return slope(slope(u, points)[..., 0], points)[..., 0] + 3 * u


def waves(a: float = 1.3, dtype: Any = np.float64, weight: float = 0.7) -> PhysicsInformedGAN:
    return PhysicsInformedGAN(
        Waves(a, dtype),
        MLP([2, 1]).to(dtype),
        1,
        swing,
        weight,
        sensors=[[0.2], [0.9]],
        collocation=TIMES[:, None],
    )


@pytest.mark.equation("physics-slope")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-7), (np.float32, 2e-2)])
def test_the_slope_is_that_of_each_point_by_itself(dtype: Any, rtol: float) -> None:
    """Of a network of two inputs, against differences; the points differ, and so do the noises."""
    network = FieldNetwork(3, 2, 1, [8, 8], rng=RandomStream(1)).to(dtype)
    z = RandomStream(2).normal((4, 3), dtype)
    at = RandomStream(3).normal((4, 5, 2), dtype)
    points = sg.tensor(at, requires_grad=True)
    found = slope(network(z, points)[..., 0], points)
    h = 1e-4 if dtype is np.float64 else 1e-2
    for i in range(2):
        step = to_device(np.eye(2)[i] * h, dtype)
        with sg.no_grad():
            ahead, behind = network(z, at + step), network(z, at - step)
        assert_close(
            found.data[..., i], sg.asnumpy((ahead - behind).data)[..., 0] / (2 * h), rtol, atol=rtol / 10
        )


@pytest.mark.equation("physics-slope")
def test_slopes_of_slopes_are_second_derivatives() -> None:
    z, points = (
        to_device(np.array([[1.5], [0.4]])),
        sg.tensor(to_device(np.tile(TIMES[:, None], (2, 1, 1))), requires_grad=True),
    )
    u = Waves(2.0)(z, points)[..., 0]
    bend = slope(slope(u, points)[..., 0], points)[..., 0]
    rate = np.array([[1.5], [0.4]])
    assert_close(bend.data, -2.0 * rate**2 * np.sin(rate * TIMES), rtol=1e-12)


@pytest.mark.equation("physics-residual")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-12), (np.float32, 1e-5)])
def test_the_law_costs_the_mean_square_of_what_it_says_is_zero(dtype: Any, rtol: float) -> None:
    rates = np.array([[1.5], [0.4], [2.2]])
    left = (3 - rates**2) * 1.3 * np.sin(rates * TIMES)
    assert_close(waves(dtype=dtype).law(to_device(rates, dtype)).data, (left**2).mean(), rtol)


@pytest.mark.equation("physics-residual")
def test_the_laws_cost_has_a_gradient_by_the_weights() -> None:
    """A third derivative, since the law is of second order: against differences in the weights."""
    network = FieldNetwork(2, 1, 1, [6], rng=RandomStream(4)).to(np.float64)
    model = PhysicsInformedGAN(network, MLP([4, 1]), 2, swing, sensors=TIMES[:, None])
    z = RandomStream(5).normal((3, 2), np.float64)
    for parameter, gradient in zip(
        network.parameters(), sg.grad(model.law(z), network.parameters()), strict=True
    ):
        kept, ends = parameter.data.copy(), []
        for sign in (1, -1):
            parameter.data[...] = kept + sign * 1e-5
            ends.append(model.law(z).item())
        parameter.data[...] = kept
        assert_close(gradient.sum(), (ends[0] - ends[1]) / 2e-5, rtol=1e-6, atol=1e-8)


@pytest.mark.equation("physics-loss")
@pytest.mark.parametrize("objective", ["non-saturating", "wasserstein-gp"])
def test_the_generator_pays_for_both(objective: str) -> None:
    model = waves(weight=0.7)
    model.objective = objective
    z = RandomStream(6).normal((5, 1), np.float64)
    rates = sg.asnumpy(z)
    read = 1.3 * np.sin(rates * np.array([0.2, 0.9]))
    logits = model.discriminator(to_device(read)).data[:, 0]
    left = (3 - rates**2) * 1.3 * np.sin(rates * TIMES)
    expected = sg.asnumpy(generator_loss(logits, objective)) + 0.7 * (left**2).mean()
    assert_close(model.generator_loss(5, RandomStream(6)).data, expected, rtol=1e-12)
    assert_slopes(lambda: model.generator_loss(5, RandomStream(6)), model.generator.parameters())


def waves_by_hand(amplitudes: np.ndarray, x: np.ndarray, period: float, order: int) -> np.ndarray:
    """The sum over n, or its second derivative, one term after another: (batch, points, fields)."""
    count = amplitudes.shape[1] // 2
    total = np.where(order == 0, amplitudes[:, :1], 0.0) + 0 * x[:, :, None]
    for n in range(1, count + 1):
        rate = 2 * np.pi * n / period
        factor = 1 / n**2 if order == 0 else -(rate**2) / n**2
        sine, cosine = amplitudes[:, n, None], amplitudes[:, count + n, None]
        angle = rate * x[:, :, None]
        total = total + factor * (sine * np.sin(angle) + cosine * np.cos(angle))
    return total


@pytest.mark.equation("field-waves")
@pytest.mark.parametrize(("dtype", "rtol"), [(np.float64, 1e-10), (np.float32, 1e-4)])
def test_a_sum_of_waves_and_what_is_left_of_it_twice_differentiated(dtype: Any, rtol: float) -> None:
    network = WaveNetwork(3, 2, waves=4, period=3.3, hidden=[5], rng=RandomStream(7)).to(dtype)
    z, at = RandomStream(8).normal((2, 3), dtype), RandomStream(9).normal((2, 6, 1), dtype)
    points = sg.tensor(at, requires_grad=True)
    u = network(z, points)
    bends = [slope(slope(u[..., i], points)[..., 0], points)[..., 0] for i in range(2)]
    said = [sg.asnumpy(part(z).data).astype(np.float64) for part in (network.straight, network.bent)]
    amplitudes, x = (said[0] + said[1]).reshape(2, 9, 2), sg.asnumpy(at)[..., 0].astype(np.float64)
    assert_close(u.data, waves_by_hand(amplitudes, x, 3.3, 0), rtol, atol=rtol)
    bend = waves_by_hand(amplitudes, x, 3.3, 2)
    for i in range(2):
        assert_close(bends[i].data, bend[..., i], rtol, atol=10 * rtol)


@pytest.mark.equation("field-waves")
def test_amplitudes_learn_from_every_wave() -> None:
    network = WaveNetwork(2, 1, waves=2, period=3.3, hidden=[3], rng=RandomStream(7)).to(np.float64)
    z, at = RandomStream(8).normal((2, 2), np.float64), RandomStream(9).normal((2, 3, 1), np.float64)
    assert_slopes(lambda: (network(z, at) ** 2).sum(), network.parameters())


@pytest.mark.equation("oscillator-solution")
def test_the_curves_are_what_the_law_makes_of_the_start() -> None:
    drawn, t = oscillators(6, RandomStream(0)), np.linspace(0, 3, 13)
    for c, k, u0, v0, curve in zip(*drawn, drawn.curves(t), strict=True):
        right = solve_ivp(
            lambda _, y, c=c, k=k: [y[1], -c * y[1] - k * y[0]],
            (0, 3),
            [u0, v0],
            t_eval=t,
            rtol=1e-10,
            atol=1e-12,
        )
        assert_close(curve, right.y[0], rtol=1e-7, atol=1e-8)


@pytest.mark.equation("oscillator-read-back")
def test_coefficients_are_read_back_from_the_curves() -> None:
    drawn, t = oscillators(50, RandomStream(1)), np.linspace(0, 3, 3001)
    c, k, residual = read_back(drawn.curves(t), t)
    assert_close(c, drawn.c, rtol=1e-4)
    assert_close(k, drawn.k, rtol=1e-4)
    assert_at_most(residual.max(), 1e-5)


@pytest.mark.equation("oscillator-read-back")
def test_a_parabola_leaves_what_no_oscillator_explains() -> None:
    """u = 1 + t^2 on [-1, 1]: by symmetry c = 0, k = -2 E[u] / E[u^2], and the rest is 2 + k u."""
    t = np.linspace(-1, 1, 8001)
    c, k, residual = read_back((1 + t**2)[None], t)
    means = np.array([4 / 3, 1 + 2 / 3 + 1 / 5])
    stiffness = -2 * means[0] / means[1]
    assert_close(c, [0.0], atol=1e-9)
    assert_close(k, [stiffness], rtol=1e-3)
    left = np.sqrt(4 + 4 * stiffness * means[0] + stiffness**2 * means[1]) / 2
    assert_close(residual, [left], rtol=1e-3)


@pytest.mark.equation("elliptic-solution")
def test_a_rod_that_was_made_to_have_a_known_temperature_has_it() -> None:
    """u = (1 - x^2) (2 + x), k = e^x: f = -1/10 (k u')' is computed by hand."""
    x = np.linspace(-1, 1, 2001)
    slope_, bend = 1 - 4 * x - 3 * x**2, -4 - 6 * x
    f = -np.exp(x) * (slope_ + bend) / 10
    found = temperature(x, np.exp(x)[None], f[None])[0]
    assert_close(found, (1 - x**2) * (2 + x), rtol=0, atol=5e-6)


@pytest.mark.equation("elliptic-solution")
def test_rods_obey_their_law_between_the_points() -> None:
    drawn = media(3, RandomStream(2), points=801)
    h = drawn.x[1] - drawn.x[0]
    between = (drawn.k[:, 1:] + drawn.k[:, :-1]) / 2 * np.diff(drawn.u) / h
    assert_close(-np.diff(between) / h / 10, drawn.f[:, 1:-1], rtol=0, atol=2e-3)


@pytest.mark.equation("gaussian-process")
def test_the_process_has_its_covariance() -> None:
    x = np.array([-1.0, -0.9, 0.1, 0.4, 1.0])
    drawn = process(40_000, x, 0.7, 0.5, RandomStream(3))
    right = 0.49 * np.exp(-((x[:, None] - x) ** 2) / 0.25)
    spread = np.sqrt((right**2 + 0.49**2) / 40_000)  # of the product of two normal numbers, by Isserlis
    assert_at_most(np.abs(drawn.T @ drawn / 40_000 - right) / spread, 5, "standard errors")
    assert_at_most(np.abs(drawn.mean(axis=0)) / (0.7 / 200), 5, "standard errors")
