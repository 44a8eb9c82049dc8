"""The probability flow: for Gaussian data its map and its density are known, for a mixture its density is."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from estimates import assert_mean, integral
from gaussian_data import MEAN, SIGMA, draw, exact
from scipy import stats
from tools import assert_at_most, assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM
from scratchgen.models.diffusion import (
    Schedule,
    cosine_schedule,
    ddim_step,
    linear_schedule,
    mean_angle,
    noise_from_x0,
    ode_log_prob,
    ode_path,
    ode_step,
    ode_times,
    prediction_target,
    signs,
    velocity,
)
from scratchgen.models.diffusion.ode import _slope_and_spread, angles

LOG_P = stats.norm(MEAN, SIGMA)


def marginal(schedule: Schedule, t: int) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of x_t, in closed form; t = 0 are the data."""
    kept = schedule.alpha_bar_at(t)
    return np.sqrt(kept) * MEAN, np.sqrt(kept * SIGMA**2 + 1 - kept)


def carried(schedule: Schedule, x: np.ndarray, t: int, s: int) -> np.ndarray:
    """Where the flow takes x from t to s: it keeps each coordinate's place in the distribution."""
    (mean_t, sigma_t), (mean_s, sigma_s) = marginal(schedule, t), marginal(schedule, s)
    return mean_s + (x - mean_t) * sigma_s / sigma_t


@pytest.mark.equation("ode-velocity")
@pytest.mark.parametrize("make", [linear_schedule, cosine_schedule])
def test_the_velocity_is_the_slope_by_the_angle_of_the_exact_map(make: object) -> None:
    schedule = make(1000)
    model, x = exact(schedule), draw(20)
    phi = np.arctan2(schedule.noise, schedule.signal)
    for t in (50, 400, 800):
        before, after = (carried(schedule, sg.asnumpy(x), t, s) for s in (t - 1, t + 1))
        slope = (after - before) / (phi[t] - phi[t - 2])
        # Unevenly spaced angles leave an error of first order.
        tolerance = 3 * abs(phi[t] - 2 * phi[t - 1] + phi[t - 2]) / (phi[t] - phi[t - 2]) + 1e-4
        found = velocity(schedule, model.predict_x0(x, t), x, t)
        assert_close(found, slope, rtol=0, atol=tolerance * np.abs(slope).max())


@pytest.mark.equation("ode-velocity")
def test_the_velocity_is_what_a_network_of_v_predicts() -> None:
    schedule, x = linear_schedule(30), draw(4, seed=1)
    for t in (1, 12, 30):
        x0, eps = draw(4, seed=2), draw(4, seed=3)
        xt = x0 * schedule.signal[t - 1] + eps * schedule.noise[t - 1]
        expected = prediction_target("v", schedule, x0, eps, np.full(4, t))
        assert_close(velocity(schedule, x0, xt, t), expected, rtol=1e-9, atol=1e-9)
    assert_close(
        exact(schedule, "v")(x, 12), velocity(schedule, exact(schedule).predict_x0(x, 12), x, 12), 1e-9
    )


@pytest.mark.equation("ode-step")
@pytest.mark.parametrize(("t", "s"), [(20, 19), (20, 3), (9, 1), (5, 0), (1, 0)])
def test_a_step_is_ddims_without_noise(t: int, s: int) -> None:
    schedule, x0, xt = cosine_schedule(20), draw(6, seed=4), draw(6, seed=5)
    eps = noise_from_x0(schedule, x0, xt, t)
    expected = ddim_step(schedule, x0, eps, None, t, s, eta=0.0)
    assert_close(ode_step(schedule, x0, xt, t, s), expected, rtol=1e-9, atol=1e-12)


@pytest.mark.equation("ode-step")
@pytest.mark.parametrize("order", [1, 2])
def test_for_data_in_one_point_every_number_of_steps_is_exact(order: int) -> None:
    schedule, point = linear_schedule(50), sg.asarray(np.array([[0.3, -2.0]]))
    x = RandomStream(0).normal((5, 2), np.float64)
    for steps in (1, 2, 7):
        for t, found in ode_path(schedule, lambda x, t: (point + x * 0, None), x, steps, order):
            share = np.sqrt(1 - schedule.alpha_bar_at(t)) / schedule.noise[-1]
            start = sg.asnumpy(x) - schedule.signal[-1] * sg.asnumpy(point)
            expected = np.sqrt(schedule.alpha_bar_at(t)) * sg.asnumpy(point) + share * start
            assert_close(found, expected, rtol=1e-9, atol=1e-12)


def errors(order: int, model: DDPM, counts: tuple[int, ...]) -> np.ndarray:
    """The largest error of samples after some numbers of steps, of the exact map at t = 1."""
    x = RandomStream(1).normal((50, 3), np.float64)
    found = []
    for steps in counts:
        path = list(ode_path(model.schedule, model._predictor(50, None, 0.0), x, steps, order))
        t, before_last = path[-2]
        expected = carried(model.schedule, sg.asnumpy(x), model.schedule.steps, t)
        found.append(np.abs(sg.asnumpy(before_last) - expected).max())
    return np.array(found)


