"""The DCGAN step of `dcgan.py` in DeZero; runs in a Python of its own (3.9)."""

from __future__ import annotations

import sys

import numpy as np
from timing import Step, serve

BATCH, LATENT, FIRST, SECOND = 64, 64, 64, 128


def make_step() -> Step:
    """Forward, backward and Adam of each."""
    import dezero.functions as F
    import dezero.layers as L
    from dezero.models import Model, Sequential
    from dezero.optimizers import Adam

    class Generator(Model):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.norm1 = L.Linear(SECOND * 49, in_size=LATENT), L.BatchNorm()
            self.up1, self.norm2 = L.Deconv2d(FIRST, 4, 2, 1, in_channels=SECOND), L.BatchNorm()
            self.up2 = L.Deconv2d(1, 4, 2, 1, in_channels=FIRST)

        def forward(self, z):  # type: ignore[no-untyped-def]
            x = F.reshape(self.first(z), (BATCH, SECOND, 7, 7))
            x = self.up1(F.relu(self.norm1(x)))
            return F.tanh(self.up2(F.relu(self.norm2(x))))

    generator = Generator()
    discriminator = Sequential(
        *(L.Conv2d(FIRST, 4, 2, 1, in_channels=1), F.leaky_relu),
        *(L.Conv2d(SECOND, 4, 2, 1, in_channels=FIRST), L.BatchNorm(), F.leaky_relu),
        *(F.flatten, L.Linear(1, in_size=SECOND * 49)),
    )
    optimisers = [Adam(2e-4, beta1=0.5).setup(network) for network in (generator, discriminator)]
    draw = np.random.RandomState(0)
    images = np.tanh(draw.randn(BATCH, 1, 28, 28)).astype(np.float32)
    ones, zeros = np.ones((BATCH, 1), np.float32), np.zeros((BATCH, 1), np.float32)

    def step() -> None:
        fake = generator(draw.randn(BATCH, LATENT).astype(np.float32))
        discriminator.cleargrads()
        loss = F.binary_cross_entropy(F.sigmoid(discriminator(images)), ones)
        loss += F.binary_cross_entropy(F.sigmoid(discriminator(fake.data)), zeros)
        loss.backward()
        optimisers[1].update()
        generator.cleargrads()
        F.binary_cross_entropy(F.sigmoid(discriminator(fake)), ones).backward()
        optimisers[0].update()

    return step


if __name__ == "__main__":
    try:
        made = make_step()
    except ImportError:
        sys.exit("missing")
    serve(made)
