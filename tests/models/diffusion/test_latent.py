"""LatentDiffusion: what it trains, what it keeps, what it refuses."""

from __future__ import annotations

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM, VAE, Autoencoder, LatentDiffusion
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.networks import SmallImageDecoder, SmallImageEncoder, UNet, small_shape
from scratchgen.optim import Adam

SHAPE, SMALL = (1, 8, 8), (4, 2, 2)
X = np.random.default_rng(0).uniform(size=(12, *SHAPE)).astype(np.float32)


def vae() -> VAE:
    rng = RandomStream(1)
    encoder = SmallImageEncoder(SHAPE, 4, (8, 8, 16), rng=rng.child("e"))
    decoder = SmallImageDecoder(4, SHAPE, (8, 8, 16), rng=rng.child("d"))
    return VAE(encoder, decoder, 16, "normal", sigma=0.1)


def model(autoencoder: object = None, classes: int | None = None) -> LatentDiffusion:
    network = UNet(
        4, width=8, multipliers=(1, 2), classes=None if classes is None else classes + 1, rng=RandomStream(2)
    )
    ddpm = DDPM(network, cosine_schedule(40), SMALL, prediction="v", classes=classes)
    return LatentDiffusion(vae() if autoencoder is None else autoencoder, ddpm)


def test_the_loss_trains_the_diffusion_model_alone() -> None:
    latent = model()
    before = {name: sg.asnumpy(value).copy() for name, value in latent.state_dict().items()}
    optimiser = Adam(latent.parameters(), lr=1e-2)
    for step in range(3):
        optimiser.zero_grad()
        latent.loss(sg.asarray(X), RandomStream(step)).backward()
        optimiser.step()
    moved = {n for n, v in latent.state_dict().items() if not np.array_equal(before[n], sg.asnumpy(v))}
    assert moved
    assert all(name.startswith("ddpm.") or name == "scale" for name in moved)
    assert latent.ddpm.levels is None


def test_images_come_from_codes_and_the_same_ones_from_a_file() -> None:
    latent = model(classes=3).calibrate(sg.asarray(X), RandomStream(3))
    drawn = latent.sample(5, RandomStream(4), labels=2, guidance=1.0, steps=6)
    assert drawn.shape == (5, *SHAPE)
    assert drawn.dtype == np.float32
    codes = latent.ddpm.ode_sample(5, RandomStream(4), 6, 2, 1.0)
    assert_close(
        drawn, latent.autoencoder.decode(codes.reshape((5, 16)) / latent.scale.data), rtol=1e-5, atol=1e-6
    )
    assert latent.sample(2, RandomStream(5)).shape == (2, *SHAPE)
    other = model(classes=3)
    other.load_state_dict({name: sg.asnumpy(v) for name, v in latent.state_dict().items()})
    assert_close(other.sample(5, RandomStream(4), labels=2, guidance=1.0, steps=6), drawn, rtol=0)
    other.loss(sg.asarray(X), RandomStream(6))
    assert_close(other.scale, latent.scale, rtol=0)  # known: the first batch does not set it anew


def test_a_code_keeps_what_is_where() -> None:
    # Pixels of one corner change the codes of that corner, and no others far away.
    shape, latent_shape = (1, 32, 32), small_shape((1, 32, 32), 2, (8, 8, 8))
    encoder = SmallImageEncoder(shape, 2, (8, 8, 8), rng=RandomStream(7))
    x = np.zeros((2, *shape), np.float32)
    x[1, :, :4, :4] = 1
    z = sg.asnumpy(encoder(sg.asarray(x)))[:, : int(np.prod(latent_shape))].reshape(2, *latent_shape)
    changed = np.abs(z[1] - z[0]).max(axis=0) > 1e-5
    assert changed[0, 0]
    assert not changed[4:, :].any()
    assert not changed[:, 4:].any()


def test_an_autoencoder_without_a_likelihood_draws_too_but_has_no_bound() -> None:
    latent = model(Autoencoder.dense(SHAPE, 16, 16))
    latent.loss(sg.asarray(X), RandomStream(8)).backward()
    assert latent.sample(2, RandomStream(9), steps=3).shape == (2, *SHAPE)
    with pytest.raises(TypeError, match="autoencoder: got Autoencoder"):
        latent.bound(sg.asarray(X), RandomStream(10))
    bound = model()
    with pytest.raises(RuntimeError, match="call calibrate"):
        bound.bound(sg.asarray(X), RandomStream(10))
    assert bound.calibrate(sg.asarray(X), RandomStream(3)).bound(sg.asarray(X), RandomStream(10))[
        "bound"
    ].shape == (12,)


def test_what_does_not_fit_is_refused() -> None:
    ddpm = model().ddpm
    with pytest.raises(TypeError, match="autoencoder: got int"):
        LatentDiffusion(3, ddpm)
    with pytest.raises(TypeError, match="ddpm: got VAE"):
        LatentDiffusion(vae(), vae())
    with pytest.raises(ValueError, match="autoencoder: got one that is told labels"):
        LatentDiffusion(VAE.dense(SHAPE, 8, 16, "normal", classes=3), ddpm)
    with pytest.raises(
        ValueError, match=r"autoencoder: got codes of shape \(12, 9\), expected as many numbers"
    ):
        LatentDiffusion(VAE.dense(SHAPE, 8, 9, "normal"), ddpm).loss(sg.asarray(X), RandomStream(0))
    with pytest.raises(TypeError, match="rng: got None"):
        model().loss(sg.asarray(X))
    with pytest.raises(RuntimeError, match="call calibrate"):
        model().sample(2, RandomStream(0))
    with pytest.raises(
        ValueError, match=r"shape: got \(1, 6, 6\), expected a height and a width divisible by 4"
    ):
        SmallImageEncoder((1, 6, 6), 4)
    with pytest.raises(ValueError, match="widths: got none"):
        small_shape((1, 8, 8), 4, ())