@pytest.mark.equation("ode-mean-angle")
def test_the_mean_angle_against_quadrature() -> None:
    for start, end in ((1.5, 1.2), (1.2, 0.3), (0.3, 0.01), (0.7, 0.7 - 1e-4), (1.57, 0.2)):
        weights = [integral(lambda x, k=k: x**k / np.sin(x) ** 2, end, start, 400) for k in (0, 1)]
        assert_close(mean_angle(start, end), weights[1] / weights[0], rtol=1e-9)


@pytest.mark.equation("ode-extrapolation")
def test_what_changes_in_a_straight_line_over_the_angle_is_followed_exactly() -> None:
    # dx/dphi = (a x - x_0) / s with x_0 = c + k phi has the solution of d(x / s) = x_0 d(cot phi).
    schedule, constant, slope = cosine_schedule(400), np.array([0.4, -1.0]), np.array([1.3, 0.5])
    phi = np.arctan2(schedule.noise, schedule.signal)
    x = RandomStream(3).normal((4, 2), np.float64)
    predict = lambda x, t: (sg.asarray(constant + slope * phi[t - 1]) + x * 0, None)  # noqa: E731
    path = list(ode_path(schedule, predict, x, 12))
    (t, start), *rest = path[1:-1]  # the first step has none before it to go on from
    for s, found in rest:
        grown = integral(lambda p: 1 / np.sin(p) ** 2, phi[s - 1], phi[t - 1], 400)
        turned = integral(lambda p: p / np.sin(p) ** 2, phi[s - 1], phi[t - 1], 400)
        ratio = sg.asnumpy(start) / schedule.noise[t - 1] + constant * grown + slope * turned
        assert_close(found, ratio * schedule.noise[s - 1], rtol=1e-8, atol=1e-10)


@pytest.mark.equation("ode-extrapolation")
def test_twice_the_steps_make_a_quarter_of_the_error_and_of_ddims_half() -> None:
    model = exact(cosine_schedule(20_000))
    first, second = (errors(order, model, (20, 40, 80)) for order in (1, 2))
    assert_close(first[:-1] / first[1:], np.full(2, 2.0), atol=0.35)
    assert_close(second[:-1] / second[1:], np.full(2, 4.0), atol=0.8)
    assert (second < first / 5).all()


@pytest.mark.equation("ode-extrapolation")
@pytest.mark.parametrize("prediction", ["noise", "x0", "v"])
def test_samples_are_the_noise_carried_to_the_data(prediction: str) -> None:
    model = exact(cosine_schedule(1000), prediction)
    noise = sg.asnumpy(RandomStream(2).normal((200, 3), np.float64))
    wanted = carried(model.schedule, noise, 1000, 0)
    assert_close(model.ode_sample(200, RandomStream(2), steps=40), wanted, rtol=0, atol=0.02)
    assert_close(model.ode_sample(200, RandomStream(2), steps=160), wanted, rtol=0, atol=0.002)


@pytest.mark.equation("ode-log-prob", "ode-blurred")
@pytest.mark.parametrize("make", [linear_schedule, cosine_schedule])
def test_the_likelihood_of_gaussian_data_is_the_true_one(make: object) -> None:
    # A coarse first step, so that the blur counts: the density is that of N(m, s^2 + noise^2 / signal^2).
    schedule = make(2000).starting_at(0.2)
    x, model = draw(30, seed=6), exact(schedule)
    blur = schedule.noise[0] / schedule.signal[0]
    assert blur > 0.15
    blurred = stats.norm(MEAN, np.sqrt(SIGMA**2 + blur**2)).logpdf(sg.asnumpy(x)).sum(1)
    # The flow ends in the noise that q has at T, which is not quite N(0, I): a known error.
    mean_T, sigma_T = marginal(schedule, schedule.steps)
    mean_1, sigma_1 = marginal(schedule, 1)
    end = mean_T + (np.sqrt(schedule.alpha_bar_at(1)) * sg.asnumpy(x) - mean_1) / sigma_1 * sigma_T
    known = (stats.norm.logpdf(end) - stats.norm(mean_T, sigma_T).logpdf(end)).sum(1)
    assert_close(model.ode_log_prob(x, steps=300), blurred + known, rtol=0, atol=2e-3)
    assert_close(ode_log_prob(schedule, model.predict_x0, x, 300)[1], end, rtol=0, atol=2e-3)
    coarse = np.abs(sg.asnumpy(model.ode_log_prob(x, steps=75)) - blurred - known).max()
    fine = np.abs(sg.asnumpy(model.ode_log_prob(x, steps=150)) - blurred - known).max()
    assert_close(coarse / fine, 4.0, atol=1.0)  # Heun's rule is of second order


