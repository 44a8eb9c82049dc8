"""Sampling: with the exact network of Gaussian data, samples must have the distribution of the data."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from gaussian_data import MEAN, SIGMA, exact
from scipy import stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM
from scratchgen.models.diffusion import (
    cosine_schedule,
    ddim_sigma,
    ddim_step,
    ddim_times,
    guided,
    linear_schedule,
    noise_from_x0,
    q_posterior,
    q_sample,
)


def chain(schedule: object, variance: str, m: Any = MEAN, s: Any = SIGMA) -> tuple[np.ndarray, np.ndarray]:
    """Mean and variance of what the T steps of an exact model give: each is affine, so both are carried."""
    ab, before, beta = schedule.alpha_bar, schedule.alpha_bar_before, schedule.beta
    mean, spread = np.zeros_like(m), np.ones_like(m)
    for i in reversed(range(len(ab))):
        total = ab[i] * s**2 + 1 - ab[i]
        # E[x_0|x_t] = offset + slope x_t, and x_(t-1) = share0 x_0 + share x_t + sigma z
        slope = np.sqrt(ab[i]) * s**2 / total
        offset = (1 - ab[i]) * m / total
        share0 = np.sqrt(before[i]) * beta[i] / (1 - ab[i])
        share = np.sqrt(1 - beta[i]) * (1 - before[i]) / (1 - ab[i])
        sigma2 = beta[i] * ((1 - before[i]) / (1 - ab[i]) if variance == "fixed-small" else 1.0)
        mean = share0 * (offset + slope * mean) + share * mean
        spread = (share0 * slope + share) ** 2 * spread + (sigma2 if i else 0.0)
    return mean, spread


def assert_variance(samples: np.ndarray, expected: np.ndarray, errors: float = 5.0) -> None:
    """Assert that Gaussian samples have a variance, to within that many of its standard errors."""
    found = samples.var(axis=0, ddof=1)
    assert (np.abs(found / expected - 1) < errors * np.sqrt(2 / len(samples))).all(), (found, expected)


@pytest.mark.equation("ddpm-sample-step")
@pytest.mark.parametrize("variance", ["fixed-small", "fixed-large"])
@pytest.mark.parametrize("prediction", ["noise", "x0", "v"])
def test_samples_of_the_exact_model_have_the_distribution_of_its_chain(
    variance: str, prediction: str
) -> None:
    schedule = linear_schedule(20)
    model = exact(schedule, prediction, variance=variance)
    samples = sg.asnumpy(model.sample(40_000, RandomStream(0)))
    mean, spread = chain(schedule, variance)
    assert_mean(samples, mean)
    assert_variance(samples, spread)  # no noise at the last step, else it would be larger by sigma_1^2


@pytest.mark.equation("ddpm-sample-step")
def test_with_many_steps_samples_have_the_distribution_of_the_data() -> None:
    for variance in ("fixed-small", "fixed-large"):
        gaps = []
        for T in (20, 100, 500, 2500):
            mean, spread = chain(linear_schedule(T), variance)
            gaps.append(max(np.abs(mean - MEAN).max(), np.abs(spread / SIGMA**2 - 1).max()))
        assert gaps[0] > gaps[1] > gaps[2] > gaps[3]
        assert_close(gaps[-1], 0.0, atol=0.02)
    samples = sg.asnumpy(exact(linear_schedule(1000)).sample(4000, RandomStream(1)))
    for d in range(3):
        assert stats.kstest(samples[:, d], stats.norm(MEAN[d], SIGMA[d]).cdf).pvalue > 1e-3


@pytest.mark.equation("ddpm-sample-step")
def test_the_first_and_the_last_step() -> None:
    asked, model = [], exact(linear_schedule(5))

    class Asked(sg.nn.Module):
        def __init__(self) -> None:
            self.inner = model.network

        def forward(self, xt: sg.Tensor, t: sg.Tensor) -> sg.Tensor:
            asked.append(sg.asnumpy(t).tolist())
            return self.inner(xt, t)

    model.network = Asked()
    path = list(model.reverse_process(2, RandomStream(2)))
    assert asked == [[5, 5], [4, 4], [3, 3], [2, 2], [1, 1]]
    assert [t for t, _ in path] == [5, 4, 3, 2, 1, 0]
    # x_T is pure noise, the first that is drawn; after the last step x is the mean, without noise.
    assert_close(path[0][1], RandomStream(2).normal((2, 3), np.float64), rtol=0)
    assert_close(path[-1][1], model.reverse(path[-2][1], 1).mean, rtol=1e-9)
    assert_close(path[-1][1], model.predict_x0(path[-2][1], 1), rtol=1e-9)
    # Between them the noise drawn next is added, with the deviation of the step.
    rng = RandomStream(2)
    _, z = (sg.asnumpy(rng.normal((2, 3), np.float64)) for _ in range(2))
    with sg.no_grad():
        step = model.reverse(path[0][1], 5)
    assert_close(path[1][1], sg.asnumpy(step.mean) + np.sqrt(sg.asnumpy(step.variance)) * z, rtol=1e-9)


@pytest.mark.equation("ddim-sigma")
def test_sigma_of_one_step_is_the_posteriors_and_none_is_added_at_the_end() -> None:
    schedule = cosine_schedule(40)
    for t in range(1, 41):
        expected = np.sqrt(schedule.posterior_variance[t - 1])
        assert_close(ddim_sigma(schedule, t, t - 1, eta=1.0), expected, rtol=1e-9, atol=1e-15)
        assert_close(ddim_sigma(schedule, t, t - 1, eta=0.3), 0.3 * expected, rtol=1e-9, atol=1e-15)
        assert ddim_sigma(schedule, t, t - 1, eta=0.0) == 0
        assert ddim_sigma(schedule, t, 0, eta=1.0) == 0


@pytest.mark.equation("ddim-step")
@pytest.mark.parametrize("eta", [0.0, 0.4, 1.0])
@pytest.mark.parametrize(("t", "s"), [(20, 19), (20, 5), (12, 1), (7, 0), (1, 0)])
def test_a_step_leads_from_the_distribution_at_t_to_that_at_s(eta: float, t: int, s: int) -> None:
    schedule, n = cosine_schedule(20), 40_000
    x0 = np.array([[0.7, -1.2, 0.1]])
    rng = RandomStream(3, t, s)
    eps, z = rng.normal((n, 3), np.float64), rng.normal((n, 3), np.float64)
    many = sg.asarray(np.tile(x0, (n, 1)))
    xs = sg.asnumpy(ddim_step(schedule, many, eps, z, t, s, eta))
    ab = schedule.alpha_bar[s - 1] if s else 1.0
    assert_close(xs.mean(0), np.sqrt(ab) * x0[0], atol=5 * np.sqrt((1 - ab) / n) + 1e-12)
    if s:
        assert_variance(xs, np.full(3, 1 - ab))
    else:
        assert_close(xs, np.tile(x0, (n, 1)), rtol=1e-12)


@pytest.mark.equation("ddim-step")
@pytest.mark.equation("ddim-is-ddpm")
def test_with_eta_1_it_is_the_step_of_ddpm() -> None:
    schedule = linear_schedule(30)
    x0, eps, z = np.random.default_rng(4).normal(size=(3, 30, 2))
    t = sg.asarray(np.arange(1, 31))
    xt = q_sample(schedule, sg.asarray(x0), t, sg.asarray(eps))
    q = q_posterior(schedule, sg.asarray(x0), xt, t)
    expected = sg.asnumpy(q.mean) + np.sqrt(sg.asnumpy(q.variance)) * z
    for i in range(30):
        row = [sg.asarray(a[i : i + 1]) for a in (x0, eps, z)]
        assert_close(ddim_step(schedule, *row, i + 1, i, eta=1.0), expected[i : i + 1], rtol=1e-7, atol=1e-9)


@pytest.mark.equation("ddim-is-ddpm")
@pytest.mark.parametrize("prediction", ["noise", "x0", "v"])
def test_all_steps_with_eta_1_are_ddpms_samples(prediction: str) -> None:
    model = exact(linear_schedule(25), prediction)
    ddpm = model.sample(6, RandomStream(5))
    assert_close(model.ddim_sample(6, RandomStream(5), steps=25, eta=1.0), ddpm, rtol=1e-6, atol=1e-7)
    assert np.abs(sg.asnumpy(model.ddim_sample(6, RandomStream(5), steps=25, eta=0.0) - ddpm)).max() > 0.1


@pytest.mark.equation("ddim-step")
def test_without_noise_the_exact_model_maps_the_noise_onto_the_data() -> None:
    # As the steps get finer the map tends to x_0 = m + s x_T, the flow that carries N(0, 1) to N(m, s^2).
    model = exact(linear_schedule(1000))
    noise = sg.asnumpy(RandomStream(6).normal((200, 3), np.float64))
    errors = []
    for steps in (10, 50, 250, 1000):
        x0 = sg.asnumpy(model.ddim_sample(200, RandomStream(6), steps=steps, eta=0.0))
        errors.append(np.abs(x0 - (MEAN + SIGMA * noise)).max())
    assert errors[0] > 2 * errors[1] > 4 * errors[2]
    assert errors[-1] < 0.05
    once, again = (model.ddim_sample(5, RandomStream(7), steps=10, eta=0.0) for _ in range(2))
    assert_close(once, again, rtol=0)


@pytest.mark.equation("ddim-step", "ddim-sigma", "ddim-times")
def test_every_step_but_the_last_adds_noise_of_its_own_to_each_example() -> None:
    schedule, rng = linear_schedule(12), RandomStream(9)
    model, ab = exact(schedule), np.append(1.0, schedule.alpha_bar)
    x = sg.asnumpy(rng.normal((5, 3), np.float64))
    for t, s in ((12, 8), (8, 4), (4, 0)):
        x0 = sg.asnumpy(model.predict_x0(sg.asarray(x), t))
        eps = (x - np.sqrt(ab[t]) * x0) / np.sqrt(1 - ab[t])
        sigma = 0.7 * np.sqrt((1 - ab[s]) / (1 - ab[t])) * np.sqrt(1 - ab[t] / ab[s])
        x = np.sqrt(ab[s]) * x0 + np.sqrt(1 - ab[s] - sigma**2) * eps
        x += sigma * sg.asnumpy(rng.normal((5, 3), np.float64)) if s else 0.0
    assert_close(model.ddim_sample(5, RandomStream(9), steps=3, eta=0.7), x, rtol=1e-9)


def test_few_steps_without_noise_are_better_than_as_many_of_ddpm() -> None:
    # As on pictures (Song et al. 2021, table 1): DDIM, fixed-small, fixed-large; here the variances.
    model, n = exact(linear_schedule(1000)), 20_000
    gaps = []
    for eta in (0.0, 1.0):
        x0 = sg.asnumpy(model.ddim_sample(n, RandomStream(8), steps=10, eta=eta))
        gaps.append(np.abs(x0.var(0) / SIGMA**2 - 1).max())
    assert gaps[0] < gaps[1]
    small, large = (
        np.abs(chain(linear_schedule(10), variance)[1] / SIGMA**2 - 1).max()
        for variance in ("fixed-small", "fixed-large")
    )
    assert small < large


def test_times_lead_from_T_to_0_and_never_repeat() -> None:
    for T, steps in ((1000, 1), (1000, 50), (1000, 999), (1000, 1000), (7, 5), (1, 1)):
        times = ddim_times(T, steps)
        assert len(times) == steps + 1
        assert (times[0], times[-1]) == (T, 0)
        assert (np.diff(times) < 0).all()
        assert np.abs(times - np.linspace(T, 0, steps + 1)).max() <= 0.5  # to the nearest


def test_the_noise_of_the_data_predicted_is_consistent_with_them() -> None:
    schedule, t = linear_schedule(10), sg.asarray(np.arange(1, 11))
    x0, xt = (sg.asarray(a) for a in np.random.default_rng(9).normal(size=(2, 10, 2)))
    assert_close(q_sample(schedule, x0, t, noise_from_x0(schedule, x0, xt, t)), xt, rtol=1e-9)


class TwoMeans(sg.nn.Module):
    """The exact noise for two classes, N(-1, s^2) and N(1, s^2); and without a label that of N(0, s^2)."""

    sigma = 0.5

    def __init__(self, schedule: object) -> None:
        self.schedule = schedule

    def forward(self, xt: sg.Tensor, t: sg.Tensor, labels: sg.Tensor) -> sg.Tensor:
        mean = sg.asarray(np.array([-1.0, 1.0, 0.0]))[labels].reshape((-1, 1)).astype(xt.dtype)
        signal, noise = (self.schedule.at(name, t, xt) for name in ("signal", "noise"))
        return noise * (xt - signal * mean) / (signal**2 * self.sigma**2 + noise**2)


@pytest.mark.equation("guidance")
def test_guidance_weights() -> None:
    rng = np.random.default_rng(10)
    label, none = (sg.asarray(a) for a in rng.normal(size=(2, 4, 3)))
    assert_close(guided(label, none, 0.0), label, rtol=0)
    assert_close(guided(label, none, -1.0), none, rtol=0)
    assert_close(guided(label, label, 3.0), label, rtol=1e-9)
    assert_close(guided(label, none, 1.0), 2 * sg.asnumpy(label) - sg.asnumpy(none), rtol=1e-12)


@pytest.mark.equation("guidance")
def test_guided_samples_lie_beyond_their_class() -> None:
    # Of equal variances, the guided mean is m + w (m - 0): at -1 that of no label, at 1 twice the class's.
    schedule = linear_schedule(200)
    model = DDPM(TwoMeans(schedule), schedule, (1,), classes=2)
    labels = np.repeat([0, 1], 5000)
    for weight in (-1.0, 0.0, 1.0, 2.5):
        x = sg.asnumpy(model.sample(10_000, RandomStream(11), labels=labels, guidance=weight))
        for k, m in ((0, -1.0), (1, 1.0)):
            mean, spread = chain(schedule, "fixed-small", np.array([(1 + weight) * m]), 0.5)
            assert_mean(x[labels == k], mean)
            assert_variance(x[labels == k], spread)
    assert_mean(sg.asnumpy(model.sample(10_000, RandomStream(11))), np.zeros(1))
    ddim = sg.asnumpy(model.ddim_sample(500, RandomStream(12), 50, 0.0, labels=1, guidance=1.0))
    assert_close(ddim.mean(), 2.0, atol=0.1)
