"""The pictures of the lesson on augmentation, and small models, told the class, that draw more of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _small_models
from demos.few_labels import balanced
from scratchgen.networks import TimeMLP


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

    def few(self, count: int, rng: sg.RandomStream) -> Examples:
        """So many of each class, drawn from all."""
        return self.part(balanced(self.labels, count * self.classes, rng))

    def repeated(self, each: int) -> Examples:
        """So many of each class, each example as often as the others of its class, or once more."""
        rows = [np.resize(np.flatnonzero(self.labels == y), each) for y in range(self.classes)]
        return self.part(np.concatenate(rows))

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


def variational(examples: Examples, each: int, steps: int, rng: sg.RandomStream, seed: int) -> Examples:
    """A VAE, for two thirds of the steps."""
    how = _small_models.settings(2 * steps // 3, seed)
    model = _small_models.variational(examples.flat, examples.labels, 64, 8, rng, 3e-3, **how)
    labels = wanted(examples, each)
    return examples.like(model.sample(len(labels), rng.child("sample"), labels=labels), each)


def adversarial(examples: Examples, each: int, steps: int, rng: sg.RandomStream, seed: int) -> Examples:
    """A GAN."""
    how = _small_models.settings(steps, seed)
    model = _small_models.adversarial(examples.flat, examples.labels, 64, 16, rng, **how)
    labels = wanted(examples, each)
    drawn = model.sample(len(labels), rng.child("sample"), labels=labels)
    return examples.like(_small_models.grey(drawn), each)


def diffusion(examples: Examples, each: int, steps: int, rng: sg.RandomStream, seed: int) -> Examples:
    """A diffusion model, for two thirds of the steps."""
    x, how = examples.flat, _small_models.settings(2 * steps // 3, seed)
    network = TimeMLP(x.shape[1], 128, layers=2, classes=examples.classes + 1, rng=rng.child("network"))
    model = _small_models.diffusion(x, examples.labels, network, 50, 3e-3, **how)
    labels = wanted(examples, each)
    drawn = model.ddim_sample(len(labels), rng.child("sample"), steps=15, eta=1.0, labels=labels)
    return examples.like(_small_models.grey(drawn), each)


DRAWERS: dict[str, Drawer] = {"VAE": variational, "GAN": adversarial, "diffusion": diffusion}
