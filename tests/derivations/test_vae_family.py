"""The VAE's relatives: other likelihoods, a label, priors that are learnt, free bits, scores of anomalies."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from estimates import assert_mean
from scipy import special, stats
from tools import assert_at_most, assert_close, assert_slopes

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Normal, kl_divergence, sum_per_example
from scratchgen.metrics import active_units, aggregated_posterior, elbo_surgery
from scratchgen.models import VAE, MixturePrior, VampPrior
from scratchgen.nn import Linear, Module, Parameter

ARRAYS = np.random.default_rng(0)
X = (ARRAYS.random((5, 6)) < 0.5).astype(np.float64)
DTYPES = [(np.float64, 1e-11), (np.float32, 2e-5)]


def shaken(model: Any, dtype: Any = np.float64, scale: float = 0.4) -> Any:
    """The model with all parameters away from where they start."""
    rng = np.random.default_rng(7)
    for parameter in model.parameters():
        parameter.data[...] += sg.asarray(scale * rng.normal(size=parameter.shape), parameter.dtype)
    return model.to(dtype)


def code(model: VAE, x: Any, seed: int, **labels: Any) -> tuple[Any, np.ndarray, np.ndarray, np.ndarray]:
    """The posterior's mean, its sigma, and the code that `elbo` draws with a stream of that seed."""
    q = model.posterior(x, **labels)
    mean, sigma = sg.asnumpy(q.mean), sg.asnumpy(q.sigma)
    return q, mean, sigma, mean + sigma * sg.asnumpy(RandomStream(seed).normal(mean.shape, mean.dtype))


@pytest.mark.equation("vae-categorical-likelihood")
@pytest.mark.parametrize(("dtype", "rtol"), DTYPES)
def test_each_pixel_has_a_probability_for_each_of_its_levels(dtype: Any, rtol: float) -> None:
    model = shaken(VAE.dense((2, 3), 8, 2, "categorical", levels=4), dtype)
    z = ARRAYS.normal(size=(5, 2)).astype(dtype)
    x = ARRAYS.random((5, 2, 3)).astype(dtype)
    with sg.no_grad():
        decoded = sg.asnumpy(model.decoder(sg.asarray(z)))  # (5, 2 * 4, 3): four logits for each channel
        p = model.likelihood(sg.asarray(z))
        found = p.log_prob(sg.asarray(x))
    assert decoded.shape == (5, 8, 3)
    of_levels = special.log_softmax(decoded.reshape(5, 2, 4, 3).astype(np.float64), axis=2)
    level = np.floor(4 * x).astype(int)
    assert_close(found, np.take_along_axis(of_levels, level[:, :, None], 2)[:, :, 0], rtol=rtol, atol=rtol)
    scale = (np.arange(4) / 3)[:, None]
    mean = (np.exp(of_levels) * scale).sum(axis=2)
    assert_close(p.mean, mean, rtol=10 * rtol)
    assert_close(p.variance, (np.exp(of_levels) * (scale - mean[:, :, None]) ** 2).sum(2), rtol=1000 * rtol)
    everything = sum(np.exp(sg.asnumpy(p.log_prob(sg.asarray(np.full_like(x, v / 3))))) for v in range(4))
    assert_close(everything, np.ones(x.shape), rtol=10 * rtol)


@pytest.mark.equation("vae-pixel-sigma")
@pytest.mark.parametrize(("dtype", "rtol"), DTYPES)
def test_a_second_head_gives_each_pixel_a_sigma(dtype: Any, rtol: float) -> None:
    model = shaken(VAE.dense((2, 3), 8, 2, "normal", sigma="pixels"), dtype)
    x = ARRAYS.normal(size=(5, 2, 3)).astype(dtype)
    _, _, _, z = code(model, sg.asarray(x), 3)
    with sg.no_grad():
        mean, log_var = (sg.asnumpy(y) for y in model.decoder(sg.asarray(z)))
    assert log_var.std() > 0.1
    expected = (x - mean) ** 2 / (2 * np.exp(log_var)) + 0.5 * np.log(2 * np.pi * np.exp(log_var))
    found = model.loss_terms(sg.asarray(x), RandomStream(3))["reconstruction"]
    assert_close(found, expected.sum((1, 2)).mean(), rtol=rtol)


