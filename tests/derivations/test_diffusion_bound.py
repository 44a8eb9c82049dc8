"""The variational bound of diffusion, on Gaussian data, whose log p(x) and whose best network are known."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from estimates import assert_mean
from gaussian_data import MEAN, SIGMA, column, draw, exact
from scipy import special, stats
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Normal
from scratchgen.models.diffusion import (
    Schedule,
    bound_weight,
    cosine_schedule,
    discretised_normal_log_prob,
    linear_schedule,
    prediction_target,
    prior_kl,
    q_posterior,
    q_sample,
)

LOG_P = stats.norm(MEAN, SIGMA)


def bound_in_closed_form(x0: np.ndarray, model: object, fraction: float | None = None) -> np.ndarray:
    """The bound of `exact` without any sampling: the squared error of its x_0 has a closed-form mean."""
    schedule, variance = model.schedule, model.variance
    ab, before, beta = schedule.alpha_bar, schedule.alpha_bar_before, schedule.beta
    small = (1 - before) / (1 - ab) * beta
    small[0] = small[1]
    share = {"fixed-small": 0.0, "fixed-large": 1.0}.get(variance, fraction)
    sigma2 = beta**share * small ** (1 - share)
    total = 0.5 * (ab[-1] * x0**2 + (1 - ab[-1]) - np.log(1 - ab[-1]) - 1)
    for i in range(len(ab)):
        spread = ab[i] * SIGMA**2 + 1 - ab[i]
        # x_0 - E[x_0|x_t] = a (x_0 - m) - b eps
        a, b = (1 - ab[i]) / spread, np.sqrt(ab[i] * (1 - ab[i])) * SIGMA**2 / spread
        error = a**2 * (x0 - MEAN) ** 2 + b**2
        if i == 0:
            total = total + error / (2 * sigma2[0]) + 0.5 * np.log(2 * np.pi * sigma2[0])
        else:
            pull = before[i] * beta[i] ** 2 / (1 - ab[i]) ** 2 * error
            ratio = small[i] / sigma2[i]
            total = total + 0.5 * (pull / sigma2[i] + ratio - np.log(ratio) - 1)
    return total.sum(1)


@pytest.mark.equation("ddpm-prior-kl")
def test_the_prior_kl_is_that_of_two_gaussians_and_about_nothing_at_the_end() -> None:
    x0 = draw(50)
    for T in (5, 50):
        schedule = linear_schedule(T, last=0.005)
        ab = schedule.alpha_bar[-1]
        q = Normal(x0 * np.sqrt(ab), sg.asarray(np.full((50, 3), np.log(1 - ab))))
        assert_close(prior_kl(schedule, x0), sg.distributions.kl_divergence(q, Normal(0.0, 0.0)).sum(1))
    ones = sg.asarray(np.ones((1, 784)))
    assert sg.asnumpy(prior_kl(linear_schedule(1000), ones))[0] < 0.02  # of an image, all white
    assert sg.asnumpy(prior_kl(cosine_schedule(1000), ones))[0] < 1e-5


@pytest.mark.equation("ddpm-bound-term")
@pytest.mark.parametrize("variance", ["fixed-small", "fixed-large"])
def test_each_term_is_the_divergence_of_the_true_step_from_the_models(variance: str) -> None:
    model, x0 = exact(linear_schedule(6), variance=variance), draw(5)
    for t in range(2, 7):
        found = model.terms_at(x0, t, RandomStream(1))["bound"]
        times = sg.asarray(np.full(5, t))
        xt = model.q_sample(x0, times, RandomStream(1).normal((5, 3), np.float64))
        q, p = model.q_posterior(x0, xt, times), model.reverse(xt, times)
        with sg.no_grad():
            z = q.sample(RandomStream(2), samples=40_000)
            log_ratio = sg.asnumpy((q.log_prob(z) - p.log_prob(z)).sum(axis=-1))
        assert_mean(log_ratio, found)
    assert_slopes(lambda: model.bound_loss(x0, RandomStream(1)), model.parameters())


@pytest.mark.equation("ddpm-bound-term")
def test_the_first_term_is_the_surprise_at_the_levels_of_the_data() -> None:
    model = exact(linear_schedule(6), variance="fixed-large")
    model.levels = 5
    x0 = np.random.default_rng(8).integers(0, 5, (40, 3)) / 2 - 1.0
    found = model.terms_at(sg.asarray(x0), 1, RandomStream(1))["bound"]
    times = sg.asarray(np.full(40, 1))
    xt = model.q_sample(sg.asarray(x0), times, RandomStream(1).normal((40, 3), np.float64))
    with sg.no_grad():
        p = model.reverse(xt, times)
        mean, sigma = sg.asnumpy(p.mean), np.sqrt(sg.asnumpy(p.variance))
    high = np.where(x0 == 1, np.inf, (x0 + 0.25 - mean) / sigma)
    low = np.where(x0 == -1, -np.inf, (x0 - 0.25 - mean) / sigma)
    mass = np.where(
        low > 0, stats.norm.sf(low) - stats.norm.sf(high), stats.norm.cdf(high) - stats.norm.cdf(low)
    )
    likely = mass.min(axis=1) > 1e-9  # else the digits of the difference are lost here
    assert likely.sum() > 10
    assert_close(sg.asnumpy(found)[likely], -np.log(mass[likely]).sum(axis=1), rtol=1e-6)


@pytest.mark.equation("ddpm-bound")
@pytest.mark.parametrize("variance", ["fixed-small", "fixed-large"])
@pytest.mark.parametrize("beta", [(0.1, 0.2, 0.3, 0.4), (0.02, 0.1, 0.5, 0.9)])
def test_the_bound_is_the_mean_log_ratio_of_whole_paths(variance: str, beta: tuple[float, ...]) -> None:
    # By its definition, E_q log q(x_1 .. x_T|x_0) - log p(x_0 .. x_T), over paths drawn step by step. With
    # the first betas alpha_bar_T is 0.3, and the KL of the prior a good part of the bound.
    n, schedule = 40_000, Schedule(beta)
    model, rng = exact(schedule, variance=variance), RandomStream(3)
    x0 = np.tile(sg.asnumpy(draw(1)), (n, 1))
    steps, total = [x0], np.zeros(n)
    for t in range(1, 5):
        mean, deviation = np.sqrt(1 - schedule.beta[t - 1]) * steps[-1], np.sqrt(schedule.beta[t - 1])
        steps.append(mean + deviation * sg.asnumpy(rng.normal((n, 3), np.float64)))
        total += stats.norm.logpdf(steps[-1], mean, deviation).sum(1)
    total -= stats.norm.logpdf(steps[-1]).sum(1)
    for t in range(1, 5):
        with sg.no_grad():
            p = model.reverse(sg.asarray(steps[t]), t)
            total -= sg.asnumpy(p.log_prob(sg.asarray(steps[t - 1])).sum(axis=1))
    expected = bound_in_closed_form(x0[:1], model)[0]
    assert_mean(total, expected)
    assert_mean(model.bound(sg.asarray(x0), RandomStream(4)), expected)


@pytest.mark.equation("ddpm-bound")
@pytest.mark.parametrize("prediction", ["noise", "x0", "v"])
def test_the_estimated_bound_is_unbiased_however_many_times_are_drawn(prediction: str) -> None:
    model = exact(linear_schedule(10, last=0.001), prediction)
    x0 = np.tile(sg.asnumpy(draw(2)), (20_000, 1))
    expected = bound_in_closed_form(x0[:2], model)
    for steps in (None, 1, 3):
        found = sg.asnumpy(model.bound(sg.asarray(x0), RandomStream(5), steps=steps)).reshape(-1, 2)
        assert_mean(found, expected)


@pytest.mark.equation("ddpm-bound")
def test_one_random_term_times_T_is_the_bound() -> None:
    # A weight of 1 in place of T would give a tenth of it.
    model, n = exact(linear_schedule(10, last=0.001), fraction=0.5), 40_000
    x0 = np.tile(sg.asnumpy(draw(1)), (n, 1))
    expected = bound_in_closed_form(x0[:1], model, 0.5)[0]
    with sg.no_grad():
        losses = [model.bound_loss(sg.asarray(x0), RandomStream(6, i)).item() for i in range(10)]
        logged = [model.loss_terms(sg.asarray(x0), RandomStream(7, i))["bound"].item() for i in range(10)]
    assert_mean(np.array(losses), expected)
    assert_mean(np.array(logged), expected)


@pytest.mark.equation("ddpm-bound")
def test_the_bound_approaches_the_exact_likelihood_as_the_steps_get_smaller() -> None:
    data = sg.asnumpy(draw(2000))
    gaps: dict[str, list[float]] = {"fixed-large": [], "fixed-small": []}
    for variance, found in gaps.items():
        for T in (50, 200, 800, 3200) if variance == "fixed-large" else (200, 1250, 5000, 20_000):
            model, x0 = (
                exact(linear_schedule(T), variance=variance),
                data[: 2000 if T in (50, 200, 800, 3200) else 40],
            )
            found.append((bound_in_closed_form(x0, model) + LOG_P.logpdf(x0).sum(1)).mean())
            if T == 200:  # the closed form is the model's own bound
                difference = sg.asnumpy(model.bound(sg.asarray(x0), RandomStream(8))) - bound_in_closed_form(
                    x0, model
                )
                assert_mean(difference, 0.0)
    large = gaps["fixed-large"]
    assert all(3 < more / fewer < 5 for more, fewer in itertools.pairwise(large))  # as 1 / T
    assert 0 < large[3] < 0.002
    # The small variance is a half, two thirds, three quarters ... of the right one in the first steps, small
    # as they may be. It costs (Euler's constant + 1 - log 2) / 2 nats for each dimension, for ever.
    a, b, c = gaps["fixed-small"][1:]
    limit = c - (c - b) ** 2 / (c - 2 * b + a)  # of numbers whose differences shrink evenly, by Aitken
    assert_close(limit, 3 * (np.euler_gamma + 1 - np.log(2)) / 2, rtol=0.02)


@pytest.mark.equation("ddpm-loss-weight")
@pytest.mark.parametrize("prediction", ["noise", "x0", "v"])
@pytest.mark.parametrize("variance", ["fixed-small", "fixed-large"])
def test_a_term_of_the_bound_is_the_weighted_squared_error(prediction: str, variance: str) -> None:
    schedule = cosine_schedule(12)
    model, t = exact(schedule, prediction, variance=variance), np.arange(2, 13)
    x0, times = draw(11), sg.asarray(np.arange(2, 13))
    terms = model.terms_at(x0, times, RandomStream(9))
    small = schedule.posterior_variance
    chosen = small if variance == "fixed-small" else schedule.beta
    weight = bound_weight(prediction, schedule, chosen)[t - 1]
    ratio = small[t - 1] / chosen[t - 1]
    constant = 3 * 0.5 * (ratio - np.log(ratio) - 1)  # what is left if the prediction is right
    assert_close(terms["bound"], weight * sg.asnumpy(terms["simple"]) + constant, rtol=1e-7, atol=1e-9)
    if (prediction, variance) == ("noise", "fixed-small"):  # the formula of the paper, number by number
        beta, ab, alpha = schedule.beta[t - 1], schedule.alpha_bar[t - 1], schedule.alpha[t - 1]
        assert_close(weight, beta**2 / (2 * small[t - 1] * alpha * (1 - ab)), rtol=1e-12)
    eps = RandomStream(9).normal((11, 3), np.float64)
    xt = q_sample(schedule, x0, times, eps)
    error = sg.asnumpy(model(xt, times)) - sg.asnumpy(prediction_target(prediction, schedule, x0, eps, times))
    assert_close(terms["simple"], (error**2).sum(1), rtol=1e-9)


@pytest.mark.equation("log-difference")
@pytest.mark.equation("ddpm-discretised-gaussian")
def test_the_probabilities_of_all_levels_add_up_to_one() -> None:
    for levels in (2, 17, 256):
        x = np.linspace(-1, 1, levels)
        for mean, sigma in ((0.0, 0.2), (0.9, 0.05), (-1.4, 0.3), (0.1, 5.0), (0.3, 0.004)):
            found = discretised_normal_log_prob(
                sg.asarray(x), sg.asarray(np.array([mean])), sg.asarray(np.array([2 * np.log(sigma)])), levels
            )
            assert_close(np.exp(sg.asnumpy(found)).sum(), 1.0, rtol=1e-12)


@pytest.mark.equation("ddpm-discretised-gaussian")
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_a_levels_probability_is_exact_to_the_far_tails(dtype: type) -> None:
    levels, half = 256, 1 / 255
    x = np.array([-1.0, -1 + 2 / 255, 1 / 255, 1 - 2 / 255, 1.0])[:, None]
    mean, sigma = np.array([-1.2, -0.5, 0.0, 0.9, 1.3]), 0.05
    found = discretised_normal_log_prob(
        *(sg.asarray(np.broadcast_to(a, (5, 5)), dtype) for a in (x, mean, 2 * np.log(sigma))), levels
    )
    lower, upper = (x - half - mean) / sigma, (x + half - mean) / sigma
    flip = lower + upper > 0  # into the left tail, where SciPy's logarithms keep their digits
    low, high = np.where(flip, -upper, lower), np.where(flip, -lower, upper)
    with np.errstate(divide="ignore"):
        expected = special.log_ndtr(high) + np.log1p(-np.exp(special.log_ndtr(low) - special.log_ndtr(high)))
    expected[0], expected[-1] = special.log_ndtr(upper[0]), special.log_ndtr(-lower[-1])
    assert expected.min() < -500  # where a difference of two Phi is 0, and its logarithm lost
    assert_close(found, expected, rtol=1e-11 if dtype == np.float64 else 2e-4)
    assert found.dtype == dtype
    # Phi by a tanh, as others have it, is off by up to 1.8e-4 in the probability of a tail.
    z = np.linspace(-4, 4, 2001)
    by_tanh = 0.5 * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3)))
    assert 1.5e-4 < np.abs(by_tanh - special.ndtr(z)).max() < 2e-4
    ours = discretised_normal_log_prob(
        sg.asarray(np.full(2001, -1.0)), sg.asarray(half - 1 - z), sg.asarray(np.zeros(2001)), levels
    )
    assert_close(np.exp(sg.asnumpy(ours)), special.ndtr(z), rtol=1e-12, atol=1e-300)


@pytest.mark.equation("ddpm-discretised-gaussian")
def test_its_derivatives_are_right_also_at_the_edges_and_far_out() -> None:
    x = sg.asarray(np.array([-1.0, -1.0, -0.2, 0.0, 0.6, 1.0, 1.0]))
    mean, log_var = np.array([-1.2, 0.7, 0.0, 0.01, -0.9, 0.8, 1.5]), np.array([-3.0, -4, -5, -6, -4, -3, -2])
    sg.check_gradients(lambda m, v: discretised_normal_log_prob(x, m, v, 17), mean, log_var)
    far = [sg.tensor(np.float32([a]), requires_grad=True) for a in (3.0, -12.0)]
    y = discretised_normal_log_prob(sg.asarray(np.float32([-0.5])), *far)
    by_mean, by_log_var = (sg.asnumpy(g)[0] for g in sg.grad(y.sum(), far))
    z2 = (3.5 - 1 / 255) ** 2 * np.exp(12)  # about a quadratic, of the bin's nearer edge
    assert_close(y, [-z2 / 2], rtol=1e-4)
    assert_close(by_mean, -3.5 * np.exp(12), rtol=5e-3)
    assert_close(by_log_var, z2 / 2, rtol=1e-3)


@pytest.mark.equation("ddpm-bits-per-dim")
def test_the_bits_per_dimension_of_grey_gaussians_are_those_of_their_levels() -> None:
    mean, sigma, n = np.array([0.1, -0.3]), np.array([0.25, 0.15]), 4000
    for levels, T in ((64, 400), (256, 1000)):
        edges = (np.arange(levels + 1) - 0.5) * 2 / (levels - 1) - 1
        edges[[0, -1]] = -np.inf, np.inf
        probabilities = np.diff(stats.norm.cdf(edges[:, None], mean, sigma), axis=0)  # (levels, 2)
        rng = np.random.default_rng(10)
        chosen = np.stack([rng.choice(levels, n, p=p) for p in probabilities.T], axis=1)
        x0 = sg.asarray(chosen * 2 / (levels - 1) - 1)
        right = -np.log2(np.take_along_axis(probabilities, chosen, axis=0)).mean()
        # In the last step, noise of about a level's width: the exact network knows nothing of levels.
        schedule = linear_schedule(T, first=T / 1000 * levels**-2)
        model = exact(schedule, levels=levels, mean=mean, sigma=sigma, variance="fixed-large")
        bits = model.bits_per_dim(x0, RandomStream(11), steps=100)
        assert bits.shape == (n,)
        assert right < sg.asnumpy(bits).mean() < right + 0.1
        nats = sg.asnumpy(model.bound(x0, RandomStream(11), steps=100))
        assert_close(bits, nats / (2 * np.log(2)), rtol=1e-12)


@pytest.mark.equation("ddpm-hybrid-loss")
def test_the_hybrid_loss_holds_the_mean_fixed_in_the_bound() -> None:
    model, x0 = exact(linear_schedule(30), fraction=0.3), draw(64)
    terms = model.loss_terms(x0, RandomStream(12))
    assert_close(terms["loss"], sg.asnumpy(terms["simple"]) + 0.001 * sg.asnumpy(terms["bound"]), rtol=1e-12)

    # A network with a weight each for mean and variance: the bound's gradient reaches only the second.
    class Weighed(sg.nn.Module):
        def __init__(self) -> None:
            self.inner = model.network
            self.mean = sg.nn.Parameter(np.full(1, 0.9))
            self.fraction = sg.nn.Parameter(np.full(1, 0.9))

        def forward(self, xt: sg.Tensor, t: sg.Tensor) -> sg.Tensor:
            y = self.inner(xt, t)
            return sg.cat([y[:, :3] * self.mean, y[:, 3:] * self.fraction], axis=1)

    model.network = weighed = Weighed()
    both = [weighed.mean, weighed.fraction]
    terms = model.loss_terms(x0, RandomStream(13))
    by_simple = sg.asnumpy(sg.grad(terms["simple"], weighed.mean)[0])
    by_loss = [sg.asnumpy(g) for g in sg.grad(terms["loss"], both)]
    assert_close(by_loss[0], by_simple, rtol=1e-12)
    by_bound = sg.asnumpy(sg.grad(terms["bound"], weighed.fraction)[0])
    assert_close(by_loss[1], 0.001 * by_bound, rtol=1e-12)
    assert abs(by_bound) > 0.1
    full = sg.grad(model.bound_loss(x0, RandomStream(13)), both)  # the bound as such reaches both
    assert abs(sg.asnumpy(full[0])) > 0.1


def test_the_bound_is_least_at_the_variance_of_the_true_step_back() -> None:
    # For data of N(0, I) that is beta_t, so f = 1, for t > 1; for data that are a point f = 0.
    for sigma, best in ((1.0, 1.0), (1e-3, 0.0)):
        losses = {}
        for fraction in (-0.2, 0.0, 0.5, 1.0, 1.2):
            model = exact(cosine_schedule(20), fraction=fraction, mean=np.zeros(3), sigma=np.full(3, sigma))
            x0 = sg.asarray(sigma * np.random.default_rng(14).normal(size=(4000, 3)))
            terms = [model.terms_at(x0, t, RandomStream(15, t))["bound"] for t in range(2, 21)]
            losses[fraction] = sum(sg.asnumpy(term).mean() for term in terms)
        assert min(losses, key=losses.get) == best


def test_the_step_at_t_1_of_the_bound_is_the_likelihood_and_only_there() -> None:
    schedule = linear_schedule(6)
    model, x0 = exact(schedule), draw(4)
    eps = RandomStream(16).normal((4, 3), np.float64)
    found = model.terms_at(x0, 1, RandomStream(16))["bound"]
    p = model.reverse(model.q_sample(x0, 1, eps), 1)
    with sg.no_grad():
        assert_close(found, -sg.asnumpy(p.log_prob(x0).sum(axis=1)), rtol=1e-12)
    mixed = model.terms_at(x0, sg.asarray(np.array([1, 2, 1, 6])), RandomStream(16))["bound"]
    assert_close(sg.asnumpy(mixed)[[0, 2]], sg.asnumpy(found)[[0, 2]], rtol=1e-12)
    assert (np.abs(sg.asnumpy(mixed)[[1, 3]] - sg.asnumpy(found)[[1, 3]]) > 1e-3).all()
    assert column(schedule.alpha_bar, np.array([1])).shape == (1, 1)
    q = q_posterior(schedule, x0, x0, sg.asarray(np.full(4, 1)))
    assert (sg.asnumpy(q.variance) == 0).all()
