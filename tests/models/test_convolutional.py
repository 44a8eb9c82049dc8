"""The convolutional autoencoder and VAE: their parts, their streams, and that they learn."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import VAE, Autoencoder
from scratchgen.networks import ConvDecoder, ConvEncoder
from scratchgen.optim import Adam

SHAPE = (2, 8, 12)
X = (np.random.default_rng(0).random((6, *SHAPE)) < 0.3).astype(np.float64)
MODELS = [Autoencoder, VAE]


def loss_of(model: Any, x: Any, step: int = 0) -> Any:
    return model.loss(x, RandomStream(step)) if isinstance(model, VAE) else model.loss(x)


@pytest.mark.parametrize("kind", MODELS)
def test_the_decoder_mirrors_the_encoder(kind: Any) -> None:
    model = kind.convolutional(SHAPE, 3, widths=(4, 6))
    convolutions = [name for name, _ in model.named_parameters() if name.endswith("weight")]
    shapes = {name: dict(model.named_parameters())[name].shape for name in convolutions}
    outputs = 3 if kind is Autoencoder else 6  # a VAE's encoder gives means and log-variances
    assert shapes == {
        "encoder.0.weight": (4, 2, 4, 4),
        "encoder.2.weight": (6, 4, 4, 4),
        "encoder.5.weight": (outputs, 6 * 2 * 3),
        "decoder.0.weight": (6 * 2 * 3, 3),
        "decoder.3.weight": (6, 4, 4, 4),
        "decoder.5.weight": (4, 2, 4, 4),
    }


@pytest.mark.parametrize("kind", MODELS)
@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_images_keep_their_shape_and_dtype(kind: Any, dtype: Any) -> None:
    model, x = kind.convolutional(SHAPE, 3).to(dtype), sg.asarray(X, dtype)
    assert model.encode(x).shape == (6, 3)
    reconstruction = model.reconstruct(x)
    assert reconstruction.shape == X.shape
    assert reconstruction.dtype == dtype


def test_the_halves_of_the_encoders_output_are_mean_and_log_variance() -> None:
    model, x = VAE.convolutional(SHAPE, 3).to(np.float64), sg.asarray(X)
    encoded = sg.asnumpy(model.encoder(x).data)
    assert_close(model.posterior(x).mean, encoded[:, :3])
    assert_close(model.posterior(x).log_var, encoded[:, 3:])


@pytest.mark.parametrize("kind", MODELS)
def test_weights_are_fixed_by_the_stream(kind: Any) -> None:
    first, again, other = (
        kind.convolutional(SHAPE, 3, rng=RandomStream(seed)).state_dict() for seed in (1, 1, 2)
    )
    for name in first:
        assert_close(first[name], again[name], rtol=0, atol=0)
        assert (sg.asnumpy(first[name]) != sg.asnumpy(other[name])).all(), name


@pytest.mark.parametrize("kind", MODELS)
def test_training_lowers_the_loss(kind: Any) -> None:
    model, x = kind.convolutional(SHAPE, 8, rng=RandomStream(0)), sg.asarray(X, np.float32)
    optimiser, losses = Adam(model.parameters(), lr=1e-2), []
    for step in range(50):
        optimiser.zero_grad()
        loss = loss_of(model, x, step)
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]


@pytest.mark.parametrize("kind", MODELS)
def test_images_of_another_size_are_refused(kind: Any) -> None:
    model = kind.convolutional(SHAPE, 3)
    with pytest.raises(ValueError, match=r"x: got shape \(6, 2, 8, 8\), expected \(batch, 2, 8, 12\)"):
        loss_of(model, sg.asarray(X[..., :8], np.float32))


@pytest.mark.parametrize("kind", MODELS)
def test_bad_sizes(kind: Any) -> None:
    with pytest.raises(ValueError, match="height and a width divisible by 4"):
        kind.convolutional((1, 10, 8), 3)
    with pytest.raises(ValueError, match="latent_dim"):
        kind.convolutional(SHAPE, 0)
    with pytest.raises(ValueError, match="widths: got none"):
        kind.convolutional(SHAPE, 3, widths=())


@pytest.mark.parametrize("kind", MODELS)
def test_what_an_example_becomes_depends_on_no_other(kind: Any) -> None:
    widths, outputs = (4, 6), 3 if kind is Autoencoder else 6
    encoder = ConvEncoder(SHAPE, outputs, widths, batch_norm=True, rng=RandomStream(0))
    decoder = ConvDecoder(3, SHAPE, widths[::-1], batch_norm=True, rng=RandomStream(1))
    model = kind(encoder, decoder) if kind is Autoencoder else kind(encoder, decoder, 3)
    x = sg.asarray(X, np.float32)
    loss_of(model, x)  # batch norm sees some data
    assert_close(model.reconstruct(x)[:1], model.reconstruct(x[:1]), rtol=1e-5, atol=1e-6)
    assert all(module.training for _, module in model.named_modules())