@pytest.mark.equation("vae-normal-likelihood", "vae-pixel-sigma", "vae-categorical-likelihood")
@pytest.mark.parametrize(
    "options",
    [{}, {"sigma": "pixels"}, {"likelihood": "categorical", "levels": 4}, {"likelihood": "bernoulli"}],
)
def test_many_codes_of_each_example_have_the_likelihood_of_each_code(options: dict[str, Any]) -> None:
    model = shaken(VAE.dense((2, 3), 8, 2, **{"likelihood": "normal", **options}))
    z, x = ARRAYS.normal(size=(4, 5, 2)), sg.asarray(ARRAYS.random((5, 2, 3)))
    with sg.no_grad():
        found = sg.asnumpy(model.likelihood(sg.asarray(z)).log_prob_per_example(x, leading=2))
        each = [sg.asnumpy(model.likelihood(sg.asarray(one)).log_prob_per_example(x)) for one in z]
        logits = sg.asnumpy(model.decoder(sg.asarray(z[0]))) if "bernoulli" in options.values() else None
    assert_close(found, np.stack(each), rtol=1e-12)
    if logits is not None:
        tosses = sg.asnumpy(x) * special.log_expit(logits) + (1 - sg.asnumpy(x)) * special.log_expit(-logits)
        assert_close(found[0], tosses.sum(axis=(1, 2)), rtol=1e-9)


@pytest.mark.equation("vae-marginal")
def test_with_a_prior_of_its_own_codes_are_drawn_from_that() -> None:
    prior = shaken(MixturePrior(2, 2))
    model = shaken(VAE.dense((2, 3), 8, 2, "normal", prior=prior))
    codes = prior.sample(6, RandomStream(9))
    assert_close(model.sample(6, RandomStream(9)), sg.asnumpy(model.decode(codes)), rtol=1e-12)


# What a label adds to the mean of a linear-Gaussian x, whose log p(x|label) is known.
S, W = 0.6, np.linalg.qr(ARRAYS.normal(size=(4, 2)))[0] * [1.5, 0.7]
SHIFTS = ARRAYS.normal(size=(3, 4))
M = np.diag(W.T @ W) + S**2


class ShiftedEncoder(Module):
    """The true posterior of the label's own x, off by a constant."""

    def __init__(self, off: float) -> None:
        self.off = off

    def forward(self, x: Any, labels: Any) -> tuple[Any, Any]:
        mean = (x - sg.asarray(SHIFTS)[labels]) @ sg.asarray(W / M) + self.off
        return mean, sg.broadcast_to(sg.asarray(np.log(S**2 / M)), mean.shape)


class ShiftedDecoder(Module):
    """W z and what the label adds."""

    def __init__(self) -> None:
        self.weight = Parameter(sg.asarray(W.T))

    def forward(self, z: Any, labels: Any) -> Any:
        return z @ self.weight + sg.asarray(SHIFTS)[labels]


