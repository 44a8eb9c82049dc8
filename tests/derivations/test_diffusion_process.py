"""The forward process of diffusion, and what a network's prediction means: equations by brute force."""

from __future__ import annotations

import numpy as np
import pytest
from estimates import assert_mean
from gaussian_data import MEAN, SIGMA, column, draw, exact
from scipy import stats
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM
from scratchgen.models.diffusion import (
    Schedule,
    cosine_schedule,
    linear_schedule,
    mean_from_noise,
    noise_from_x0,
    prediction_target,
    q_posterior,
    q_sample,
    q_step,
    score,
    x0_from_prediction,
)
from scratchgen.models.diffusion.sampling import reverse_log_var

T = 8
TIMES = np.arange(1, T + 1)
RNG = np.random.default_rng(0)
X0, EPS = RNG.normal(size=(2, T, 3))


def eight_steps() -> Schedule:
    """A schedule of T steps, made anew for each test."""
    return linear_schedule(T)


def all_times(x0: np.ndarray = X0, eps: np.ndarray = EPS) -> tuple[sg.Tensor, ...]:
    """x_0, eps and x_t with one example for each time, and the times: raw, on the device."""
    x0, eps, t = sg.asarray(x0), sg.asarray(eps), sg.asarray(TIMES)
    return x0, eps, q_sample(eight_steps(), x0, t, eps), t


@pytest.mark.equation("ddpm-linear-schedule")
def test_the_linear_schedule_of_the_paper() -> None:
    schedule = linear_schedule(1000)
    assert_close(schedule.beta[[0, -1]], [1e-4, 0.02], rtol=1e-12)
    assert_close(np.diff(schedule.beta), np.full(999, (0.02 - 1e-4) / 999), rtol=1e-9)
    assert_close(schedule.alpha_bar[-1], 4.0358e-5, rtol=1e-4)  # often printed: 4.04e-5
    # Of every T about the same: of four times as many betas the sum is as large, that of squares a quarter.
    finer = np.exp((schedule.beta**2).sum() * (1 - 1 / 4) / 2)
    assert_close(linear_schedule(4000).alpha_bar[-1], schedule.alpha_bar[-1] * finer, rtol=1e-3)


@pytest.mark.equation("ddpm-cosine-schedule")
def test_the_cosine_schedule_of_the_paper() -> None:
    schedule, t = cosine_schedule(1000), np.arange(1, 1001)
    angle = np.pi / 2 * (t / 1000 + 0.008) / 1.008
    expected = np.cos(angle) ** 2 / np.cos(np.pi / 2 * 0.008 / 1.008) ** 2
    assert_close(schedule.alpha_bar[:990], expected[:990], rtol=1e-9)
    assert schedule.beta.max() == 0.999
    assert_close(schedule.alpha_bar[-1], 0.0, atol=1e-8)
    assert (schedule.alpha_bar[200:800] > linear_schedule(1000).alpha_bar[200:800]).all()


@pytest.mark.equation("ddpm-snr")
def test_the_ratio_of_signal_to_noise_is_that_of_the_variances_and_falls() -> None:
    rng, n = RandomStream(0), 200_000
    for t in (1, 4, 8):
        times = sg.asarray(np.full(n, t))
        x0, eps = rng.normal((n, 1), np.float64), rng.normal((n, 1), np.float64)
        signal = sg.asnumpy(q_sample(eight_steps(), x0, times, eps * 0))
        noise = sg.asnumpy(q_sample(eight_steps(), x0 * 0, times, eps))
        assert_close(signal.var() / noise.var(), eight_steps().snr[t - 1], rtol=0.02)
    assert (np.diff(eight_steps().snr) < 0).all()


@pytest.mark.equation("ddpm-forward-step")
def test_a_step_keeps_a_variance_of_one() -> None:
    x = RandomStream(1).normal((100_000, 1), np.float64)
    for t in (1, 5):
        after = q_step(eight_steps(), x, sg.asarray(np.full(len(x), t)))
        beta = eight_steps().beta[t - 1]
        assert_close(after.mean, np.sqrt(1 - beta) * sg.asnumpy(x), rtol=1e-12)
        assert_close(sg.asnumpy(after.variance)[0], [beta], rtol=1e-12)
        assert_close(sg.asnumpy(after.sample(RandomStream(2))).var(), 1.0, rtol=0.02)


