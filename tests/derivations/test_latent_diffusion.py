"""Latent diffusion on a linear VAE whose posterior is exact: then the bound is log p(x), in closed form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean, integral
from gaussian_data import exact
from scipy import stats
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Normal, kl_divergence
from scratchgen.models import VAE, LatentDiffusion
from scratchgen.models.diffusion import linear_schedule

MEAN, SPREAD = np.array([0.8, -1.5]), np.array([2.0, 0.6])  # of z, far from N(0, I)
W = np.array([[1.0, 0.5], [-1.0, 1.0], [0.5, 0.0], [0.25, 1.5]])
W[:, 1] -= W[:, 0] * (W[:, 0] @ W[:, 1]) / (W[:, 0] @ W[:, 0])  # columns at right angles: q is diagonal
SIGMA = 0.7


class Posterior(sg.nn.Module):
    """The exact q(z|x) of x = W z + SIGMA noise."""

    def forward(self, x: Any) -> tuple[Any, Any]:
        variance = 1 / (1 / SPREAD**2 + (W**2).sum(0) / SIGMA**2)
        mean = (sg.asnumpy(x) @ W / SIGMA**2 + MEAN / SPREAD**2) * variance
        return sg.asarray(mean), sg.asarray(np.broadcast_to(np.log(variance), mean.shape).copy())


class Mean(sg.nn.Module):
    """E[x|z]."""

    def __init__(self) -> None:
        self.weight = sg.nn.Parameter(W)

    def forward(self, z: Any) -> Any:
        return z @ self.weight.transpose((1, 0))


def data(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (MEAN + SPREAD * rng.normal(size=(n, 2))) @ W.T + SIGMA * rng.normal(size=(n, 4))


def model(scale: float, steps: int = 60) -> LatentDiffusion:
    """The exact model, of codes with this scale."""
    ddpm = exact(linear_schedule(steps), mean=scale * MEAN, sigma=scale * SPREAD, variance="fixed-large")
    vae = VAE(Posterior(), Mean(), 2, "normal", sigma=SIGMA)
    vae.decoder_log_var = sg.nn.Buffer(np.array(2 * np.log(SIGMA)))  # in float64, like the rest
    latent = LatentDiffusion(vae, ddpm)
    latent.scale.data[...] = scale
    return latent


@pytest.mark.equation("latent-scale")
def test_scaled_codes_have_variance_one_about_their_common_mean() -> None:
    x = sg.asarray(data(3000))
    latent = model(1.0).calibrate(x, RandomStream(0))
    # Of z: one mean and one variance for both components, whose means differ.
    variance = (SPREAD**2).mean() + MEAN.var()
    assert_close(sg.asnumpy(latent.scale), 1 / np.sqrt(variance), rtol=0.03)
    codes = sg.asnumpy(latent.encode(x, RandomStream(0)))
    assert_close(codes.std(), 1.0, rtol=1e-6)
    assert_close(
        codes, sg.asnumpy(latent.scale) * sg.asnumpy(latent.autoencoder.posterior(x).sample(RandomStream(0)))
    )


@pytest.mark.equation("latent-bound")
@pytest.mark.parametrize("scale", [0.4, 1.7])
def test_with_exact_parts_the_bound_is_the_likelihood_whatever_the_scale(scale: float) -> None:
    x, latent = data(4, seed=1), model(scale)
    covariance = W @ np.diag(SPREAD**2) @ W.T + SIGMA**2 * np.eye(4)
    true = -stats.multivariate_normal(W @ MEAN, covariance).logpdf(x)
    parts = latent.bound(sg.asarray(np.repeat(x, 1000, axis=0)), RandomStream(2))
    found = sg.asnumpy(parts["bound"]).reshape(4, 1000)
    # The diffusion's own bound is above its log p by what T steps lose: measured on codes of known density.
    codes = scale * (MEAN + SPREAD * np.random.default_rng(3).normal(size=(4000, 2)))
    density = stats.norm(scale * MEAN, scale * SPREAD).logpdf(codes).sum(1)
    z = sg.asnumpy(latent.autoencoder.posterior(sg.asarray(data(4000, seed=4))).sample(RandomStream(5)))
    assert_close(codes.std(0), (scale * z).std(0), rtol=0.1)
    lost = sg.asnumpy(latent.ddpm.bound(sg.asarray(codes), RandomStream(4))) + density
    difference = found.mean() - true.mean() - lost.mean()
    allowed = 5 * np.hypot((found - true[:, None]).std() / np.sqrt(4000), lost.std() / np.sqrt(4000))
    assert_close(difference, 0.0, atol=allowed)
    assert allowed < 0.5  # below 2 |log scale|
    assert_close(parts["bound"], parts["reconstruction"] + parts["latents"])


@pytest.mark.equation("latent-bound")
def test_the_first_part_is_what_the_decoder_does_not_know() -> None:
    x, latent = sg.asarray(np.repeat(data(1, seed=5), 4000, axis=0)), model(1.0, steps=5)
    seen, forward = [], latent.ddpm.network.forward
    latent.ddpm.network.forward = lambda xt, t: seen.append(len(xt)) or forward(xt, t)
    parts = latent.bound(x, RandomStream(6), steps=1)
    assert sum(seen) == 4000  # one of the five steps
    assert not any(isinstance(part, sg.Tensor) for part in parts.values())
    found = sg.asnumpy(parts["reconstruction"])
    q = latent.autoencoder.posterior(x[:1])
    mean, variance = sg.asnumpy(q.mean)[0], np.exp(sg.asnumpy(q.log_var)[0])
    squares = ((sg.asnumpy(x)[0] - W @ mean) ** 2).sum() + (variance * (W**2).sum(0)).sum()
    expected = squares / (2 * SIGMA**2) + 2 * np.log(2 * np.pi * SIGMA**2)
    assert_mean(found, expected)


@pytest.mark.equation("latent-prior-gap")
def test_what_codes_cost_is_information_and_what_the_prior_does_not_know() -> None:
    def normal(mean: float, variance: float) -> Normal:
        return Normal(sg.asarray(np.array(mean)), sg.asarray(np.log(np.array(variance))))

    a, s, prior = 1.3, 0.4, normal(0.7, 1.35)
    density = stats.norm().pdf

    def weighted(x: Any) -> Any:
        q = Normal(a * x, sg.asarray(np.full(x.shape, 2 * np.log(s))))
        return kl_divergence(q, prior) * sg.asarray(density(sg.asnumpy(x)))

    cost = integral(weighted, -9, 9)
    aggregated = normal(0.0, a**2 + s**2)
    information = 0.5 * np.log(1 + a**2 / s**2)
    assert_close(cost, information + sg.asnumpy(kl_divergence(aggregated, prior)), rtol=1e-9)
    # With q(z) itself as the prior nothing but the information is left.
    assert_close(sg.asnumpy(kl_divergence(aggregated, aggregated)), 0.0, atol=1e-12)
