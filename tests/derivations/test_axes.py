"""Axes of latent spaces: turned, they make the same images; and how even the way between two codes is."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy import stats
from tools import assert_at_most, assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.metrics import path_unevenness
from scratchgen.models import VAE
from scratchgen.models.vae import turned
from scratchgen.networks import MLP, WithLabel
from scratchgen.nn import Linear, Module, Parameter, Tanh

ARRAYS = np.random.default_rng(0)
R = np.linalg.qr(ARRAYS.normal(size=(2, 2)))[0]
DTYPES = [(np.float64, 1e-10), (np.float32, 2e-4)]


def shaken(model: Any, dtype: Any) -> Any:
    rng = np.random.default_rng(7)
    for parameter in model.parameters():
        parameter.data[...] += sg.asarray(0.8 * rng.normal(size=parameter.shape), parameter.dtype)
    return model.to(dtype)


def smooth(dtype: Any, classes: int | None = None) -> VAE:
    """Three pixels, two latents; without a kink, for sums over grids and finite differences."""
    rng, more = RandomStream(0, "axes"), classes or 0
    encoder = Linear(3 + more, 4, rng=rng.child("encoder"))
    decoder = MLP([2 + more, 8, 3], Tanh, rng=rng.child("decoder"))
    pair = (WithLabel(encoder, 3), WithLabel(decoder, 3)) if classes else (encoder, decoder)
    return shaken(VAE(*pair, 2, classes=classes), dtype)


@pytest.mark.equation("vae-turned")
@pytest.mark.parametrize(("dtype", "rtol"), DTYPES)
@pytest.mark.parametrize("classes", [None, 3])
def test_a_turned_latent_space_makes_the_same_images_as_often(dtype: Any, rtol: float, classes: Any) -> None:
    model = smooth(dtype, classes)
    other = turned(model, R)
    told: dict[str, Any] = {} if classes is None else {"labels": sg.asarray(np.array([0, 2]))}
    z = ARRAYS.normal(size=(2, 2)).astype(dtype)
    assert_close(
        other.decode(sg.asarray((z @ R.T).astype(dtype)), **told),
        model.decode(sg.asarray(z), **told),
        rtol=rtol,
    )
    assert (
        np.abs(
            sg.asnumpy(other.decode(sg.asarray(z), **told)) - sg.asnumpy(model.decode(sg.asarray(z), **told))
        ).max()
        > 0.01
    )
    line = np.linspace(-7.5, 7.5, 201)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 1, 2).astype(dtype)
    x = sg.asarray(np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]], dtype))
    weights = stats.norm.pdf(grid[:, 0].astype(np.float64)).prod(axis=1) * (line[1] - line[0]) ** 2

    def evidence(model: VAE) -> np.ndarray:
        with sg.no_grad():
            p = model.likelihood(sg.asarray(np.repeat(grid, 2, axis=1)), **told)
            return weights @ np.exp(sg.asnumpy(p.log_prob_per_example(x, leading=2)).astype(np.float64))

    # the grid is square, so that it cuts a turned density otherwise
    assert_close(evidence(other), evidence(model), rtol=rtol)


@pytest.mark.equation("vae-turned-posterior")
@pytest.mark.parametrize(("dtype", "rtol"), DTYPES)
def test_its_encoder_is_the_nearest_with_a_diagonal_covariance(dtype: Any, rtol: float) -> None:
    turn = np.linalg.qr(ARRAYS.normal(size=(3, 3)))[0]
    model = shaken(VAE.dense(4, 8, 3), dtype)
    x = sg.asarray(ARRAYS.random((5, 4)).astype(dtype))
    with sg.no_grad():
        q, found = model.posterior(x), turned(model, turn).posterior(x)
    mean, variance = (sg.asnumpy(it).astype(np.float64) for it in (q.mean, q.variance))
    spread = sg.asnumpy(found.variance).astype(np.float64)
    assert_close(found.mean, mean @ turn.T, rtol=rtol, atol=rtol)
    for i in range(5):
        covariance = turn @ np.diag(variance[i]) @ turn.T
        assert np.abs(covariance - np.diag(np.diag(covariance))).max() > 0.01
        least = _kl_to_full(spread[i], covariance)
        assert_close(spread[i], 1 / np.diag(np.linalg.inv(covariance)), rtol=10 * rtol)
        for _ in range(20):
            near = spread[i] * np.exp(0.1 * ARRAYS.normal(size=3))
            assert _kl_to_full(near, covariance) > least


@pytest.mark.equation("vae-turned", "vae-turned-posterior")
def test_the_turned_model_learns_through_both_turns() -> None:
    model = smooth(np.float64)
    other, x = turned(model, R), sg.asarray(np.array([[0.0, 1.0, 1.0], [1.0, 0.0, 1.0]]))
    assert_slopes(
        lambda: other.elbo(x, RandomStream(3)), [*model.encoder.parameters(), *model.decoder.parameters()]
    )


def _kl_to_full(variance: np.ndarray, covariance: np.ndarray) -> float:
    """KL(N(m, diag variance) || N(m, covariance))."""
    trace = np.trace(np.linalg.solve(covariance, np.diag(variance)))
    return float((trace - len(variance) + np.linalg.slogdet(covariance)[1] - np.log(variance).sum()) / 2)


S, W = 0.6, np.linalg.qr(ARRAYS.normal(size=(4, 2)))[0] * [2.5, 0.4]
M = np.diag(W.T @ W) + S**2


class LinearEncoder(Module):
    """The true posterior, which is diagonal as the columns of W are orthogonal."""

    def forward(self, x: Any) -> tuple[Any, Any]:
        mean = x @ sg.asarray(W / M)
        return mean, sg.broadcast_to(sg.asarray(np.log(S**2 / M)), mean.shape)


class LinearDecoder(Module):
    """W z."""

    def __init__(self) -> None:
        self.weight = Parameter(sg.asarray(W.T))

    def forward(self, z: Any) -> Any:
        return z @ self.weight


@pytest.mark.equation("vae-turned-price")
def test_the_evidence_stays_and_the_bound_pays_for_a_diagonal_posterior() -> None:
    model = VAE(LinearEncoder(), LinearDecoder(), 2, "normal").to(np.float64)
    model.decoder_log_var.data[...] = 2 * np.log(S)
    x = ARRAYS.normal(size=(2, 4))
    log_p = stats.multivariate_normal(np.zeros(4), W @ W.T + S**2 * np.eye(4)).logpdf(x)
    variance = S**2 / M
    price = (np.log((R**2 / variance).sum(axis=1)).sum() + np.log(variance).sum()) / 2
    assert price > 0.1
    many = sg.asarray(np.tile(x, (20_000, 1)))
    other = turned(model, R)
    with sg.no_grad():
        assert_close(model.log_marginal(sg.asarray(x), RandomStream(0), 3), log_p, rtol=1e-11)
        assert_close(other.log_marginal(sg.asarray(x), RandomStream(0), 5000), log_p, atol=0.1)
        assert_mean(sg.asnumpy(other.elbo(many, RandomStream(1))).reshape(-1, 2), log_p - price)
    quarter = turned(model, np.array([[0.0, -1.0], [1.0, 0.0]]))  # axes onto axes: nothing to pay
    with sg.no_grad():
        bounds = sg.asnumpy(quarter.elbo(many, RandomStream(2))).reshape(-1, 2)
    assert_mean(bounds, log_p)


@pytest.mark.equation("path-unevenness")
def test_unevenness_is_the_largest_step_by_the_mean_one() -> None:
    paths = ARRAYS.normal(size=(4, 6, 2, 3)).cumsum(axis=1)
    found = path_unevenness(paths)
    for path, u in zip(paths, found, strict=True):
        steps = [float(np.linalg.norm(b - a)) for a, b in pairwise(path)]
        assert_close(u, max(steps) / (sum(steps) / 5), rtol=1e-12)
    even = np.linspace(0, 1, 6)[None, :, None] * np.ones(3)
    jump = (np.linspace(0, 1, 6) > 0.5)[None, :, None] * np.ones(3)
    assert_close(path_unevenness(np.concatenate([even, jump])), [1.0, 5.0], rtol=1e-12)
    assert_close(path_unevenness(paths.astype(np.float32)), found, rtol=1e-5)
    assert_at_most(found.max(), 5)
    assert_close(path_unevenness(np.ones((2, 3, 4))), np.ones(2))  # it stays where it is