@pytest.mark.equation("vae-conditional-elbo")
def test_told_a_label_the_bound_is_on_the_likelihood_of_its_class() -> None:
    labels = np.array([0, 1, 2, 2])
    x = ARRAYS.normal(size=(4, 4))
    marginal = stats.multivariate_normal(np.zeros(4), W @ W.T + S**2 * np.eye(4))
    log_p = marginal.logpdf(x - SHIFTS[labels])
    for off in (0.0, 0.5):
        model = VAE(ShiftedEncoder(off), ShiftedDecoder(), 2, "normal", classes=3).to(np.float64)
        model.decoder_log_var.data[...] = 2 * np.log(S)
        gap = (off**2 / (S**2 / M)).sum() / 2  # the divergence from the true posterior
        many, told = sg.asarray(np.tile(x, (10_000, 1))), sg.asarray(np.tile(labels, 10_000))
        with sg.no_grad():
            found = sg.asnumpy(model.elbo(many, RandomStream(1), labels=told)).reshape(-1, 4)
            weighted = model.log_marginal(sg.asarray(x), RandomStream(2), 3000, labels=sg.asarray(labels))
        assert_mean(found, log_p - gap)
        told = sg.asarray(labels)
        assert_slopes(
            lambda model=model, told=told: model.elbo(sg.asarray(x), RandomStream(1), labels=told),
            [model.decoder.weight],
        )
        assert_close(weighted, log_p, rtol=1e-11 if off == 0 else 0.1)


@pytest.mark.equation("vae-marginal")
def test_told_a_label_samples_are_of_its_class() -> None:
    labels = np.repeat([0, 2], 10_000)
    model = VAE(ShiftedEncoder(0.0), ShiftedDecoder(), 2, "normal", classes=3).to(np.float64)
    model.decoder_log_var.data[...] = 2 * np.log(S)
    x = sg.asnumpy(model.sample(len(labels), RandomStream(3), noise=True, labels=sg.asarray(labels)))
    for label in (0, 2):
        assert_mean(x[labels == label], SHIFTS[label])
    residual = x - SHIFTS[labels]
    assert_mean(residual[:, :, None] * residual[:, None, :], W @ W.T + S**2 * np.eye(4))


@pytest.mark.equation("mixture-prior")
@pytest.mark.parametrize(("dtype", "rtol"), DTYPES)
def test_the_density_of_a_mixture_prior_is_a_weighted_sum_of_normals(dtype: Any, rtol: float) -> None:
    prior = shaken(MixturePrior(3, 2), dtype, 0.8)
    z = ARRAYS.normal(size=(4, 5, 2)).astype(dtype)
    state = {name: array.astype(np.float64) for name, array in prior.state_dict().items()}
    weights, sigma = special.softmax(state["logits"]), np.exp(state["log_var"] / 2)
    each = stats.norm.pdf(z[:, :, None].astype(np.float64), state["mean"], sigma).prod(-1)  # (4, 5, 3)
    assert_close(prior.log_prob(sg.asarray(z)), np.log(each @ weights), rtol=10 * rtol, atol=rtol)
    drawn = sg.asnumpy(prior.sample(20_000, RandomStream(0))).astype(np.float64)
    mean = weights @ state["mean"]
    assert_mean(drawn, mean, errors=5)
    assert_mean((drawn - mean) ** 2, weights @ (sigma**2 + (state["mean"] - mean) ** 2), errors=5)


@pytest.mark.equation("vamp-prior")
@pytest.mark.parametrize("one_array", [False, True])
@pytest.mark.parametrize(("dtype", "rtol"), DTYPES)
def test_the_vamp_prior_is_the_mean_of_the_pseudo_inputs_posteriors(
    dtype: Any, rtol: float, one_array: bool
) -> None:
    encoder = Linear(6, 4) if one_array else VAE.dense(6, 8, 2).encoder
    prior = shaken(VampPrior(ARRAYS.random((3, 6)).astype(np.float32), encoder), dtype)
    z = ARRAYS.normal(size=(4, 2)).astype(dtype)
    with sg.no_grad():
        encoded = encoder(sg.asarray(prior.state_dict()["pseudo_inputs"]))
    encoded = sg.asnumpy(encoded) if one_array else np.concatenate([sg.asnumpy(y) for y in encoded], axis=1)
    mean, log_var = encoded[:, :2].astype(np.float64), encoded[:, 2:].astype(np.float64)
    each = stats.norm.pdf(z[:, None].astype(np.float64), mean, np.exp(log_var / 2)).prod(-1)
    assert_close(prior.log_prob(sg.asarray(z)), np.log(each.mean(axis=1)), rtol=10 * rtol, atol=rtol)
    drawn = sg.asnumpy(prior.sample(20_000, RandomStream(0))).astype(np.float64)
    assert_mean(drawn, mean.mean(axis=0))


