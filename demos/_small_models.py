"""Small models of pictures as vectors, told the class or not, for lessons that train many of them.

What is trained on whose pictures, and what is made of it, is each lesson's own business.
"""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen.models import DDPM, GAN, VAE
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.networks import MLP, ConditionalGenerator, ProjectionDiscriminator, TimeMLP
from scratchgen.nn import LeakyReLU, Module, ReLU, functional as F
from scratchgen.optim import Adam
from scratchgen.training import fit, fit_adversarial

Labels = np.ndarray | None
"""Of the classes 0 and up; None for a model that is told none."""


def settings(steps: int, seed: int) -> dict[str, Any]:
    """What all trainings share."""
    return {"steps": steps, "batch_size": 100, "seed": seed, "quiet": True}


def classifier(
    x: np.ndarray, labels: np.ndarray, rng: sg.RandomStream, lr: float, activation: Any = ReLU, **how: Any
) -> Module:
    """From vectors to logits, by 64 hidden numbers."""
    network = MLP([x.shape[1], 64, int(labels.max()) + 1], activation, rng=rng)

    def loss(x: Any, rng: sg.RandomStream, labels: Any) -> Any:
        return F.cross_entropy(network(x), labels)

    fit(loss, (x, labels), Adam(network.parameters(), lr), model=network, **how)
    return network


def variational(
    x: np.ndarray, labels: Labels, hidden: int, latent: int, rng: sg.RandomStream, lr: float, **how: Any
) -> VAE:
    """A VAE of vectors in [0, 1]."""
    model = VAE.dense(x.shape[1], hidden, latent, classes=classes(labels), rng=rng)
    fit(model.loss, together(x, labels), Adam(model.parameters(), lr), model=model, **how)
    return model


def adversarial(
    x: np.ndarray, labels: Labels, hidden: int, latent: int, rng: sg.RandomStream, **how: Any
) -> GAN:
    """A GAN of vectors in [0, 1], which it draws in [-1, 1]."""
    model = (
        GAN.dense(x.shape[1], hidden, latent, rng=rng)
        if labels is None
        else told(x.shape[1], int(labels.max()) + 1, hidden, latent, rng)
    )
    players = (Adam(part.parameters(), 1e-3, (0.5, 0.99)) for part in (model.discriminator, model.generator))
    fit_adversarial(model, together(2 * x - 1, labels), *players, **how)
    return model


def told(pixels: int, count: int, hidden: int, latent: int, rng: sg.RandomStream) -> GAN:
    """A GAN whose players are told the class, one of `count`."""
    generator = MLP([latent + 8, hidden, hidden, pixels], LeakyReLU, rng=rng.child("generator"))
    features = MLP([pixels, hidden, hidden], LeakyReLU, rng=rng.child("features"))
    return GAN(
        ConditionalGenerator(generator, count, 8, rng=rng.child("classes")),
        ProjectionDiscriminator(features, hidden, count, rng=rng.child("projection")),
        latent_dim=latent,
        classes=count,
    )


def diffusion(x: np.ndarray, labels: Labels, network: TimeMLP, times: int, lr: float, **how: Any) -> DDPM:
    """A diffusion model of vectors in [0, 1], which it draws in [-1, 1]."""
    model = DDPM(network, cosine_schedule(times), (x.shape[1],), prediction="x0", classes=classes(labels))
    fit(model.loss, together(2 * x - 1, labels), Adam(network.parameters(), lr), model=network, **how)
    return model


def classes(labels: Labels) -> int | None:
    """How many there are."""
    return None if labels is None else int(labels.max()) + 1


def together(x: np.ndarray, labels: Labels) -> Any:
    """What a model is trained on."""
    return x if labels is None else (x, labels)


def grey(drawn: Any) -> np.ndarray:
    """Vectors in [-1, 1], or a little outside, as pictures on the host."""
    return (sg.asnumpy(drawn).clip(-1, 1) + 1) / 2
