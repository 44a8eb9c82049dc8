"""The variational autoencoder's equations, on a linear-Gaussian one, whose log p(x) is known exactly.

With ``x = W z + b + s noise`` and z from N(0, I) the marginal is N(b, W W^T + s^2 I), and the true posterior
N(M^-1 W^T (x - b), s^2 M^-1) with M = W^T W + s^2 I. The columns of W are orthogonal here, so the posterior's
covariance is diagonal, and an encoder can give it.
"""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy import special, stats
from tools import assert_close, assert_slopes

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.backend import RandomStream
from scratchgen.distributions import Normal, kl_divergence, sum_per_example
from scratchgen.models import VAE
from scratchgen.nn import Linear, Module, Parameter

S = 0.6
B = np.array([0.5, -1.0, 0.0, 2.0])
W = np.linalg.qr(np.random.default_rng(0).normal(size=(4, 2)))[0] * [1.5, 0.7]  # (4, 2)
M = np.diag(W.T @ W) + S**2
X = np.random.default_rng(1).normal(size=(3, 4)) + B
LOG_P = stats.multivariate_normal(B, W @ W.T + S**2 * np.eye(4)).logpdf(X)  # (3,)

# How far an encoder is off the true posterior: its mean, and the logarithm of its variance.
ENCODERS = [(0.0, 0.0), (0.4, 0.0), (0.0, -1.0), (-0.3, 0.7)]


class AffineGaussian(Module):
    """q(z|x) with a mean that is affine in x, and a variance that does not depend on x."""

    def __init__(self, weight: np.ndarray, bias: np.ndarray, log_var: np.ndarray) -> None:
        self.mean = Linear(*weight.shape[::-1])
        self.log_var = Parameter(np.zeros(len(log_var), np.float32))
        self.to(np.float64)
        self.load_state_dict({"log_var": log_var, "mean.weight": weight, "mean.bias": bias})

    def forward(self, x: Any) -> tuple[Any, Any]:
        mean = self.mean(x)
        return mean, sg.broadcast_to(self.log_var, mean.shape)


def linear_gaussian(mean_off: float = 0.0, log_var_off: float = 0.0) -> VAE:
    weight = W.T / M[:, None]
    encoder = AffineGaussian(weight, mean_off - weight @ B, np.log(S**2 / M) + log_var_off)
    model = VAE(encoder, Linear(2, 4), latent_dim=2, likelihood="normal").to(np.float64)
    state = {**model.state_dict(), "decoder.weight": W, "decoder.bias": B, "decoder_log_var": 2 * np.log(S)}
    model.load_state_dict(state)
    return model


def true_posterior() -> Normal:
    return Normal(sg.asarray((X - B) @ W / M), sg.asarray(np.log(S**2 / M)))


def elbo_in_closed_form(model: VAE) -> np.ndarray:
    """E_q |x - W z - b|^2 = |x - W mu - b|^2 + sum_j sigma_j^2 |W_j|^2, so that no sample is needed."""
    x = sg.asarray(X)
    with sg.no_grad():
        q = model.posterior(x)
        at_mean = sg.asnumpy(model.likelihood(q.mean).log_prob_per_example(x))
        spread = sg.asnumpy(q.variance) @ (W**2).sum(0) / (2 * S**2)
        return at_mean - spread - sg.asnumpy(sum_per_example(kl_divergence(q, Normal(0.0, 0.0))))


def many(n: int) -> Any:
    """`n` copies of the three examples: shape (3 n, 4)."""
    return sg.asarray(np.tile(X, (n, 1)))


def per_example(estimates: Any) -> np.ndarray:
    return sg.asnumpy(estimates).reshape(-1, len(X))


@pytest.mark.equation("vae-evidence")
def test_the_true_posterior_is_that_of_bayes_rule() -> None:
    model, z = linear_gaussian(), RandomStream(0).normal((3, 2), np.float64)
    log_joint = model.likelihood(z).log_prob_per_example(sg.asarray(X)) + Normal(
        0.0, 0.0
    ).log_prob_per_example(z)
    assert_close(log_joint - true_posterior().log_prob_per_example(z), LOG_P, rtol=1e-12)


@pytest.mark.equation("vae-evidence")
@pytest.mark.parametrize(("mean_off", "log_var_off"), ENCODERS)
def test_the_evidence_is_the_bound_plus_the_divergence_from_the_true_posterior(
    mean_off: float, log_var_off: float
) -> None:
    model = linear_gaussian(mean_off, log_var_off)
    with sg.no_grad():
        gap = sg.asnumpy(sum_per_example(kl_divergence(model.posterior(sg.asarray(X)), true_posterior())))
    assert_close(elbo_in_closed_form(model) + gap, LOG_P, rtol=1e-12)
    if (mean_off, log_var_off) == (0.0, 0.0):
        assert_close(gap, np.zeros(3), atol=1e-12)
    else:
        assert (gap > 0.05).all()


