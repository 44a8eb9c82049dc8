"""The models that the lesson on privacy attacks, each with a score that is larger for what it has seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import scratchgen as sg
from demos import _small_models
from scratchgen.metrics.neighbours import nearest_distances
from scratchgen.models import Autoencoder, PixelNaiveBayes
from scratchgen.networks import TimeMLP
from scratchgen.nn import Module, Tanh
from scratchgen.optim import Adam
from scratchgen.training import fit

Drawn = tuple[np.ndarray, np.ndarray]
"""Pictures as vectors, and their labels."""
Score = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""From pictures as vectors, and their labels, to a number for each."""
SAMPLES, TIMES, NOISES = 2000, (10, 25, 40, 55), 4


class Attack(NamedTuple):
    """How somebody asks a model whether it has seen a picture."""

    model: str
    by: str
    score: Score
    samples: np.ndarray | None = None
    """What the model draws, (n, pixels) in [0, 1], where that is looked at."""


def losses(network: Module) -> Score:
    """Minus the loss of a classifier: the attack that it cannot prevent, since it was trained to lower it."""

    def score(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        with sg.no_grad():
            logits = sg.asnumpy(network(sg.asarray(x)).data).astype(np.float64)
        return logits[np.arange(len(x)), labels] - np.logaddexp.reduce(logits, axis=1)

    return score


def learnt(data: Drawn, steps: int, seed: int) -> Module:
    """A classifier, trained in the usual way on pictures that somebody has drawn."""
    how = _small_models.settings(steps, seed)
    return _small_models.classifier(*data, sg.RandomStream(seed, "learnt"), 3e-3, Tanh, **how)


def attacks(x: np.ndarray, labels: np.ndarray, steps: int, seed: int) -> list[Attack]:
    """Train each kind of model on vectors of pixels, and say how it is attacked."""
    settings, rng = _small_models.settings(steps, seed), sg.RandomStream(seed, "attacked", len(x))
    return [
        *counted(x, labels, rng),
        autoencoder(x, rng, settings),
        variational(x, rng, settings),
        *adversarial(x, rng, settings),
        *diffusion(x, rng, settings),
    ]


def nearest(samples: np.ndarray) -> Score:
    """Minus the distance to the nearest of many samples: all that who has only samples can ask."""
    return lambda x, labels: -nearest_distances(x.astype(np.float64), samples.astype(np.float64), 1)[:, 0]


def counted(x: np.ndarray, labels: np.ndarray, rng: sg.RandomStream) -> list[Attack]:
    """Naive Bayes on all 17 levels: a table of what was seen, and the same with one added to each count."""
    found = []
    for alpha, name in ((0.0, "naive Bayes, bare counts"), (1.0, "naive Bayes, add one")):
        model = PixelNaiveBayes(levels=17, alpha=alpha).fit(x, labels)

        def score(x: np.ndarray, labels: np.ndarray, model: PixelNaiveBayes = model) -> np.ndarray:
            return np.maximum(model.class_log_prob(x)[np.arange(len(x)), labels], -1e6)

        found.append(Attack(name, "log p(x, class)", score, model.sample(SAMPLES, rng.child("counted"))))
    return found


def autoencoder(x: np.ndarray, rng: sg.RandomStream, settings: dict[str, Any]) -> Attack:
    """How well a picture comes back."""
    model = Autoencoder.dense(x.shape[1], 128, 16, rng=rng.child("autoencoder"))
    fit(model.loss, x, Adam(model.parameters(), 2e-3), model=model, **settings)
    return Attack(
        "autoencoder", "error", lambda x, _: -((sg.asnumpy(model.reconstruct(sg.asarray(x))) - x) ** 2).sum(1)
    )


def variational(x: np.ndarray, rng: sg.RandomStream, settings: dict[str, Any]) -> Attack:
    """The bound on log p(x), by a mean over codes."""
    model = _small_models.variational(x, None, 128, 16, rng.child("vae"), 2e-3, **settings)

    def score(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        return -sg.asnumpy(model.anomaly_score(sg.asarray(x), rng.child("bound"), 20))

    return Attack("VAE", "bound on log p(x)", score, sg.asnumpy(model.sample(SAMPLES, rng.child("codes"))))


def adversarial(x: np.ndarray, rng: sg.RandomStream, settings: dict[str, Any]) -> list[Attack]:
    """The nearest of what the generator draws; and the discriminator, which has seen the pictures itself."""
    model = _small_models.adversarial(x, None, 128, 16, rng.child("gan"), **settings)
    samples = _small_models.grey(model.sample(SAMPLES, rng.child("noise")))

    def score(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        with sg.no_grad():
            return sg.asnumpy(model.logits(sg.asarray(2 * x - 1)).data).reshape(-1)

    return [Attack("GAN", "nearest sample", nearest(samples), samples), Attack("GAN", "discriminator", score)]


def diffusion(x: np.ndarray, rng: sg.RandomStream, settings: dict[str, Any]) -> list[Attack]:
    """The nearest sample; and how well noise is taken from a picture, at a few times and for a few noises."""
    network = TimeMLP(x.shape[1], 256, rng=rng.child("diffusion"))
    model = _small_models.diffusion(x, None, network, 100, 2e-3, **settings)
    drawn = model.ddim_sample(SAMPLES, rng.child("path"), steps=20, eta=1.0)
    samples = _small_models.grey(drawn)

    def score(x: np.ndarray, labels: np.ndarray) -> np.ndarray:
        images, total = sg.asarray(2 * x - 1), np.zeros(len(x))
        for t in TIMES:
            times = sg.asarray(np.full(len(x), t))
            for k in range(NOISES):
                total -= sg.asnumpy(model.terms_at(images, times, rng.child("noise", t, k))["simple"])
        return total

    return [
        Attack("diffusion", "nearest sample", nearest(samples), samples),
        Attack("diffusion", "loss", score),
    ]