@pytest.mark.equation("ddpm-q-sample")
def test_t_steps_at_once_are_the_steps_one_by_one() -> None:
    mean, variance = X0[0], 0.0  # of x_t given x_0, carried along by the one-step kernel
    for t in TIMES:
        step = q_step(eight_steps(), sg.asarray(mean[None]), sg.asarray([t]))
        mean = sg.asnumpy(step.mean)[0]
        variance = (1 - eight_steps().beta[t - 1]) * variance + sg.asnumpy(step.variance)[0, 0]
        at_once = sg.asnumpy(
            q_sample(eight_steps(), sg.asarray(X0[:1]), sg.asarray([t]), sg.asarray(np.zeros((1, 3))))
        )
        assert_close(at_once[0], mean, rtol=1e-12)
        one = sg.asnumpy(
            q_sample(eight_steps(), sg.asarray(X0[:1]), sg.asarray([t]), sg.asarray(np.ones((1, 3))))
        )
        assert_close((one - at_once)[0], np.full(3, np.sqrt(variance)), rtol=1e-12)


@pytest.mark.equation("ddpm-q-sample")
def test_iterated_noise_has_the_distribution_of_the_closed_form() -> None:
    n, rng = 50_000, RandomStream(3)
    x = sg.asarray(np.tile(X0[:1], (n, 1)))
    for t in TIMES[:5]:
        x = q_step(eight_steps(), x, sg.asarray(np.full(n, t))).sample(rng)
    ab = eight_steps().alpha_bar[4]
    assert_mean(x, np.sqrt(ab) * X0[0])
    assert_close(sg.asnumpy(x).var(0), np.full(3, 1 - ab), rtol=0.03)


@pytest.mark.equation("ddpm-posterior-mean")
@pytest.mark.equation("ddpm-posterior-variance")
def test_the_posterior_is_that_of_bayes_rule() -> None:
    x0, _, xt, t = all_times()
    q = q_posterior(eight_steps(), x0, xt, t)
    mean, variance = sg.asnumpy(q.mean), np.broadcast_to(sg.asnumpy(q.variance), (T, 3))
    for i in range(1, T):  # t = i + 1, from 2 on
        ab, beta = eight_steps().alpha_bar[i - 1], eight_steps().beta[i]
        # log q(x_(t-1)|x_0) + log q(x_t|x_(t-1)) is quadratic in x_(t-1): its vertex and its curvature.
        grid = np.linspace(-1, 1, 5)[:, None]
        log_joint = stats.norm.logpdf(grid, np.sqrt(ab) * X0[i], np.sqrt(1 - ab)) + stats.norm.logpdf(
            sg.asnumpy(xt)[i], np.sqrt(1 - beta) * grid, np.sqrt(beta)
        )
        a, b, _ = np.polyfit(grid[:, 0], log_joint, 2)
        assert_close(mean[i], -b / (2 * a), rtol=1e-9)
        assert_close(variance[i], -1 / (2 * a), rtol=1e-9)


@pytest.mark.equation("ddpm-posterior-mean")
@pytest.mark.equation("ddpm-posterior-variance")
def test_the_first_step_back_leads_to_the_data_themselves() -> None:
    for schedule in (eight_steps(), cosine_schedule(1000), linear_schedule(1)):
        q = q_posterior(schedule, sg.asarray(X0[:1]), sg.asarray(EPS[:1]), sg.asarray([1]))
        assert_close(q.mean, X0[:1], rtol=1e-12)
        assert (sg.asnumpy(q.variance) == 0).all()


@pytest.mark.equation("ddpm-posterior-variance")
def test_q_given_the_data_is_consistent_from_one_time_to_the_next() -> None:
    # The mean over x_t ~ q(x_t|x_0) of q(x_(t-1)|x_t, x_0) is q(x_(t-1)|x_0).
    x0, eps, _, t = all_times()
    at = {
        scale: q_posterior(eight_steps(), x0, q_sample(eight_steps(), x0, t, eps * scale), t)
        for scale in (0, 1)
    }
    slope = sg.asnumpy(at[1].mean - at[0].mean) / EPS  # of the mean by eps
    before = column(np.append(1, eight_steps().alpha_bar[:-1]), TIMES)
    assert_close(at[0].mean, np.sqrt(before) * X0, rtol=1e-12)
    assert_close(slope**2 + sg.asnumpy(at[0].variance), np.tile(1 - before, 3), rtol=1e-9, atol=1e-15)