@pytest.mark.equation("vae-elbo")
@pytest.mark.parametrize(("mean_off", "log_var_off"), ENCODERS)
def test_the_estimated_bound_is_unbiased_and_below_the_evidence(mean_off: float, log_var_off: float) -> None:
    model = linear_gaussian(mean_off, log_var_off)
    with sg.no_grad():
        estimates = per_example(model.elbo(many(20_000), RandomStream(2)))
    exact = elbo_in_closed_form(model)
    assert_mean(estimates, exact, errors=5)
    assert (exact <= LOG_P + 1e-12).all()


@pytest.mark.equation("vae-elbo")
def test_the_bound_of_a_bernoulli_likelihood_is_that_of_the_formula() -> None:
    model = VAE.dense(6, 8, 2, rng=RandomStream(0)).to(np.float64)
    x = (np.random.default_rng(0).random((5, 6)) < 0.5).astype(np.float64)
    with sg.no_grad():
        q = model.posterior(sg.asarray(x))
        mean, log_var = sg.asnumpy(q.mean), sg.asnumpy(q.log_var)
        z = mean + np.exp(log_var / 2) * sg.asnumpy(RandomStream(3).normal((5, 2), np.float64))
        logits = sg.asnumpy(model.decoder(sg.asarray(z)))
        elbo = model.elbo(sg.asarray(x), RandomStream(3))
    log_likelihood = (x * special.log_expit(logits) + (1 - x) * special.log_expit(-logits)).sum(1)
    kl = 0.5 * (mean**2 + np.exp(log_var) - log_var - 1).sum(1)
    assert_close(elbo, log_likelihood - kl, rtol=1e-11)
    assert_slopes(lambda: model.elbo(sg.asarray(x), RandomStream(3)), model.parameters())


@pytest.mark.equation("vae-normal-likelihood")
def test_the_reconstruction_term_of_a_normal_is_a_squared_error_with_its_scale() -> None:
    for sigma in (0.1, 0.6, 2.0):
        model = VAE.dense(6, 8, 2, "normal", sigma=sigma, rng=RandomStream(0)).to(np.float64)
        x = np.random.default_rng(0).normal(size=(5, 6))
        with sg.no_grad():
            z = model.posterior(sg.asarray(x)).rsample(RandomStream(3))
            error = ((x - sg.asnumpy(model.decode(z))) ** 2).sum(1)
        expected = error / (2 * sigma**2) + 6 / 2 * np.log(2 * np.pi * sigma**2)
        found = model.loss_terms(sg.asarray(x), RandomStream(3))["reconstruction"]
        assert_close(found, expected.mean(), rtol=1e-6)  # sigma is given in float32


@pytest.mark.equation("vae-optimal-sigma")
def test_the_best_sigma_squared_is_the_mean_squared_error() -> None:
    model = VAE.dense(6, 8, 2, "normal", rng=RandomStream(0)).to(np.float64)
    x = np.random.default_rng(0).normal(size=(5, 6))
    with sg.no_grad():
        z = model.posterior(sg.asarray(x)).rsample(RandomStream(3))
        best = np.log(((x - sg.asnumpy(model.decode(z))) ** 2).mean())
    slopes = []
    for log_var in (best - 0.5, best, best + 0.5):
        model.decoder_log_var.data[...] = log_var
        loss = model.loss(sg.asarray(x), RandomStream(3))
        slopes.append(float(sg.asnumpy(sg.grad(loss, model.decoder_log_var)[0])))
    assert slopes[0] < -0.1
    assert_close(slopes[1], 0.0, atol=1e-12)
    assert slopes[2] > 0.1


class Fixed(Module):
    """q(z|x) with a mean and a variance of each example's own, so that each has its own gradient."""

    def __init__(self, mean: np.ndarray, log_var: np.ndarray) -> None:
        self.mean, self.log_var = Parameter(sg.asarray(mean)), Parameter(sg.asarray(log_var))

    def forward(self, x: Any) -> tuple[Any, Any]:
        return self.mean, self.log_var


