"""Moments and slopes of the distributions, and what a random picture of zeros and ones has of a grey one."""

from __future__ import annotations

import numpy as np
import pytest
from estimates import assert_mean
from scipy import stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import binarise
from scratchgen.distributions import Bernoulli, Categorical, Mixture, Normal, kl_divergence
from scratchgen.distributions.normal import reparameterise
from scratchgen.models import VAE

RNG = np.random.default_rng(0)
X, MEAN, LOG_VAR, G = RNG.normal(size=(4, 5))


def variable(x: np.ndarray) -> sg.Tensor:
    return sg.tensor(sg.asarray(x), requires_grad=True)


@pytest.mark.equation("bernoulli-moments")
def test_the_moments_of_a_zero_or_one() -> None:
    p = Bernoulli(sg.asarray(np.array([-40.0, -1.0, 0.0, 3.0])))
    s = stats.logistic.cdf([-40.0, -1.0, 0.0, 3.0])
    assert_close(p.mean, s, rtol=1e-12)
    assert_close(p.variance, s * stats.logistic.sf([-40.0, -1.0, 0.0, 3.0]), rtol=1e-12)
    draws = sg.asnumpy(p.sample(RandomStream(0), 40_000))
    assert_mean(draws[:, 1:], s[1:])
    assert_mean((draws[:, 1:] - s[1:]) ** 2, sg.asnumpy(p.variance)[1:])


@pytest.mark.equation("categorical-moments")
def test_the_moments_of_a_level() -> None:
    table = RNG.dirichlet(np.ones(4), size=(3, 2))
    p, levels = Categorical(sg.asarray(np.log(table))), np.arange(4)
    assert_close(p.mean, table @ levels, rtol=1e-12)
    assert_close(p.variance, table @ levels**2 - (table @ levels) ** 2, rtol=1e-10)


@pytest.mark.equation("mixture-moments")
def test_the_variance_within_and_between() -> None:
    pi, mean, log_var = np.array([0.2, 0.5, 0.3]), RNG.normal(size=(3, 2)), RNG.normal(size=(3, 2))
    p = Mixture(sg.asarray(np.log(pi)), Normal(sg.asarray(mean), sg.asarray(log_var)))
    second = pi @ (np.exp(log_var) + mean**2)
    assert_close(p.mean, pi @ mean, rtol=1e-12)
    assert_close(p.variance, second - (pi @ mean) ** 2, rtol=1e-12)
    both = (sg.asarray(np.array([a, a])) for a in (mean, log_var))
    two = Mixture(sg.asarray(np.log([pi, pi[::-1]])), Normal(*both))
    assert_close(two.mean, [pi @ mean, pi[::-1] @ mean], rtol=1e-12)
    turned = pi[::-1] @ (np.exp(log_var) + mean**2) - (pi[::-1] @ mean) ** 2
    assert_close(two.variance, [second - (pi @ mean) ** 2, turned], rtol=1e-12)
    draws = sg.asnumpy(p.sample(RandomStream(1), 40_000))
    assert_mean(draws, sg.asnumpy(p.mean))
    assert_mean((draws - sg.asnumpy(p.mean)) ** 2, sg.asnumpy(p.variance))


@pytest.mark.equation("normal-slopes")
def test_the_slopes_of_a_normals_logarithm() -> None:
    variables = [variable(v) for v in (X, MEAN, LOG_VAR)]
    x, mean, log_var = variables
    found = sg.grad(Normal(mean, log_var).log_prob(x), variables, sg.asarray(G))
    pull, square = (X - MEAN) / np.exp(LOG_VAR), (X - MEAN) ** 2 / np.exp(LOG_VAR)
    for slope, expected in zip(found, (-G * pull, G * pull, G * (square - 1) / 2), strict=True):
        assert_close(slope, expected, rtol=1e-10)
    h = 1e-6
    for i, slope in enumerate(found):
        shifted = [
            [v + h * sign * (i == j) for j, v in enumerate((X, MEAN, np.exp(LOG_VAR / 2)))]
            for sign in (1, -1)
        ]
        values = [stats.norm.logpdf(*at) for at in shifted]
        chain = np.exp(LOG_VAR / 2) / 2 if i == 2 else 1  # d sigma / d log sigma^2
        assert_close(slope, G * chain * (values[0] - values[1]) / (2 * h), rtol=1e-6, atol=1e-8)