@pytest.mark.equation("vae-prior-kl")
def test_the_divergence_from_a_learnt_prior_is_estimated_where_the_code_was_drawn() -> None:
    model = shaken(VAE.dense(6, 8, 2, prior=MixturePrior(3, 2)))
    x = sg.asarray(X)
    q, mean, sigma, z = code(model, x, 3)
    log_q = stats.norm.logpdf(z, mean, sigma).sum(-1)
    log_p = sg.asnumpy(model.prior.log_prob(sg.asarray(z)))
    assert_close(model.elbo_terms(x, RandomStream(3))[1], log_q - log_p, rtol=1e-11)
    learnt = [*model.encoder.parameters(), *model.prior.parameters()]
    assert_slopes(lambda: model.elbo_terms(x, RandomStream(3))[1], learnt)
    # Of a single component the divergence is known.
    model = shaken(VAE.dense(6, 8, 2, prior=MixturePrior(1, 2)))
    with sg.no_grad():
        q = model.posterior(x)
        prior = Normal(sg.asarray(model.prior.mean.data), sg.asarray(model.prior.log_var.data))
        exact = sg.asnumpy(sum_per_example(kl_divergence(q, prior)))
        many = sg.asarray(np.tile(X, (8000, 1)))
        assert_mean(sg.asnumpy(model.elbo_terms(many, RandomStream(4))[1]).reshape(-1, 5), exact)


@pytest.mark.equation("vae-prior-kl")
@pytest.mark.equation("vae-iwae")
def test_importance_weights_hold_the_learnt_prior() -> None:
    model = shaken(VAE.dense(6, 8, 2, prior=MixturePrior(3, 2)))
    x = sg.asarray(X)
    with sg.no_grad():
        weighted = model.log_marginal(x, RandomStream(3), 1)
        log_likelihood, kl = model.elbo_terms(x, RandomStream(3))
    assert_close(weighted, sg.asnumpy(log_likelihood) - sg.asnumpy(kl), rtol=1e-11)


@pytest.mark.equation("vae-free-bits")
@pytest.mark.parametrize(("dtype", "rtol"), DTYPES)
def test_free_bits_count_a_dimension_for_no_less_than_their_number(dtype: Any, rtol: float) -> None:
    for free in (0.0, 0.05, 0.3, 5.0):
        model = shaken(VAE.dense(6, 8, 3, beta=2.0, free_bits=free, rng=RandomStream(1)), dtype)
        x = sg.asarray(X, dtype)
        q = model.posterior(x)
        per_dimension = sg.asnumpy(kl_divergence(q, Normal(0.0, 0.0))).mean(axis=0)
        terms = {name: sg.asnumpy(term) for name, term in model.loss_terms(x, RandomStream(3)).items()}
        price = np.maximum(per_dimension, free).sum()
        assert_close(terms["loss"], terms["reconstruction"] + 2 * price, rtol=rtol)
        assert_close(terms["kl"], per_dimension.sum(), rtol=rtol)
        if dtype == np.float64:
            assert_slopes(lambda x=x, model=model: model.loss(x, RandomStream(3)), model.encoder.parameters())
        if free == 0.3:
            assert (per_dimension < free).any()
            assert (per_dimension > free).any()