class Bumps(sg.nn.Module):
    """The exact E[eps|x_t] for two bumps in the plane, of unequal weight."""

    centres = np.array([[-1.0, 0.5], [1.2, -0.4]])
    weights, sigma = np.array([0.3, 0.7]), 0.35

    def __init__(self, schedule: Schedule) -> None:
        self.schedule = schedule
        self.unit = sg.nn.Parameter(np.ones(1))

    def forward(self, xt: sg.Tensor, t: sg.Tensor) -> sg.Tensor:
        signal, noise = (self.schedule.at(name, t, xt) for name in ("signal", "noise"))
        spread = signal**2 * self.sigma**2 + noise**2
        offsets = [xt - signal * sg.asarray(c) for c in self.centres]
        logits = sg.stack([(d * d).sum(axis=1, keepdims=True) / (-2 * spread) for d in offsets])
        share = sg.nn.functional.softmax(logits + sg.asarray(np.log(self.weights)[:, None, None]), axis=0)
        return sum(share[k] * offsets[k] for k in range(2)) * (noise / spread) * self.unit

    def log_prob(self, x: np.ndarray, schedule: Schedule) -> np.ndarray:
        variance = self.sigma**2 + (schedule.noise[0] / schedule.signal[0]) ** 2
        squares = ((x[:, None] - self.centres) ** 2).sum(2)
        return np.log(np.exp(-squares / (2 * variance)) @ self.weights) - np.log(2 * np.pi * variance)


@pytest.mark.equation("ode-log-prob", "ode-hutchinson")
def test_the_likelihood_of_two_bumps_exactly_and_by_random_directions() -> None:
    schedule = cosine_schedule(1000)
    network = Bumps(schedule)
    model = DDPM(network, schedule, (2,))
    x = np.random.default_rng(7).normal(size=(40, 2))
    expected = network.log_prob(x, schedule)
    found = sg.asnumpy(model.ode_log_prob(sg.asarray(x), steps=100))
    assert_close(found, expected, rtol=0, atol=0.01)
    # Directions do not change the path, so the mean over them is what is exact.
    repeats = [
        sg.asnumpy(model.ode_log_prob(sg.asarray(x[:4]), RandomStream(i), steps=20, probes=2))
        for i in range(30)
    ]
    assert_mean(np.array(repeats), sg.asnumpy(model.ode_log_prob(sg.asarray(x[:4]), steps=20)))
    assert np.std(repeats, axis=0).max() > 0.05


@pytest.mark.equation("ode-hutchinson")
def test_where_coordinates_do_not_mix_any_directions_are_exact() -> None:
    """The matrix of slopes is diagonal then, and the squares of signs are 1."""
    model, x = exact(linear_schedule(40)), draw(6)
    right = sg.asnumpy(model.ode_log_prob(x, steps=12))
    assert not isinstance(model.ode_log_prob(x, RandomStream(0), steps=2, probes=1), sg.Tensor)
    for probes in (1, 3):
        assert_close(model.ode_log_prob(x, RandomStream(probes), steps=12, probes=probes), right, rtol=1e-9)


@pytest.mark.equation("ode-hutchinson")
def test_signs_are_even_and_independent() -> None:
    e = sg.asnumpy(signs(RandomStream(8), 4000, sg.asarray(np.zeros((1, 3)))))[:, 0]
    assert_close(np.abs(e), np.ones_like(e))
    assert_mean(e[:, :, None] * e[:, None, :], np.eye(3))
    assert_mean(e, np.zeros(3))


def test_more_steps_do_not_lessen_the_scatter_of_directions() -> None:
    """One set of directions serves the whole path; fresh ones in each step would average out."""
    schedule = cosine_schedule(1000)
    model = DDPM(Bumps(schedule), schedule, (2,))
    x = sg.asarray(np.tile([[0.4, -0.3]], (400, 1)))  # one point, with a direction for each copy
    few, many = (
        sg.asnumpy(model.ode_log_prob(x, RandomStream(9), steps=k, probes=1)).std() for k in (10, 40)
    )
    assert_close(many / few, 1.0, atol=0.15)

    rng, times = RandomStream(10), ode_times(schedule, 40, last=1)[::-1]
    phi, path, fresh = angles(schedule), x * schedule.signal[0], 0.0
    for t, s in pairwise(times):
        slope, spread = _slope_and_spread(schedule, model.predict_x0, path, t, signs(rng, 1, x))
        path, fresh = path + slope * (phi[s] - phi[t]), fresh + sg.asnumpy(spread) * (phi[s] - phi[t])
    assert fresh.std() < many / 2


def test_times_are_distinct_and_their_angles_are_as_squares() -> None:
    for make in (linear_schedule, cosine_schedule, lambda T: cosine_schedule(T).starting_at(0.1)):
        for T, steps in ((1000, 1), (1000, 15), (300, 200), (25, 20)):
            schedule = make(T)
            for last in (0, 1):
                times = ode_times(schedule, min(steps, schedule.steps - last), last)
                assert (times[0], times[-1]) == (schedule.steps, last)
                assert (np.diff(times) < 0).all()
    schedule = cosine_schedule(5000)
    phi = np.arctan2(schedule.noise, schedule.signal)
    found = phi[np.array(ode_times(schedule, 10, last=1)) - 1][::-1]
    expected = phi[0] + (phi[-1] - phi[0]) * (np.arange(11) / 10) ** 2
    assert_at_most(np.abs(found - expected), 2e-4, "of the angle")