@pytest.mark.equation("normal-slopes")
def test_the_slopes_with_one_variance_in_float32_as_a_likelihood_has_it() -> None:
    rng = np.random.default_rng(3)
    x, mean, g = (rng.normal(size=(3, 700)).astype(np.float32) for _ in range(3))
    variables = [sg.tensor(sg.asarray(v), requires_grad=True) for v in (x, mean, np.float32(-0.8))]
    found = sg.grad(Normal(*variables[1:]).log_prob(variables[0]), variables, sg.asarray(g))
    pull = g * (x.astype(np.float64) - mean) / np.exp(-0.8)
    assert_close(found[0], -pull, rtol=1e-6, atol=1e-6)
    assert_close(found[1], pull, rtol=1e-6, atol=1e-6)
    assert_close(found[2], (pull * (x - mean) - g).sum() / 2, rtol=1e-4)


@pytest.mark.equation("kl-standard-normal-slopes")
def test_the_divergence_pulls_the_mean_to_zero_and_sigma_to_one() -> None:
    mean, log_var = variable(MEAN), variable(LOG_VAR)
    found = sg.grad(kl_divergence(Normal(mean, log_var), Normal(0.0, 0.0)), [mean, log_var], sg.asarray(G))
    assert_close(found[0], G * MEAN, rtol=1e-12)
    assert_close(found[1], G * (np.exp(LOG_VAR) - 1) / 2, rtol=1e-12)


@pytest.mark.equation("reparameterisation-shares")
def test_the_shares_of_a_moved_noise() -> None:
    variables = [variable(v) for v in (MEAN, LOG_VAR, X)]  # X is the noise
    found = sg.grad(reparameterise(*variables), variables, sg.asarray(G))
    sigma = np.exp(LOG_VAR / 2)
    for share, expected in zip(found, (G, G * sigma * X / 2, G * sigma), strict=True):
        assert_close(share, expected, rtol=1e-12)


@pytest.mark.equation("binarisation")
def test_on_average_a_drawn_picture_has_the_cross_entropy_of_the_grey_one() -> None:
    grey, logits = np.array([0.0, 0.2, 0.7, 1.0]), np.array([-1.0, 0.5, 2.0, 0.3])
    drawn = sg.asnumpy(binarise(sg.asarray(np.tile(grey, (40_000, 1))), RandomStream(2)))
    assert set(np.unique(drawn)) == {0.0, 1.0}
    assert_mean(drawn, grey)
    s = 1 / (1 + np.exp(-logits))
    log_prob = sg.asnumpy(Bernoulli(sg.asarray(logits)).log_prob(sg.asarray(drawn)))
    assert_mean(log_prob, grey * np.log(s) + (1 - grey) * np.log(1 - s))


@pytest.mark.equation("importance-weight")
def test_the_mean_weight_is_the_probability_itself() -> None:
    """For a decoder that ignores z, so that p(x) is known, and an encoder wrong in mean and width."""
    model = VAE.dense(3, 4, 2, likelihood="normal", sigma=0.8, rng=RandomStream(3)).to(np.float64)
    for name, parameter in model.named_parameters():
        parameter.data[...] = {"mean.bias": 0.4, "log_var.bias": 0.5}.get(name.split(".", 2)[-1], 0.0)
    x = sg.asarray(np.tile([0.3, -0.2, 0.5], (4000, 1)))
    assert_close(model.posterior(x).mean, np.full((4000, 2), 0.4))
    evidence = stats.norm.logpdf(sg.asnumpy(x), 0, 0.8).sum(axis=1)  # p(x|z) = N(0, 0.64) for all z
    with sg.no_grad():
        found = sg.asnumpy(model.log_marginal(x, RandomStream(4), samples=1))
    assert_mean(np.exp(found - evidence), 1.0)
