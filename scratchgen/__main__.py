"""``python -m scratchgen``: what this machine offers, and what would make it faster.

``python -m scratchgen --compile`` compiles the loops that training calls, if they are not there yet.
"""

import sys
import time

import numpy as np

import scratchgen as sg

from .backend import compiled
from .backend.environment import describe
from .training import fit, fit_adversarial


def compile_loops() -> None:
    """Train the smallest models for a step each: loops are compiled as they are called, and then kept."""
    if not compiled.available():
        return
    began = time.perf_counter()
    for name, train in {"dense models": _dense, "GAN": _gan, "diffusion": _diffusion}.items():
        print(f"Compiling the loops, once ({name}) ...", file=sys.stderr, flush=True)
        train(sg.RandomStream(0, "compile"))
    print(f"Compiled in {time.perf_counter() - began:.0f} s.", file=sys.stderr)


def _dense(rng: sg.RandomStream) -> None:
    x = rng.uniform((64, 1, 8, 8))
    for likelihood in ("bernoulli", "normal"):
        model = sg.models.VAE.dense((1, 8, 8), 32, 4, likelihood, rng=rng)
        optimiser = sg.optim.Adam(model.parameters())
        average = sg.optim.ExponentialMovingAverage(model.parameters())
        fit(model.loss, sg.asarray(np.round(sg.asnumpy(x))), optimiser, steps=1, average=average, quiet=True)
    autoencoder = sg.models.Autoencoder.dense((1, 8, 8), 32, 4, rng=rng)
    fit(autoencoder.loss, x, sg.optim.AdamW(autoencoder.parameters()), steps=1, quiet=True)


def _gan(rng: sg.RandomStream) -> None:
    x, labels = rng.uniform((64, 1, 8, 8)), rng.integers(0, 10, (64,))
    model = sg.models.GAN.convolutional((1, 8, 8), 8, (16, 32), classes=10, rng=rng)
    players = (sg.optim.Adam(part.parameters()) for part in (model.discriminator, model.generator))
    fit_adversarial(model, (x, labels), *players, steps=1, quiet=True)


def _diffusion(rng: sg.RandomStream) -> None:
    network = sg.networks.UNet(1, width=32, rng=rng)
    model = sg.models.DDPM(network, sg.models.diffusion.linear_schedule(10), (1, 28, 28))
    x = rng.uniform((16, 1, 28, 28))
    fit(model.loss, x, sg.optim.Adam(model.parameters()), steps=1, batch_size=16, quiet=True)


if __name__ == "__main__":
    compile_loops() if sys.argv[1:] == ["--compile"] else print(describe())
