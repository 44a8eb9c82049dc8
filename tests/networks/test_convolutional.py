"""ConvEncoder and ConvDecoder: shapes, roles in the models, and sizes that cannot be halved."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import VAE, Autoencoder
from scratchgen.networks import ConvDecoder, ConvEncoder
from scratchgen.nn import LeakyReLU
from scratchgen.optim import Adam

SHAPE = (3, 8, 12)


def blobs(n: int) -> Any:
    """Pictures in [0, 1] that two numbers describe: where a bright rectangle ends."""
    ends = sg.asnumpy(RandomStream(3).integers(1, 8, (n, 2)))
    rows, columns = np.arange(8)[:, None], np.arange(12)
    inside = (rows < ends[:, 0, None, None]) & (columns < ends[:, 1, None, None])
    return sg.asarray(np.repeat(inside[:, None], 3, axis=1).astype(np.float32))


def test_each_convolution_halves_or_doubles_the_size() -> None:
    encoder = ConvEncoder(SHAPE, 5, widths=(4, 8), rng=RandomStream(0))
    decoder = ConvDecoder(5, SHAPE, widths=(8, 4), rng=RandomStream(1))
    x = blobs(2)
    assert encoder[0](x).shape == (2, 4, 4, 6)
    z = encoder(x)
    assert z.shape == (2, 5)
    assert decoder(z).shape == (2, *SHAPE)
    assert encoder(x[:0]).shape == (0, 5)
    assert (encoder[-1].in_features, decoder[0].out_features) == (8 * 2 * 3, 8 * 2 * 3)


def test_first_weights_come_from_the_stream() -> None:
    for kind, args in ((ConvEncoder, (SHAPE, 5, (4, 8))), (ConvDecoder, (5, SHAPE, (8, 4)))):
        one, same, other = (kind(*args, rng=RandomStream(seed)).state_dict() for seed in (0, 0, 1))
        for name, array in one.items():
            assert_close(array, same[name])
            assert (array != other[name]).mean() > 0.99


def test_batch_norm_and_activation_stand_where_a_dcgan_has_them() -> None:
    def leaky() -> LeakyReLU:
        return LeakyReLU(0.2)

    encoder = ConvEncoder(SHAPE, 1, (4, 8), batch_norm=True, activation=leaky)
    decoder = ConvDecoder(5, SHAPE, (8, 4), batch_norm=True)
    assert [type(layer).__name__ for layer in encoder] == [
        *("Conv2d", "LeakyReLU", "Conv2d", "BatchNorm2d", "LeakyReLU", "Flatten", "Linear")
    ]
    assert [type(layer).__name__ for layer in decoder] == [
        *("Linear", "Unflatten", "BatchNorm2d", "ReLU", "ConvTranspose2d"),
        *("BatchNorm2d", "ReLU", "ConvTranspose2d"),
    ]


def test_they_make_an_autoencoder_and_a_vae_that_learn() -> None:
    rng = RandomStream(0)
    x = blobs(32)
    models = [
        Autoencoder(
            ConvEncoder(SHAPE, 2, (4, 8), rng=rng.child(0)), ConvDecoder(2, SHAPE, (8, 4), rng=rng.child(1))
        ),
        VAE(
            ConvEncoder(SHAPE, 4, (4, 8), rng=rng.child(2)),
            ConvDecoder(2, SHAPE, (8, 4), rng=rng.child(3)),
            2,
        ),
    ]
    for model in models:
        optimizer = Adam(model.parameters(), lr=0.01)
        losses = []
        for step in range(40):
            loss = model.loss(x, rng.child("noise", step)) if isinstance(model, VAE) else model.loss(x)
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(float(loss))
        assert losses[-1] < 0.6 * losses[0]
    assert models[1].sample(3, rng).shape == (3, *SHAPE)


@pytest.mark.parametrize(
    "make", [lambda shape, w: ConvEncoder(shape, 2, w), lambda s, w: ConvDecoder(2, s, w)]
)
def test_what_does_not_fit_is_named(make: Any) -> None:
    with pytest.raises(
        ValueError, match=r"shape: got \(1, 28, 30\), .* divisible by 4, .* the 2 convolutions"
    ):
        make((1, 28, 30), (4, 8))
    with pytest.raises(ValueError, match=r"shape: got \(28, 28\), expected \(channels, height, width\)"):
        make((28, 28), (4, 8))
    with pytest.raises(ValueError, match="widths: got none"):
        make((1, 28, 28), ())
    with pytest.raises(ValueError, match=r"widths\[1\]: got 0"):
        make((1, 28, 28), (4, 0))