@pytest.mark.equation("ddpm-x0-from-noise")
def test_the_noise_gives_back_the_data() -> None:
    x0, eps, xt, t = all_times()
    assert_close(x0_from_prediction("noise", eight_steps(), eps, xt, t), X0, rtol=1e-7)
    assert_close(noise_from_x0(eight_steps(), x0, xt, t), EPS, rtol=1e-7)


@pytest.mark.equation("ddpm-v-prediction")
def test_v_is_xt_turned_by_a_right_angle() -> None:
    x0, eps, xt, t = all_times()
    v = prediction_target("v", eight_steps(), x0, eps, t)
    root = column(np.sqrt(eight_steps().alpha_bar), TIMES)
    angle = np.arccos(root)
    # (x_0, eps) -> (x_t, v) is a rotation by that angle: lengths stay, and v is the derivative of x_t by it.
    assert_close(sg.asnumpy(xt) ** 2 + sg.asnumpy(v) ** 2, X0**2 + EPS**2, rtol=1e-12)
    h = 1e-6
    turned = [np.cos(angle + d) * X0 + np.sin(angle + d) * EPS for d in (h, -h)]
    assert_close(v, (turned[0] - turned[1]) / (2 * h), rtol=1e-7, atol=1e-9)
    assert_close(x0_from_prediction("v", eight_steps(), v, xt, t), X0, rtol=1e-7)


@pytest.mark.equation("ddpm-score")
def test_the_best_noise_is_the_gradient_of_the_log_density() -> None:
    model, h = exact(eight_steps()), 1e-5
    _, _, xt, t = all_times()
    found = sg.asnumpy(score(eight_steps(), model(xt, t), t))
    ab = column(eight_steps().alpha_bar, TIMES)
    mean, sigma = np.sqrt(ab) * MEAN, np.sqrt(ab * SIGMA**2 + 1 - ab)
    at = [stats.norm.logpdf(sg.asnumpy(xt) + d, mean, sigma) for d in (h, -h)]
    assert_close(found, (at[0] - at[1]) / (2 * h), rtol=1e-6, atol=1e-8)
    eps = sg.tensor(EPS, requires_grad=True)
    assert_slopes(lambda: score(eight_steps(), eps, t), [eps])


@pytest.mark.equation("tweedie")
@pytest.mark.parametrize("prediction", ["noise", "x0", "v"])
def test_the_best_guess_of_the_data_needs_only_the_density_of_what_is_seen(prediction: str) -> None:
    _, _, xt, t = all_times()
    ab = column(eight_steps().alpha_bar, TIMES)
    mean, variance = np.sqrt(ab) * MEAN, ab * SIGMA**2 + 1 - ab
    slope = -(sg.asnumpy(xt) - mean) / variance  # of log q(x_t), a normal
    expected = (sg.asnumpy(xt) + (1 - ab) * slope) / np.sqrt(ab)
    assert_close(
        exact(eight_steps(), prediction).predict_x0(xt, t), expected, rtol=1e-8, atol=1e-7
    )  # at T, 1e-16 / alpha_bar


@pytest.mark.equation("denoising-score-matching")
def test_to_match_the_score_of_the_noise_is_to_match_the_score_of_the_density() -> None:
    model, t, n = exact(eight_steps()), len(eight_steps().alpha_bar) // 2, 100_000
    x0, times = draw(n), sg.asarray(np.full(n, t))
    eps = RandomStream(0).normal((n, 3), np.float64)
    xt = q_sample(eight_steps(), x0, times, eps)
    noise = np.sqrt(1 - eight_steps().alpha_bar[t - 1])
    of_example = -sg.asnumpy(eps) / noise
    of_density = sg.asnumpy(score(eight_steps(), model(xt, times), times))
    for s in (0.5 * of_density, of_density + 0.3, np.tanh(sg.asnumpy(xt))):  # any function of x_t
        pairs = (s, of_example), (s, of_density), (of_density, of_example)
        sides = [((a - b) ** 2).sum(1) for a, b in pairs]
        assert_mean(sides[0] - sides[1] - sides[2], 0.0)
        assert sides[1].mean() > 0.1


@pytest.mark.equation("ddpm-mean-from-noise")
def test_the_mean_from_the_noise_is_that_of_the_posterior_at_the_data_it_means() -> None:
    x0, eps, xt, t = all_times()
    expected = q_posterior(eight_steps(), x0, xt, t).mean
    assert_close(mean_from_noise(eight_steps(), eps, xt, t), expected, rtol=1e-9)