@pytest.mark.equation("vae-reparameterisation")
def test_gradients_through_the_samples_are_unbiased() -> None:
    n, mean, log_var = 20_000, np.array([0.3, -0.8]), np.array([-0.5, 0.4])
    model = linear_gaussian()
    model.encoder = Fixed(np.tile(mean, (3 * n, 1)), np.tile(log_var, (3 * n, 1)))
    variables = [model.encoder.mean, model.encoder.log_var]
    found = sg.grad(model.elbo(many(n), RandomStream(4)).sum(), variables)
    by_mean, by_log_var = (sg.asnumpy(g).reshape(n, 3, 2) for g in found)
    variance = np.exp(log_var)
    assert_mean(by_mean, (X - B - W @ mean) @ W / S**2 - mean)
    exact = -variance * (W**2).sum(0) / (2 * S**2) - (variance - 1) / 2
    assert_mean(by_log_var, np.tile(exact, (3, 1)))


@pytest.mark.equation("vae-reparameterisation")
def test_with_the_noise_held_fixed_the_loss_is_a_smooth_function_of_the_encoder() -> None:
    model = linear_gaussian(0.3, 0.5)

    def loss(weight: Any, log_var: Any) -> Any:
        model.encoder.mean.weight, model.encoder.log_var = weight, log_var
        return model.loss(sg.asarray(X), RandomStream(5))

    check_gradients(loss, sg.asnumpy(model.encoder.mean.weight), sg.asnumpy(model.encoder.log_var))


@pytest.mark.equation("importance-weight")
@pytest.mark.equation("vae-iwae")
def test_the_importance_weighted_bound_is_the_logarithm_of_the_mean_weight() -> None:
    model = linear_gaussian(0.4, -0.5)
    with sg.no_grad():
        q = model.posterior(sg.asarray(X))
        mean, sigma = sg.asnumpy(q.mean), sg.asnumpy(q.sigma)
        found = model.log_marginal(sg.asarray(X), RandomStream(6), samples=5)
    z = mean + sigma * sg.asnumpy(RandomStream(6).normal((5, 3, 2), np.float64))
    log_weights = (
        stats.norm.logpdf(X, z @ W.T + B, S).sum(-1)
        + stats.norm.logpdf(z).sum(-1)
        - stats.norm.logpdf(z, mean, sigma).sum(-1)
    )
    assert_close(found, np.log(np.exp(log_weights).mean(0)), rtol=1e-12)
    stream = RandomStream(6)
    z = np.concatenate([sg.asnumpy(stream.normal((k, 3, 2), np.float64)) for k in (2, 2, 1)])
    z = mean + sigma * z
    log_weights = (
        stats.norm.logpdf(X, z @ W.T + B, S).sum(-1)
        + stats.norm.logpdf(z).sum(-1)
        - stats.norm.logpdf(z, mean, sigma).sum(-1)
    )
    with sg.no_grad():
        found = model.log_marginal(sg.asarray(X), RandomStream(6), samples=5, chunk=2)
    assert_close(found, np.log(np.exp(log_weights).mean(0)), rtol=1e-12)
    learnt = [p for p in model.parameters() if p.requires_grad]
    assert_slopes(lambda: model.log_marginal(sg.asarray(X), RandomStream(6), samples=5), learnt)


@pytest.mark.equation("vae-iwae")
@pytest.mark.parametrize(("mean_off", "log_var_off"), ENCODERS[1:])
def test_the_bound_grows_with_the_number_of_samples_towards_the_evidence(
    mean_off: float, log_var_off: float
) -> None:
    model, n = linear_gaussian(mean_off, log_var_off), 4_000
    with sg.no_grad():
        elbo = per_example(model.elbo(many(n), RandomStream(7)))
        # Of one stream, so that k samples are the first k of more: the differences are paired.
        bounds = [per_example(model.log_marginal(many(n), RandomStream(7), k)) for k in (1, 4, 32)]
    assert_mean(bounds[0] - elbo, np.zeros(3))  # one sample gives the ELBO, its divergence estimated too
    for fewer, more in itertools.pairwise(bounds):
        gain = more - fewer
        assert (gain.mean(0) > 5 * gain.std(0) / np.sqrt(n)).all()
    for bound in bounds:
        assert (bound.mean(0) <= LOG_P + 5 * bound.std(0) / np.sqrt(n)).all()
    gaps = [LOG_P - bound.mean(0) for bound in bounds]
    assert (gaps[-1] < 0.25 * gaps[0]).all()


@pytest.mark.equation("vae-iwae")
@pytest.mark.parametrize("samples", [1, 10])
def test_at_the_true_posterior_every_weight_is_the_evidence(samples: int) -> None:
    model = linear_gaussian()
    for seed in range(3):
        found = model.log_marginal(sg.asarray(X), RandomStream(seed), samples)
        assert_close(found, LOG_P, rtol=1e-12)
    with sg.no_grad():
        assert_mean(per_example(model.elbo(many(5_000), RandomStream(8))), LOG_P)
