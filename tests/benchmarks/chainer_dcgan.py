"""The DCGAN step of `dcgan.py` in Chainer 7.8; runs in a Python of its own (3.9)."""

from __future__ import annotations

import sys

import numpy as np
from timing import Step, serve

BATCH, LATENT, FIRST, SECOND = 64, 64, 64, 128


def make_step() -> Step:
    """Forward, backward and Adam of each."""
    import chainer
    import chainer.functions as F
    import chainer.links as L

    generator = chainer.Sequential(
        *(L.Linear(LATENT, SECOND * 49), lambda x: F.reshape(x, (-1, SECOND, 7, 7))),
        *(L.BatchNormalization(SECOND), F.relu, L.Deconvolution2D(SECOND, FIRST, 4, 2, 1)),
        *(L.BatchNormalization(FIRST), F.relu, L.Deconvolution2D(FIRST, 1, 4, 2, 1), F.tanh),
    )
    discriminator = chainer.Sequential(
        *(L.Convolution2D(1, FIRST, 4, 2, 1), F.leaky_relu, L.Convolution2D(FIRST, SECOND, 4, 2, 1)),
        *(L.BatchNormalization(SECOND), F.leaky_relu, L.Linear(SECOND * 49, 1)),
    )
    optimisers = [
        chainer.optimizers.Adam(alpha=2e-4, beta1=0.5).setup(network)
        for network in (generator, discriminator)
    ]
    draw = np.random.RandomState(0)
    images = np.tanh(draw.randn(BATCH, 1, 28, 28)).astype(np.float32)
    ones, zeros = np.ones((BATCH, 1), np.int32), np.zeros((BATCH, 1), np.int32)

    def step() -> None:
        fake = generator(draw.randn(BATCH, LATENT).astype(np.float32))
        discriminator.cleargrads()
        loss = F.sigmoid_cross_entropy(discriminator(images), ones)
        loss += F.sigmoid_cross_entropy(discriminator(fake.array), zeros)
        loss.backward()
        optimisers[1].update()
        generator.cleargrads()
        F.sigmoid_cross_entropy(discriminator(fake), ones).backward()
        optimisers[0].update()

    return step


if __name__ == "__main__":
    try:
        made = make_step()
    except ImportError:
        sys.exit("missing")
    serve(made)