@pytest.mark.equation("ddpm-fixed-small")
@pytest.mark.equation("ddpm-fixed-large")
@pytest.mark.equation("ddpm-learned-variance")
def test_the_variances_are_right_at_the_two_ends_and_lie_between_elsewhere() -> None:
    schedule = cosine_schedule(50)
    t = np.arange(2, 51)
    xt, times = sg.asarray(RNG.normal(size=(49, 3))), sg.asarray(t)
    ab, before, beta = (a[1:] for a in (schedule.alpha_bar, schedule.alpha_bar_before, schedule.beta))
    found = {}
    for variance in ("fixed-small", "fixed-large"):
        model = exact(schedule, variance=variance)
        found[variance] = sg.asnumpy(model.reverse(xt, times).variance)
    # Var[x_(t-1)|x_t] for data N(m, s^2), by Bayes' rule: a point for s = 0, N(0, 1) for s = 1.
    for s, variance in ((0.0, "fixed-small"), (1.0, "fixed-large")):
        right = 1 / (1 / (before * s**2 + 1 - before) + (1 - beta) / beta)
        assert_close(found[variance][:, 0], right, rtol=1e-9)
    assert_close(found["fixed-large"][:, 0], beta, rtol=1e-12)
    assert_close(found["fixed-small"][:, 0], (1 - before) / (1 - ab) * beta, rtol=1e-9)
    for fraction, expected in ((0.0, "fixed-small"), (1.0, "fixed-large")):
        learned = exact(schedule, fraction=fraction).reverse(xt, times)
        assert_close(learned.variance, found[expected], rtol=1e-9)
    half = sg.asnumpy(exact(schedule, fraction=0.5).reverse(xt, times).variance)
    assert_close(half, np.sqrt(found["fixed-small"] * found["fixed-large"]), rtol=1e-9)
    fraction = sg.tensor(RNG.random((49, 3)), requires_grad=True)
    assert_slopes(lambda: reverse_log_var("learned", schedule, fraction, times, xt), [fraction])


@pytest.mark.equation("ddpm-fixed-small")
def test_at_the_first_step_the_small_variance_is_that_of_the_second() -> None:
    x, first, second = sg.asarray(X0[:1]), sg.asarray([1]), sg.asarray([2])
    model = exact(eight_steps())
    assert_close(model.reverse(x, first).log_var, model.reverse(x, second).log_var, rtol=1e-12)
    assert_close(
        exact(eight_steps(), fraction=1.0).reverse(x, first).variance, np.full((1, 3), eight_steps().beta[0])
    )
    only = exact(Schedule([0.3])).reverse(x, first)
    assert_close(only.variance, np.full((1, 3), 0.3), rtol=1e-12)


@pytest.mark.equation("ddpm-simple-loss")
@pytest.mark.parametrize("prediction", ["noise", "x0", "v"])
def test_the_simple_loss_is_the_squared_error_summed_over_dimensions(prediction: str) -> None:
    schedule, n = linear_schedule(20), 20_000
    model = exact(schedule, prediction)
    with sg.no_grad():
        found = model.loss(draw(n), RandomStream(5)).item()
    # The best prediction leaves the variance of the target given x_t: of eps, s^2 ab / (ab s^2 + 1 - ab).
    ab = schedule.alpha_bar[:, None]
    left = SIGMA**2 * ab / (ab * SIGMA**2 + 1 - ab)
    factor = {"noise": 1.0, "x0": (1 - ab) / ab, "v": 1 / ab}[prediction]
    assert_close(found, (left * factor).sum(1).mean(), rtol=0.03)


@pytest.mark.equation("ddpm-simple-loss")
def test_every_time_from_1_to_T_is_trained_equally_and_no_other() -> None:
    seen = []

    def network(xt: sg.Tensor, t: sg.Tensor) -> sg.Tensor:
        seen.append(sg.asnumpy(t))
        return xt

    model = DDPM(network, linear_schedule(5), (2,))
    for seed in range(50):
        model.loss(sg.asarray(np.zeros((200, 2))), RandomStream(seed))
    counts = np.bincount(np.concatenate(seen), minlength=6)
    assert counts[0] == 0
    assert len(counts) == 6
    # Each count is binomial, of 10,000 draws with 1/5: it may be off by five standard deviations of 40.
    assert_close(counts[1:], np.full(5, 2000.0), rtol=0, atol=200.0)
