"""Diffusion's smaller parts: targets, schedules, tails of the normal, small steps, and the U-Net's blocks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy import integrate, special, stats
from tools import assert_at_most, assert_close, assert_slopes

import scratchgen as sg
from scratchgen.autograd import log_ndtr
from scratchgen.autograd.gaussian import inverse_mills
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM
from scratchgen.models.diffusion import (
    Schedule,
    cosine_schedule,
    ddim_times,
    discretised_normal_log_prob,
    linear_schedule,
    mean_from_noise,
    noise_from_x0,
    prediction_target,
    q_sample,
    q_step,
)
from scratchgen.models.diffusion.bound import bound_terms, bound_weight
from scratchgen.models.diffusion.ddpm import drop_labels
from scratchgen.networks import FourierFeatures, UNet
from scratchgen.networks.patches import apart, together
from scratchgen.networks.unet import ResidualBlock
from scratchgen.nn import Identity, functional as F

RNG = np.random.default_rng(0)
BETA = np.array([0.1, 0.3, 0.5])


def noisy() -> tuple[Schedule, Any, Any, Any, Any]:
    """A schedule, and x_0, eps, x_t and t of one example for each time."""
    schedule, t = Schedule(BETA), sg.asarray(np.arange(1, 4))
    x0, eps = (sg.asarray(x) for x in RNG.normal(size=(2, 3, 4)))
    return schedule, x0, eps, q_sample(schedule, x0, t, eps), t


@pytest.mark.equation("ddpm-v-target")
def test_v_is_how_fast_the_noisy_example_moves_along_its_angle() -> None:
    schedule, x0, eps, _, t = noisy()
    angle, h = np.arccos(np.sqrt(np.cumprod(1 - BETA)))[:, None], 1e-6
    x, e = sg.asnumpy(x0), sg.asnumpy(eps)
    before, after = (np.cos(a) * x + np.sin(a) * e for a in (angle - h, angle + h))
    assert prediction_target("noise", schedule, x0, eps, t) is eps
    assert prediction_target("x0", schedule, x0, eps, t) is x0
    assert_close(
        prediction_target("v", schedule, x0, eps, t), (after - before) / (2 * h), rtol=1e-7, atol=1e-9
    )


@pytest.mark.equation("ddpm-noise-from-x0")
def test_the_noise_is_what_is_left_of_a_noisy_example() -> None:
    schedule, x0, eps, xt, t = noisy()
    assert_close(noise_from_x0(schedule, x0, xt, t), eps, rtol=1e-12)


@pytest.mark.equation("ddpm-target-weights")
def test_a_term_of_the_bound_does_not_depend_on_what_is_predicted() -> None:
    """One wrong guess, as an error in x_0, in the noise and in v: weight times squared error is the same."""
    schedule, x0, eps, xt, t = noisy()
    guess = x0 + 0.3
    wrong = noise_from_x0(schedule, guess, xt, t)
    variance = np.array([0.2, 0.7, 0.4])
    terms = []
    for prediction, error in (
        ("noise", wrong - eps),
        ("x0", guess - x0),
        (
            "v",
            prediction_target("v", schedule, guess, wrong, t) - prediction_target("v", schedule, x0, eps, t),
        ),
    ):
        squared = (sg.asnumpy(error) ** 2).sum(1)
        terms.append(bound_weight(prediction, schedule, variance) * squared)
    means = sg.asnumpy(mean_from_noise(schedule, wrong, xt, t) - mean_from_noise(schedule, eps, xt, t))
    for term in terms:
        assert_close(term, (means**2).sum(1) / (2 * variance), rtol=1e-10)


@pytest.mark.equation("ddpm-cosine-betas")
def test_betas_of_a_prescribed_signal() -> None:
    schedule = cosine_schedule(50, offset=0.02)
    f = np.cos(np.pi / 2 * (np.arange(51) / 50 + 0.02) / 1.02) ** 2
    assert_close(schedule.beta[:-1], 1 - f[1:-1] / f[:-2], rtol=1e-10)
    assert schedule.beta[-1] == 0.999  # the formula's 1 would forget all


@pytest.mark.equation("ddpm-merged-steps")
@pytest.mark.parametrize("noise", [0.0, 0.2, 0.9, 0.9999999])
def test_the_finest_steps_become_one(noise: float) -> None:
    schedule = cosine_schedule(40)
    left = max(1, sum(1 - kept >= noise**2 for kept in schedule.alpha_bar))
    merged = schedule.starting_at(noise)
    skipped = 40 - merged.steps
    assert merged.steps == left
    assert_close(merged.alpha_bar, schedule.alpha_bar[skipped:], rtol=1e-9)
    assert schedule.starting_at(float(schedule.noise[7])).steps == 33  # a step of just that noise stays


@pytest.mark.equation("ddim-times")
def test_times_are_even_from_the_last_to_zero() -> None:
    assert_close(ddim_times(1000, 4), [1000, 750, 500, 250, 0])
    assert ddim_times(7, 7) == [7, 6, 5, 4, 3, 2, 1, 0]
    assert ddim_times(10, 3) == [10, 7, 3, 0]
    assert ddim_times(5, 1) == [5, 0]
    assert all(a > b for a, b in itertools.pairwise(ddim_times(97, 60)))


@pytest.mark.equation("label-dropout")
def test_labels_are_dropped_with_their_probability_and_else_kept() -> None:
    labels = RNG.integers(0, 3, 20_000)
    found = sg.asnumpy(drop_labels(sg.asarray(labels), 3, 0.2, RandomStream(0)))
    dropped = found == 3
    assert_mean(dropped, 0.2)
    assert (found[~dropped] == labels[~dropped]).all()

    class Stream:
        """Numbers that are known, one of them the probability itself, which keeps its label."""

        def uniform(self, shape: tuple[int, ...]) -> np.ndarray:
            return np.array([0.0, 0.1999, 0.2, 0.9])

    kept = drop_labels(np.array([0, 1, 2, 1]), 3, 0.2, Stream())  # type: ignore[arg-type]
    assert kept.tolist() == [3, 3, 2, 1]


@pytest.mark.equation("ddpm-bound-estimate")
def test_one_term_for_each_example_times_all_and_the_priors_part() -> None:
    """Of a network that always says 0, with the same draws; alpha_bar_T is far from 0."""
    schedule, x = Schedule(BETA), RNG.normal(size=(50, 2)) + 2
    model = DDPM(lambda xt, t: xt * 0, schedule, (2,), variance="fixed-large")
    rng, x0 = RandomStream(1), sg.asarray(x)
    t = rng.integers(1, 4, (50,))
    xt = q_sample(schedule, x0, t, rng.normal((50, 2), np.float64))
    guess, log_beta = xt / schedule.at("signal", t, xt), schedule.at("log_beta", t, xt)
    terms = sg.asnumpy(bound_terms(schedule, x0, xt, t, guess, log_beta, None))
    kept = np.prod(1 - BETA)
    prior = (kept * x**2 - kept - np.log(1 - kept)).sum(1) / 2
    assert_close(model.bound_loss(x0, RandomStream(1)), (3 * terms + prior).mean(), rtol=1e-10)


@pytest.mark.equation("ddpm-clipped-guess")
def test_a_guess_outside_of_the_pixels_range_is_kept_within_but_not_in_training() -> None:
    model = DDPM(lambda xt, t: xt * 0 + 5, Schedule(BETA), (1, 2, 2), prediction="x0", levels=4)
    xt, t = sg.asarray(RNG.normal(size=(3, 1, 2, 2))), sg.asarray(np.array([3, 2, 1]))
    assert_close(model.predict_x0(xt, t), np.ones((3, 1, 2, 2)))
    of_one = DDPM(lambda xt, t: xt * 0 + 1, Schedule(BETA), (1, 2, 2), prediction="x0", levels=4)
    assert_close(model.reverse(xt, t).mean, of_one.reverse(xt, t).mean)
    assert_close(
        DDPM(lambda xt, t: xt * 0 - 9, Schedule(BETA), (1, 2, 2), prediction="x0").predict_x0(xt, t),
        -np.ones((3, 1, 2, 2)),
    )
    assert float(model.loss(xt * 0, RandomStream(0))) == 4 * 25
    of_vectors = DDPM(lambda xt, t: xt * 0 + 5, Schedule(BETA), (4,), prediction="x0")
    assert_close(of_vectors.predict_x0(xt.reshape(3, 4), t), np.full((3, 4), 5.0))


@pytest.mark.equation("log-difference")
@pytest.mark.parametrize("offset", [0.0, 0.5, 3.0, 9.0, 30.0])
def test_a_bins_logarithm_keeps_its_digits_far_from_the_mean(offset: float) -> None:
    x, sigma = sg.asarray(np.array([0.5, -0.5])), 0.05
    mean = sg.asarray(np.array([0.5, -0.5]) + np.array([-1, 1]) * offset * sigma)
    log_var = sg.asarray(np.full(2, 2 * np.log(sigma)))
    found = sg.asnumpy(discretised_normal_log_prob(x, mean, log_var, levels=9))
    half = 0.125 / sigma  # the integral over a bin, with the density's exponent at its nearer end taken out
    near = offset - half if offset > half else 0.0
    integral = integrate.quad(
        lambda u: np.exp(-(u**2 - near**2) / 2),
        offset - half,
        offset + half,
        epsabs=0,
        points=[near] if near else None,
    )[0]
    assert_close(found, np.full(2, np.log(integral / np.sqrt(2 * np.pi)) - near**2 / 2), rtol=1e-9)
    ends = sg.asarray(np.array([1.0, -1.0]))  # which own all that is beyond
    found = discretised_normal_log_prob(ends, ends - ends * offset * sigma, log_var, levels=9)
    assert_close(found, np.full(2, stats.norm.logsf(offset - half)), rtol=1e-9)


@pytest.mark.equation("log-normal-tail")
def test_the_logarithm_of_the_normal_distribution_function() -> None:
    x = np.array([-40.0, -12.0, -3.0, -0.5, 0.0, 0.5, 3.0, 9.0])
    assert_close(log_ndtr(sg.asarray(x)), special.log_ndtr(x), rtol=1e-12)
    assert_close(
        log_ndtr(sg.asarray(x.astype(np.float32))),
        special.log_ndtr(x).astype(np.float32),
        rtol=2e-6,
        atol=1e-9,
    )


@pytest.mark.equation("inverse-mills")
def test_the_slope_of_that_logarithm_and_its_own_slope() -> None:
    x, h = np.array([-9.0, -2.0, 0.3, 4.0]), 1e-5
    v = sg.tensor(sg.asarray(x), requires_grad=True)
    u = sg.tensor(sg.asarray(np.array([0.5, 3.0, -1.0, 2.0])), requires_grad=True)
    ratio = np.exp(stats.norm.logpdf(x) - special.log_ndtr(x))
    (weighed,) = sg.grad((log_ndtr(v) * u).sum(), v, create_graph=True)
    assert_close(weighed, ratio * [0.5, 3.0, -1.0, 2.0], rtol=1e-10)
    assert_close(sg.grad(weighed.sum(), u)[0], ratio, rtol=1e-10)
    (slope,) = sg.grad(log_ndtr(v).sum(), v, create_graph=True)
    assert_close(inverse_mills(sg.asarray(x)), ratio, rtol=1e-10)
    curve = (
        np.exp(stats.norm.logpdf(x + h) - special.log_ndtr(x + h))
        - np.exp(stats.norm.logpdf(x - h) - special.log_ndtr(x - h))
    ) / (2 * h)
    (found,) = sg.grad((slope * sg.asarray(np.array([2.0, 3.0, 4.0, 5.0]))).sum(), v)
    assert_close(found, curve * [2, 3, 4, 5], rtol=1e-5)
    assert sg.check_gradients(log_ndtr, [-9.0, -2.0, 0.3, 2.0]) < 1e-7


def small_step(beta: float, xt: float = 0.4) -> tuple[float, float]:
    """How far the exact q(x_(t-1)|x_t) of a two-bump world is from the normal of the equation: KL in nats."""
    schedule = Schedule([0.3, beta])
    x = np.linspace(-5, 5, 20_001)
    bumps = [stats.norm(m * np.sqrt(0.7), np.sqrt(0.7 * 0.2**2 + 0.3)) for m in (-1.0, 1.2)]  # q(x_1)
    before = sum(bump.pdf(x) for bump in bumps) / 2
    step = q_step(schedule, sg.asarray(x[:, None]), sg.asarray(np.full(len(x), 2)))
    exact = before * np.exp(sg.asnumpy(step.log_prob(sg.asarray(np.full((len(x), 1), xt))))[:, 0])
    width = x[1] - x[0]
    exact /= exact.sum() * width
    kept, s2 = 1 - beta, 0.7 * (1 - beta) * 0.2**2 + 1 - 0.7 * (1 - beta)
    after = [stats.norm(m * np.sqrt(0.7 * kept), np.sqrt(s2)).pdf(xt) for m in (-1.0, 1.2)]
    score = sum(
        p * (m * np.sqrt(0.7 * kept) - xt) / s2 for p, m in zip(after, (-1.0, 1.2), strict=True)
    ) / sum(after)
    eps = -schedule.noise[1] * score
    mean = mean_from_noise(
        schedule, sg.asarray(np.full((1, 1), eps)), sg.asarray(np.full((1, 1), xt)), sg.asarray(np.array([2]))
    )
    normal = stats.norm(float(sg.asnumpy(mean)[0, 0]), np.sqrt(beta))
    positive = exact > 1e-280
    return float(
        np.sum(exact[positive] * (np.log(exact[positive]) - normal.logpdf(x[positive]))) * width
    ), beta


@pytest.mark.equation("small-reverse-step")
def test_a_small_step_back_is_nearly_normal() -> None:
    """The divergence falls with the square of beta."""
    large, middle, small = (small_step(beta)[0] for beta in (0.004, 0.002, 0.001))
    assert_close([large / middle, middle / small], [4.0, 4.0], rtol=0.1)
    assert_at_most(small, 1e-4, "nats")


@pytest.mark.equation("forward-limit")
def test_many_small_steps_keep_what_the_integral_says() -> None:
    limit = np.exp(-1000 * (1e-4 + 0.02) / 2)  # of the linear schedule, whose T only cuts the same time finer
    errors = [abs(np.log(linear_schedule(T).alpha_bar[-1] / limit)) for T in (1000, 2000, 4000)]
    assert_close([errors[0] / errors[1], errors[1] / errors[2]], [2.0, 2.0], rtol=0.02)
    # What is left is half the sum of squared betas: log(1 - beta) = -beta - beta^2 / 2 - ...
    squares = (1e-8 + 1e-4 * 0.02 + 0.02**2) / 3
    assert_close(errors[2], 1000 * squares / 4 / 2, rtol=0.02)


@pytest.mark.equation("patches")
def test_squares_of_pixels_become_channels_and_back() -> None:
    x = RNG.normal(size=(2, 3, 4, 6))
    y = sg.asnumpy(together(sg.asarray(x), 2))
    assert y.shape == (2, 12, 2, 3)
    for b, c, i, j, o, p in np.ndindex(2, 3, 2, 2, 2, 3):
        assert y[b, c * 4 + i * 2 + j, o, p] == x[b, c, 2 * o + i, 2 * p + j]
    assert_close(apart(sg.asarray(y), 2), x)


@pytest.mark.equation("fourier-features")
def test_waves_beside_the_pixels_that_show_only_what_lies_between_levels() -> None:
    seen = FourierFeatures(Identity(), [4, 2])
    x = RNG.uniform(-1, 1, (2, 1, 3, 3))
    expected = [x, *(wave(np.pi * f * x) for f in (4, 2) for wave in (np.sin, np.cos))]
    assert_close(seen(sg.asarray(x)), np.concatenate(expected, axis=1), rtol=1e-12)
    levels = np.linspace(-1, 1, 5).reshape(1, 1, 1, 5)  # f = levels - 1: all levels look alike
    waves = sg.asnumpy(seen(sg.asarray(levels + 0.03)))[:, 1:3]
    assert_close(waves, np.broadcast_to(waves[..., :1], waves.shape), rtol=1e-9)


def small() -> UNet:
    settings: dict[str, Any] = {"width": 4, "multipliers": (1, 2), "groups": 2, "features": 16, "classes": 3}
    return UNet(1, rng=RandomStream(0), **settings).to(np.float64)


@pytest.mark.equation("residual-block")
@pytest.mark.parametrize("out", [4, 6])
def test_a_block_adds_to_what_it_saw(out: int) -> None:
    block = ResidualBlock(4, out, 8, groups=2).to(np.float64)
    x, time = sg.asarray(RNG.normal(size=(2, 4, 5, 5))), sg.asarray(RNG.normal(size=(2, 8)))
    at_time = sg.asnumpy(F.linear(F.silu(time), block.time.weight, block.time.bias))[:, :, None, None]

    def normalised(y: Any, norm: Any) -> Any:
        return F.silu(F.group_norm(y, 2, norm.weight, norm.bias))

    for layer in (block.norm1, block.norm2):
        layer.weight.data[...] *= 1.7
    u = (
        sg.asnumpy(F.conv2d(normalised(x, block.norm1), block.conv1.weight, block.conv1.bias, padding=1))
        + at_time
    )
    y = F.conv2d(normalised(sg.asarray(u), block.norm2), block.conv2.weight, block.conv2.bias, padding=1)
    by = x if out == 4 else F.conv2d(x, block.shortcut.weight, block.shortcut.bias)
    assert_close(block(x, time), sg.asnumpy(y) + sg.asnumpy(by), rtol=1e-10, atol=1e-12)
    assert_slopes(lambda: block(x, time), block.parameters())


@pytest.mark.equation("unet-skips")
@pytest.mark.equation("unet-time")
def test_blocks_are_told_the_time_and_the_label_as_one_vector() -> None:
    network, told = small(), []
    stage = network.middle[0]
    real, stage.forward = stage.forward, lambda x, time: told.append(time) or real(x, time)
    t, labels = np.array([3, 70]), np.array([2, 0])
    network(sg.asarray(RNG.normal(size=(2, 1, 4, 4))), sg.asarray(t), sg.asarray(labels))
    omega = 10_000.0 ** (-np.arange(2) / 2)
    waves = np.concatenate([np.sin(t[:, None] * omega), np.cos(t[:, None] * omega)], axis=1)
    weight, bias = sg.asnumpy(network.time.weight), sg.asnumpy(network.time.bias)
    assert_close(told[0], waves @ weight.T + bias + sg.asnumpy(network.label.weight)[labels], rtol=1e-6)
    stage.forward = real
    x = sg.asarray(RNG.normal(size=(2, 1, 4, 4)))
    assert_slopes(lambda: network(x, sg.asarray(t), sg.asarray(labels)), network.parameters(), rtol=1e-5)
    double = sg.asnumpy(network(x, sg.asarray(t), sg.asarray(labels)))
    single = network.to(np.float32)(x.astype(np.float32), sg.asarray(t), sg.asarray(labels))
    assert single.dtype == np.float32
    assert_close(single, double.astype(np.float32), rtol=1e-4, atol=1e-4)


@pytest.mark.equation("unet-skips")
def test_the_way_up_sees_the_last_result_doubled_beside_what_was_kept() -> None:
    network, seen = small(), []
    stage = network.up[0].stages[0]
    real, stage.forward = stage.forward, lambda x, time: seen.append(x) or real(x, time)
    below, kept, time = (RNG.normal(size=size) for size in ((2, 8, 2, 2), (2, 4, 4, 4), (2, 16)))
    up = network.up[0](sg.asarray(below), sg.asarray(time), [sg.asarray(kept)])
    assert len(network.up[0].stages) == 1
    assert_close(up, real(seen[0], sg.asarray(time)), rtol=1e-12)
    assert_close(seen[0], np.concatenate([below.repeat(2, axis=2).repeat(2, axis=3), kept], axis=1))
