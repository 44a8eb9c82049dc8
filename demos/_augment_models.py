"""The models that the lesson on augmentation lets draw: each is told the class, and small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen.models import DDPM, GAN, VAE
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.networks import MLP, ConditionalGenerator, ProjectionDiscriminator, TimeMLP
from scratchgen.nn import LeakyReLU
from scratchgen.optim import Adam
from scratchgen.training import fit, fit_adversarial


@dataclass(frozen=True, eq=False)
class Examples:
    """Pictures in [0, 1] and their classes, 0 and up."""

    images: np.ndarray
    labels: np.ndarray

    @property
    def classes(self) -> int:
        """How many classes there are."""
        return int(self.labels.max()) + 1

    @property
    def flat(self) -> np.ndarray:
        """The pictures as vectors."""
        return self.images.reshape(len(self.images), -1)

    def part(self, rows: np.ndarray) -> Examples:
        """Some of them, or some of them several times."""
        return Examples(self.images[rows], self.labels[rows])

    def with_(self, more: Examples) -> Examples:
        """These and others."""
        return Examples(
            np.concatenate([self.images, more.images]), np.concatenate([self.labels, more.labels])
        )

    def like(self, flat: Any, each: int) -> Examples:
        """Drawn vectors, as many of each class, as pictures like these."""
        images = sg.asnumpy(flat).astype(np.float32).clip(0, 1)
        return Examples(images.reshape(-1, *self.images.shape[1:]), np.repeat(np.arange(self.classes), each))


Drawer = Callable[[Examples, int, int, sg.RandomStream, int], Examples]
"""``drawer(examples, each, steps, rng, seed)``: so many of each class, of a model trained on examples."""


def wanted(examples: Examples, each: int) -> Any:
    """The classes that are to be drawn."""
    return sg.asarray(np.repeat(np.arange(examples.classes), each))


def settings(steps: int, seed: int) -> dict[str, Any]:
    """What all trainings share."""
    return {"steps": steps, "batch_size": 100, "seed": seed, "quiet": True}


def variational(examples: Examples, each: int, steps: int, rng: sg.RandomStream, seed: int) -> Examples:
    """A VAE."""
    x = examples.flat
    model = VAE.dense(x.shape[1], 64, 8, classes=examples.classes, rng=rng)
    optimiser = Adam(model.parameters(), 3e-3)
    fit(model.loss, (x, examples.labels), optimiser, model=model, **settings(2 * steps // 3, seed))
    labels = wanted(examples, each)
    return examples.like(model.sample(len(labels), rng.child("sample"), labels=labels), each)


def adversarial(examples: Examples, each: int, steps: int, rng: sg.RandomStream, seed: int) -> Examples:
    """A GAN."""
    x = 2 * examples.flat - 1
    generator = MLP([16 + 8, 64, 64, x.shape[1]], LeakyReLU, rng=rng.child("generator"))
    features = MLP([x.shape[1], 64, 64], LeakyReLU, rng=rng.child("features"))
    model = GAN(
        ConditionalGenerator(generator, examples.classes, 8, rng=rng.child("classes")),
        ProjectionDiscriminator(features, 64, examples.classes, rng=rng.child("projection")),
        latent_dim=16,
        classes=examples.classes,
    )
    players = (Adam(part.parameters(), 1e-3, (0.5, 0.99)) for part in (model.discriminator, model.generator))
    fit_adversarial(model, (x, examples.labels), *players, **settings(steps, seed))
    labels = wanted(examples, each)
    return examples.like((model.sample(len(labels), rng.child("sample"), labels=labels) + 1) / 2, each)


def diffusion(examples: Examples, each: int, steps: int, rng: sg.RandomStream, seed: int) -> Examples:
    """A diffusion model."""
    x = 2 * examples.flat - 1
    network = TimeMLP(x.shape[1], 128, layers=2, classes=examples.classes + 1, rng=rng.child("network"))
    model = DDPM(network, cosine_schedule(50), (x.shape[1],), prediction="x0", classes=examples.classes)
    optimiser = Adam(network.parameters(), 3e-3)
    fit(model.loss, (x, examples.labels), optimiser, model=network, **settings(2 * steps // 3, seed))
    labels = wanted(examples, each)
    drawn = model.ddim_sample(len(labels), rng.child("sample"), steps=15, eta=1.0, labels=labels)
    return examples.like((drawn + 1) / 2, each)
