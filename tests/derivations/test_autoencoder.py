"""The autoencoder's loss, and the theorem that a linear one finds the principal components."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from scipy import linalg
from tools import assert_close

import scratchgen as sg
from scratchgen.autograd import check_gradients
from scratchgen.backend import RandomStream
from scratchgen.distributions import Normal
from scratchgen.models import Autoencoder
from scratchgen.nn import Linear
from scratchgen.optim import Adam, schedules

X = np.random.default_rng(0).normal(size=(4, 5))


@pytest.mark.equation("autoencoder-loss")
def test_the_loss_is_the_squared_error_summed_over_dimensions_and_averaged_over_examples() -> None:
    model = Autoencoder.dense(5, 7, 2, rng=RandomStream(0)).to(np.float64)
    reconstructed = sg.asnumpy(model.reconstruct(sg.asarray(X)))
    expected = np.mean([((x - y) ** 2).sum() for x, y in zip(X, reconstructed, strict=True)])
    assert_close(model.loss(sg.asarray(X)), expected, rtol=1e-12)


@pytest.mark.equation("autoencoder-likelihood")
def test_up_to_a_constant_it_is_a_gaussians_negative_log_likelihood_with_variance_one_half() -> None:
    model = Autoencoder.dense(5, 7, 2, rng=RandomStream(0)).to(np.float64)
    x = sg.asarray(X)
    mean = model.reconstruct(x)
    p = Normal(mean, sg.asarray(np.log(0.5), np.float64))
    nats = -sg.asnumpy(p.log_prob_per_example(x)).mean()
    assert_close(model.loss(x), nats - 5 / 2 * np.log(np.pi), rtol=1e-12)


@pytest.mark.equation("autoencoder-loss")
def test_its_derivatives_by_the_weights() -> None:
    model = Autoencoder(Linear(5, 2), Linear(2, 5)).to(np.float64)

    def loss(encode: Any, decode: Any) -> Any:
        model.encoder.weight, model.decoder.weight = encode, decode
        return model.loss(sg.asarray(X))

    check_gradients(loss, *(sg.asnumpy(layer.weight) for layer in (model.encoder, model.decoder)))


@pytest.mark.equation("pca-error")
def test_a_linear_autoencoder_spans_the_principal_components_and_reaches_their_error() -> None:
    rng = np.random.default_rng(1)
    mixing = np.linalg.qr(rng.normal(size=(6, 6)))[0] * np.sqrt([4.0, 2.0, 1.0, 0.2, 0.1, 0.05])
    data = rng.normal(size=(200, 6)) @ mixing.T + [3.0, -2.0, 0.0, 1.0, 0.0, 0.5]
    centred = data - data.mean(0)
    _, singular, components = np.linalg.svd(centred, full_matrices=False)
    pca_error = (singular[3:] ** 2).sum() / len(data)

    encoder, decoder = Linear(6, 3, rng=RandomStream(0)), Linear(3, 6, rng=RandomStream(1))
    model, x = Autoencoder(encoder, decoder).to(np.float64), sg.asarray(data)
    optimiser = Adam(model.parameters(), lr=0.05)
    rate = schedules.cosine(0.05, 1500)
    for step in range(1500):
        optimiser.lr = rate(step)
        optimiser.zero_grad()
        model.loss(x).backward()
        optimiser.step()

    error = model.loss(x).item()
    assert pca_error <= error * (1 + 1e-12)  # nothing linear does better
    assert_close(error, pca_error, rtol=1e-5)
    angles = linalg.subspace_angles(sg.asnumpy(decoder.weight), components[:3].T)
    assert angles.max() < 1e-3
    others = linalg.subspace_angles(sg.asnumpy(decoder.weight), components[1:4].T)
    assert others.max() > 1  # the angle does tell one subspace from another
