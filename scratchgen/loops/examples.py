"""Small steps of every kind of model and optimiser, which compile the loops that real ones use."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np


def works() -> Iterator[tuple[str, Callable[[], Any]]]:
    """Names and calls; to be made one after another."""
    import scratchgen as sg
    from scratchgen import nn, optim

    rng = sg.backend.RandomStream(0)
    images = rng.normal((2, 4, 8, 8), np.float32)
    networks = {
        "dense layers": (nn.Sequential(nn.Linear(6, 8), nn.ReLU(), nn.Linear(8, 6)), images[0, 0, :, :6]),
        "activations": (
            nn.Sequential(nn.SiLU(), nn.LeakyReLU(0.2), nn.Tanh(), nn.Sigmoid(), nn.Softplus(), nn.GELU()),
            images,
        ),
        "normalisation of images": (
            nn.Sequential(nn.Conv2d(4, 4, 1), nn.GroupNorm(2, 4), nn.GroupNormSiLU(2, 4), nn.BatchNorm2d(4)),
            images,
        ),
        "convolution, kernel 3": (nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.Conv2d(8, 4, 3)), images),
        "convolution, stride 2": (
            nn.Sequential(
                nn.Conv2d(4, 8, 4, stride=2, padding=1), nn.ConvTranspose2d(8, 4, 4, stride=2, padding=1)
            ),
            images,
        ),
        "pooling and upsampling": (nn.Sequential(nn.AvgPool2d(2), nn.Upsample(2)), images),
    }
    for name, (network, x) in networks.items():
        yield name, lambda network=network, x=x: _step(network, x)
    for make in (optim.Adam, optim.AdamW, optim.RMSprop, lambda p: optim.SGD(p, momentum=0.9)):
        layer = nn.Linear(6, 2)
        yield "optimisers", lambda layer=layer, make=make: _step(layer, images[0, 0, :, :6], make)
    layer = nn.Linear(6, 2)
    yield "moving average", optim.ExponentialMovingAverage(layer.parameters()).update
    vae = sg.models.VAE.dense(6, 8, 2)
    pixels = (images[0, 0, :, :6] > 0).astype(np.float32)
    yield "variational autoencoder", lambda: vae.loss(pixels, rng).backward()
    large = rng.normal((2, 8, 72, 72), np.float32)
    x, other = (sg.tensor(large, requires_grad=True) for _ in range(2))
    yield "sums and joins of large images", lambda: (sg.cat([x + other, x * other], 1) * 1.0).sum().backward()


def _step(network: Any, x: np.ndarray, make: Any = None) -> None:
    import scratchgen as sg

    y = network(sg.tensor(x, requires_grad=True))
    (y * y).sum().backward()
    if make is not None:
        make(network.parameters()).step()