@pytest.mark.equation("vae-free-bits")
def test_without_free_bits_an_estimated_divergence_may_be_negative() -> None:
    model = shaken(VAE.dense(6, 8, 2, prior=MixturePrior(3, 2)))
    x = sg.asarray(X[:1])
    drawn = [model.loss_terms(x, RandomStream(seed)) for seed in range(200)]
    terms = min(drawn, key=lambda terms: terms["kl"].item())
    assert terms["kl"].item() < 0
    assert_close(terms["loss"], terms["reconstruction"].item() + terms["kl"].item(), rtol=1e-12)


@pytest.mark.equation("vae-anomaly-score")
def test_the_anomaly_score_is_minus_the_mean_of_several_bounds() -> None:
    model = shaken(VAE.dense(6, 8, 2))
    x = sg.asarray(X)
    rng = RandomStream(5)
    with sg.no_grad():
        bounds = [sg.asnumpy(model.elbo(x, rng)) for _ in range(3)]
    score = model.anomaly_score(x, RandomStream(5), samples=3)
    assert not isinstance(score, sg.Tensor)
    assert_close(score, -np.mean(bounds, axis=0), rtol=1e-12)
    assert_close(model.anomaly_score(x, RandomStream(5)), -bounds[0], rtol=1e-12)


# Three images with posteriors of one dimension, so that every integral is one sum over a grid.
MEANS, LOG_VARS = np.array([[-1.0], [0.3], [2.0]]), np.array([[-1.0], [0.4], [-2.0]])
GRID = np.linspace(-12, 12, 20_001)
EACH = stats.norm.pdf(GRID, MEANS, np.exp(LOG_VARS / 2))  # (3, points)
CELL = GRID[1] - GRID[0]


def posteriors() -> Normal:
    return Normal(sg.asarray(MEANS), sg.asarray(LOG_VARS))


@pytest.mark.equation("aggregated-posterior")
def test_all_posteriors_together_are_a_mixture_of_equal_parts() -> None:
    found = aggregated_posterior(posteriors()).log_prob(sg.asarray(GRID[:, None]))
    assert_close(np.exp(sg.asnumpy(found)), EACH.mean(axis=0), rtol=1e-9, atol=1e-30)


@pytest.mark.equation("elbo-surgery")
@pytest.mark.equation("code-information")
def test_the_divergence_is_information_and_a_gap() -> None:
    prior = shaken(MixturePrior(2, 1))
    log_p = sg.asnumpy(prior.log_prob(sg.asarray(GRID[:, None])))
    together = EACH.mean(axis=0)
    information = (EACH * np.log(EACH / together)).mean(axis=0).sum() * CELL
    gap = (together * (np.log(together) - log_p)).sum() * CELL
    found = elbo_surgery(posteriors(), prior.log_prob, RandomStream(0), samples=4000)
    for name, exact in (("information", information), ("gap", gap)):
        error = getattr(found, f"{name}_error")
        assert 0 < error < 0.02
        assert_at_most(abs(getattr(found, name) - exact) / error, 4, "standard errors")
    assert 0 < information < np.log(3)
    standard = Normal(0.0, 0.0).log_prob_per_example
    found = elbo_surgery(posteriors(), standard, RandomStream(0), samples=4000)
    paid = sg.asnumpy(kl_divergence(posteriors(), Normal(0.0, 0.0))).mean()
    error = found.information_error + found.gap_error
    assert_at_most(abs(found.information + found.gap - paid) / error, 4, "standard errors")


@pytest.mark.equation("active-units")
def test_a_unit_is_active_whose_mean_moves_with_the_image() -> None:
    rng = np.random.default_rng(3)
    mean = rng.normal(size=(500, 4)) * np.array([0.0, 0.09, 0.12, 3.0]) + 5.0
    assert (mean.var(axis=0) > 0.01).tolist() == [False, False, True, True]
    assert_close(active_units(mean), 2)
    assert active_units(mean.astype(np.float32), threshold=0.0001) == 3
    assert active_units([[-0.5, 1.0], [0.5, 1.0]], threshold=0.25) == 0  # the variance itself is not above it
