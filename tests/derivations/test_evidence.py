"""The evidence of a latent-variable model as an expectation over its prior, and the loss that lowers it."""

from __future__ import annotations

import numpy as np
import pytest
from estimates import assert_mean
from scipy import special, stats
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Bernoulli
from scratchgen.models import VAE
from scratchgen.nn import Identity, Linear, Sequential, Tanh

S = 0.6
B = np.array([0.5, -1.0, 0.0, 2.0])
W = np.random.default_rng(0).normal(size=(4, 2))
X = np.random.default_rng(1).normal(size=(3, 4)) + B


@pytest.mark.equation("vae-marginal")
def test_the_expected_likelihood_over_the_prior_is_the_marginal_of_a_linear_gaussian() -> None:
    # x = W z + b + s noise has the marginal N(b, W W^T + s^2 I); the expectation is a sum over 60 x 60 nodes.
    model = VAE(Linear(4, 4), Linear(2, 4), latent_dim=2, likelihood="normal").to(np.float64)
    state = {"decoder.weight": W, "decoder.bias": B, "decoder_log_var": 2 * np.log(S)}
    model.load_state_dict({**model.state_dict(), **state})
    nodes, weights = np.polynomial.hermite_e.hermegauss(60)
    z = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)  # (60 * 60, 2)
    log_weights = np.log(np.outer(weights, weights) / weights.sum() ** 2).reshape(-1)
    marginal = stats.multivariate_normal(B, W @ W.T + S**2 * np.eye(4))
    with sg.no_grad():
        p = model.likelihood(sg.asarray(z))
        for x in X:
            log_likelihood = sg.asnumpy(p.log_prob_per_example(sg.asarray(x)))
            assert_close(special.logsumexp(log_weights + log_likelihood), marginal.logpdf(x), rtol=1e-9)


@pytest.mark.equation("vae-marginal")
@pytest.mark.parametrize("noise", [True, False])
def test_samples_have_the_marginals_mean_and_covariance(noise: bool) -> None:
    """z from N(0, I), not from a wider or a narrower normal; then x from p(x|z), or its mean."""
    model = VAE(Linear(4, 4), Linear(2, 4), latent_dim=2, likelihood="normal").to(np.float64)
    state = {"decoder.weight": W, "decoder.bias": B, "decoder_log_var": 2 * np.log(S)}
    model.load_state_dict({**model.state_dict(), **state})
    x = sg.asnumpy(model.sample(40_000, RandomStream(0), noise=noise))
    assert_mean(x, B)
    products = (x - B)[:, :, None] * (x - B)[:, None, :]  # (n, 4, 4)
    assert_mean(products, W @ W.T + noise * S**2 * np.eye(4))


@pytest.mark.equation("rotated-latents")
@pytest.mark.parametrize("angle", [0.3, 1.2, 2.5])
def test_rotated_latents_are_the_same_model(angle: float) -> None:
    """log p(x) by quadrature over z, and over z turned: the same numbers."""
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    nodes, weights = np.polynomial.hermite_e.hermegauss(80)
    z = np.stack(np.meshgrid(nodes, nodes), axis=-1).reshape(-1, 2)  # (80 * 80, 2)
    log_weights = np.log(np.outer(weights, weights) / weights.sum() ** 2).reshape(-1)
    decoder = Sequential(Linear(2, 5, rng=RandomStream(0)), Tanh(), Linear(5, 4, rng=RandomStream(1)))
    model = VAE(Linear(4, 4), decoder, latent_dim=2, likelihood="normal").to(np.float64)

    def evidence(latents: np.ndarray) -> np.ndarray:
        with sg.no_grad():
            p = model.likelihood(sg.asarray(latents))
            each = [sg.asnumpy(p.log_prob_per_example(sg.asarray(x))) for x in X]
        return np.array([special.logsumexp(log_weights + log_likelihood) for log_likelihood in each])

    assert_close(evidence(z @ rotation.T), evidence(z), rtol=2e-3)
    assert (np.abs(evidence(0.7 * z) - evidence(z)) > 0.02).any()  # what is no rotation is another model


@pytest.mark.equation("latent-shell")
@pytest.mark.parametrize("d", [1, 2, 50, 1000])
def test_the_latents_of_the_prior_lie_in_a_shell(d: int) -> None:
    model = VAE(Linear(d, 2 * d), Identity(), latent_dim=d, likelihood="normal").to(np.float64)
    z = sg.asnumpy(model.sample(10_000, RandomStream(d)))  # the decoder shows the latents as they are
    squared = (z**2).sum(1)
    assert_mean(squared, d)
    assert_mean((squared - d) ** 2, 2 * d)
    if d >= 50:
        assert np.std(np.sqrt(squared)) < 0.75
        assert np.sqrt(squared).min() > 0.5 * np.sqrt(d)


@pytest.mark.equation("vae-loss")
@pytest.mark.parametrize("beta", [0.0, 1.0, 4.0])
@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
def test_the_loss_is_beta_times_the_divergence_minus_the_log_likelihood(likelihood: str, beta: float) -> None:
    x = (np.random.default_rng(0).random((5, 6)) < 0.5).astype(np.float64)
    model = VAE.dense(6, 8, 2, likelihood, beta, rng=RandomStream(0)).to(np.float64)
    with sg.no_grad():
        q = model.posterior(sg.asarray(x))
        mean, log_var = sg.asnumpy(q.mean), sg.asnumpy(q.log_var)
        p = model.likelihood(q.rsample(RandomStream(3)))
        if likelihood == "bernoulli":
            logits = sg.asnumpy(p.logits)
            log_likelihood = (x * special.log_expit(logits) + (1 - x) * special.log_expit(-logits)).sum(1)
        else:
            log_likelihood = stats.norm.logpdf(x, sg.asnumpy(p.mean), 1.0).sum(1)
        kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(1)
        loss = model.loss(sg.asarray(x), RandomStream(3))
    assert_close(loss, (beta * kl - log_likelihood).mean(), rtol=1e-11)
    learnt = [p for p in model.parameters() if p.requires_grad]
    assert_slopes(lambda: model.loss(sg.asarray(x), RandomStream(3)), learnt)


@pytest.mark.equation("vae-reparameterisation")
def test_a_sample_of_the_encoder_is_its_mean_plus_sigma_times_the_streams_noise() -> None:
    model = VAE.dense(6, 8, 2, rng=RandomStream(0)).to(np.float64)
    with sg.no_grad():
        q = model.posterior(RandomStream(1).normal((5, 6), np.float64))
        z = q.rsample(RandomStream(2))
    eps = sg.asnumpy(RandomStream(2).normal((5, 2), np.float64))
    sigma = np.exp(sg.asnumpy(q.log_var) / 2)
    assert_close(z, sg.asnumpy(q.mean) + sigma * eps, rtol=1e-12)


@pytest.mark.parametrize("s", [0.6, 0.9, 0.99])
def test_a_cross_entropy_of_grey_pixels_is_no_density(s: float) -> None:
    # The integral of s^x (1 - s)^(1 - x) over [0, 1] is (2 s - 1) / log(s / (1 - s)), never 1.
    logit = np.log(s / (1 - s))
    nodes, weights = np.polynomial.legendre.leggauss(40)
    grey = (nodes + 1) / 2
    log_p = sg.asnumpy(Bernoulli(sg.asarray(np.full(40, logit))).log_prob(sg.asarray(grey)))
    mass = weights @ np.exp(log_p) / 2
    assert_close(mass, (2 * s - 1) / logit, rtol=1e-12)
    assert mass < 0.5
