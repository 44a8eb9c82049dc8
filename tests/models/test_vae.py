"""VAE: parameters, losses and samples. Its equations are in ``tests/derivations``."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.distributions import Bernoulli, Normal
from scratchgen.models import VAE
from scratchgen.nn import Linear
from scratchgen.optim import Adam

X = (np.random.default_rng(0).random((5, 6)) < 0.5).astype(np.float64)


def small(likelihood: str = "bernoulli", dtype: Any = np.float32, **options: Any) -> VAE:
    return VAE.dense(6, 8, 2, likelihood, rng=RandomStream(0), **options).to(dtype)


def test_the_courses_model_has_410_404_parameters_layer_by_layer() -> None:
    assert str(VAE.dense(784, 256, 10)).splitlines() == [
        "layer                               output shape  parameters",
        "------------------------------------------------------------",
        "encoder.0  Flatten()                (batch, 784)           0",
        "encoder.1  Linear(784, 256)         (batch, 256)     200,960",
        "encoder.2  ReLU()                   (batch, 256)           0",
        "encoder.3.mean  Linear(256, 10)     (batch, 10)        2,570",
        "encoder.3.log_var  Linear(256, 10)  (batch, 10)        2,570",
        "decoder.0  Linear(10, 256)          (batch, 256)       2,816",
        "decoder.1  ReLU()                   (batch, 256)           0",
        "decoder.2  Linear(256, 784)         (batch, 784)     201,488",
        "decoder.3  Unflatten(1, (784,))     (batch, 784)           0",
        "------------------------------------------------------------",
        "VAE: 410,404 parameters",
    ]


def test_a_learnt_sigma_is_one_parameter_more_and_a_fixed_one_none() -> None:
    assert VAE.dense(784, 256, 10, "normal").parameter_count() == 410_405
    assert VAE.dense(784, 256, 10, "normal", sigma=0.1).parameter_count() == 410_404
    assert "decoder_log_var  Parameter" in str(small("normal"))
    assert_close(small("normal", sigma=0.1).state_dict()["decoder_log_var"], 2 * np.log(0.1), rtol=1e-7)


def test_weights_are_fixed_by_the_stream() -> None:
    one, same, other = (VAE.dense(6, 8, 2, rng=RandomStream(seed)).state_dict() for seed in (0, 0, 1))
    assert all((one[name] == same[name]).all() for name in one)
    assert all((one[name] != other[name]).any() for name in one)
    assert_close(VAE.dense(6, 8, 2).state_dict()["decoder.0.weight"], VAE.dense(6, 8, 2).decoder[0].weight)


@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_shapes_and_dtypes(likelihood: str, dtype: Any) -> None:
    model = VAE.dense((1, 2, 3), 8, 2, likelihood).to(dtype)
    x = sg.asarray(X.reshape(5, 1, 2, 3), dtype)
    q = model.posterior(x)
    p = model.likelihood(q.mean)
    assert type(p) is (Bernoulli if likelihood == "bernoulli" else Normal)
    rng = RandomStream(0)
    results = {
        (5, 2): (q.mean, q.log_var, model.encode(x)),
        (5, 1, 2, 3): (p.mean, model(x), model.reconstruct(x), model.decode(model.encode(x))),
        (5,): (model.elbo(x, rng), model.log_marginal(x, rng, 3), *model.elbo_terms(x, rng)),
        (): (model.loss(x, rng), *model.loss_terms(x, rng).values()),
    }
    for shape, arrays in results.items():
        for array in arrays:
            assert array.shape == shape
            assert array.dtype == dtype
    for parameter, gradient in zip(
        model.parameters(), sg.grad(model.loss(x, rng), list(model.parameters())), strict=True
    ):
        assert gradient.dtype == dtype
        assert gradient.shape == parameter.shape


@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
def test_the_loss_is_minus_the_elbo_in_nats_summed_over_pixels(likelihood: str) -> None:
    model, x = small(likelihood, np.float64), sg.asarray(X)
    loss = model.loss(x, RandomStream(7))
    assert_close(loss, -sg.asnumpy(model.elbo(x, RandomStream(7))).mean(), rtol=1e-12)
    terms = model.loss_terms(x, RandomStream(7))
    assert_close(terms["loss"], loss, rtol=1e-12)
    assert_close(sg.asnumpy(terms["reconstruction"]) + sg.asnumpy(terms["kl"]), loss, rtol=1e-12)
    # Every pixel twice, each with a decoder output of its own, is twice the reconstruction term.
    wide = VAE(model.encoder, Doubled(model.decoder), 2, likelihood).to(np.float64)
    wide.encoder = Halved(model.encoder)
    double = wide.loss_terms(sg.cat([x, x], axis=1), RandomStream(7))
    assert_close(double["reconstruction"], 2 * sg.asnumpy(terms["reconstruction"]), rtol=1e-12)
    assert_close(double["kl"], terms["kl"], rtol=1e-12)


class Doubled(sg.nn.Module):
    """Each output twice."""

    def __init__(self, inner: sg.nn.Module) -> None:
        self.inner = inner

    def forward(self, z: Any) -> Any:
        y = self.inner(z)
        return sg.cat([y, y], axis=1)


class Halved(sg.nn.Module):
    """The first half of the input only."""

    def __init__(self, inner: sg.nn.Module) -> None:
        self.inner = inner

    def forward(self, x: Any) -> Any:
        return self.inner(x[:, :6])


def test_beta_weighs_the_divergence_in_the_loss_and_not_in_the_elbo() -> None:
    x = sg.asarray(X)
    plain, weighted = (small(dtype=np.float64, beta=beta) for beta in (1.0, 4.0))
    terms = {name: sg.asnumpy(value) for name, value in weighted.loss_terms(x, RandomStream(7)).items()}
    assert terms["kl"] > 0
    assert_close(terms["loss"], terms["reconstruction"] + 4 * terms["kl"], rtol=1e-12)
    assert_close(weighted.elbo(x, RandomStream(7)), plain.elbo(x, RandomStream(7)))
    assert_close(small(dtype=np.float64, beta=0).loss(x, RandomStream(7)), terms["reconstruction"])


def test_the_encoding_is_stochastic_and_fixed_by_the_stream() -> None:
    model, x = small(), sg.asarray(X, np.float32)
    draws = [sg.asnumpy(model.posterior(x).sample(RandomStream(seed))) for seed in (0, 0, 1)]
    assert (draws[0] == draws[1]).all()
    assert (draws[0] != draws[2]).all()
    losses = [model.loss(x, RandomStream(seed)).item() for seed in (0, 0, 1)]
    assert losses[0] == losses[1] != losses[2]
    assert_close(model.encode(x), sg.asnumpy(model.posterior(x).mean))


def test_an_encoder_may_give_one_array_of_means_and_log_variances() -> None:
    encoder, decoder = Linear(6, 4), Linear(2, 6)
    model = VAE(encoder, decoder, 2)
    x = sg.asarray(X, np.float32)
    both, q = sg.asnumpy(encoder(x)), model.posterior(x)
    assert_close(q.mean, both[:, :2])
    assert_close(q.log_var, both[:, 2:])


@pytest.mark.parametrize("likelihood", ["bernoulli", "normal"])
def test_samples_have_a_shape_a_dtype_and_a_stream(likelihood: str) -> None:
    for dtype in (np.float32, np.float64):
        model = VAE.dense((1, 2, 3), 8, 2, likelihood, rng=RandomStream(0)).to(dtype)
        for noise in (False, True):
            draws = [model.sample(4, RandomStream(seed), noise=noise) for seed in (0, 0, 1)]
            assert not isinstance(draws[0], sg.Tensor)
            assert draws[0].shape == (4, 1, 2, 3)
            assert draws[0].dtype == dtype
            hosts = [sg.asnumpy(draw) for draw in draws]
            assert (hosts[0] == hosts[1]).all()
            assert (hosts[0] != hosts[2]).any()
        assert model.sample(0, RandomStream(0)).shape == (0, 1, 2, 3)


def test_samples_are_means_or_with_noise_zeros_and_ones_of_that_mean() -> None:
    model = small()
    means = sg.asnumpy(model.sample(20_000, RandomStream(0)))
    draws = sg.asnumpy(model.sample(20_000, RandomStream(0), noise=True))
    assert ((means > 0) & (means < 1)).all()
    assert set(np.unique(draws)) == {0.0, 1.0}
    standard_error = np.sqrt((means * (1 - means)).mean(0) / len(means))
    assert (np.abs((draws - means).mean(0)) < 5 * standard_error).all()


def test_the_noise_of_a_normal_has_its_sigma() -> None:
    model = small("normal", np.float64, sigma=0.3)
    noise = sg.asnumpy(model.sample(20_000, RandomStream(0), noise=True))
    noise = noise - sg.asnumpy(model.sample(20_000, RandomStream(0)))
    assert abs(noise.std() - 0.3) < 5 * 0.3 / np.sqrt(2 * noise.size)


@pytest.mark.parametrize("chunk", [1, 3, 7, 100])
def test_the_chunk_of_log_marginal_does_not_matter(chunk: int) -> None:
    for likelihood in ("bernoulli", "normal"):
        model, x = small(likelihood, np.float64), sg.asarray(X)
        expected = model.log_marginal(x, RandomStream(3), samples=7)
        assert_close(model.log_marginal(x, RandomStream(3), 7, chunk), expected, rtol=1e-12)


def test_log_marginal_of_one_example_does_not_depend_on_the_others() -> None:
    # With one stream the first example of a batch sees other noise, so only the means over many agree.
    model, x = small(dtype=np.float64), sg.asarray(X)
    with sg.no_grad():
        together = sg.asnumpy(model.log_marginal(x, RandomStream(3), samples=4000))
        alone = sg.asnumpy(model.log_marginal(x[:1], RandomStream(4), samples=4000))
    assert_close(alone, together[:1], atol=0.02)


def test_training_raises_the_bound() -> None:
    model, x = small(), sg.asarray(X, np.float32)
    optimiser = Adam(model.parameters(), lr=1e-2)
    losses = []
    for step in range(150):
        optimiser.zero_grad()
        loss = model.loss(x, RandomStream(0, step))
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert np.mean(losses[-20:]) < np.mean(losses[:20]) - 0.5


def test_states_move_between_equal_models() -> None:
    for options in ({}, {"likelihood": "normal"}, {"likelihood": "normal", "sigma": 0.2}):
        one, other = (VAE.dense(6, 8, 2, rng=RandomStream(seed), **options) for seed in (0, 1))
        other.load_state_dict(one.state_dict())
        x = sg.asarray(X, np.float32)
        assert one.loss(x, RandomStream(0)).item() == other.loss(x, RandomStream(0)).item()


def test_a_training_step_never_waits_for_the_device() -> None:
    from strict import host_synchronisations

    sg.use_device("strict")
    for likelihood in ("bernoulli", "normal"):
        model = small(likelihood)
        optimiser = Adam(model.parameters())
        x = sg.asarray(X, np.float32)
        with host_synchronisations() as traffic:
            model.loss(x, RandomStream(0)).backward()
            sg.optim.clip_grad_norm(model.parameters(), 1.0)
            optimiser.step()
        assert traffic.synchronisations == 0
