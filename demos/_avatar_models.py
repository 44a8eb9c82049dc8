"""The models that the lesson on avatars trains on portraits, each as small as will do.

All see the same portraits, and each gives back what it has learnt as a function that draws new ones. Three
are fully connected: a portrait has 3,072 numbers, but any of the 4,032 is five choices, so that a narrow
middle is enough, and a product of matrices is the cheapest thing there is on a CPU. The GAN convolves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import scratchgen as sg
from demos import _lesson
from demos._training import learn, oppose
from demos.autoencoder import random_images
from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.models import DDPM, GAN, VAE, Autoencoder, CategoricalNaiveBayes, PixelNaiveBayes
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.networks import TimeMLP
from scratchgen.optim import ExponentialMovingAverage
from scratchgen.training import Run

HIDDEN, LATENT = 256, 32
LR = 1e-3


class Learner(NamedTuple):
    """A trained model."""

    draw: Callable[[int, RandomStream], np.ndarray]
    """New portraits: shape (n, 3, 32, 32) in [0, 1]."""
    parameters: int
    seconds: float
    log_prob: Callable[[Any], Any] | None = None
    """Of looks, for the model that knows them."""


def features(rows: np.ndarray, options: _lesson.Options, run: Run) -> Learner:
    """Naive Bayes on the five features; add-one smoothing leaves no look impossible."""
    model = CategoricalNaiveBayes(avatars.LEVELS, alpha=1).fit(rows)
    return Learner(
        lambda n, rng: avatars.draw(model.sample(n, rng)), model.parameter_count, 0.0, model.log_prob
    )


def copying(rows: np.ndarray, options: _lesson.Options, run: Run) -> Learner:
    """No model at all: one of the observations, at random."""

    def draw(n: int, rng: RandomStream) -> np.ndarray:
        return avatars.draw(rows[sg.asnumpy(rng.integers(0, len(rows), (n,)))])

    return Learner(draw, 0, 0.0)


def pixels(rows: np.ndarray, options: _lesson.Options, run: Run) -> Learner:
    """Naive Bayes on the 3,072 numbers of a portrait, each of 256 levels."""
    model = PixelNaiveBayes(256, alpha=0).fit(avatars.draw(rows))
    return Learner(model.sample, model.parameter_count, 0.0)


def autoencoder(rows: np.ndarray, options: _lesson.Options, run: Run) -> Learner:
    """Random codes: from a Gaussian around those of the observations."""
    x = avatars.draw(rows)
    model = Autoencoder.dense(avatars.SHAPE, HIDDEN, LATENT, rng=RandomStream(options.seed, "autoencoder"))
    log = learn(model, model.loss, x, 1000, options, run, lr=LR)
    return Learner(
        lambda n, rng: random_images(model, x, n, rng), model.parameter_count(), log[-1]["seconds"]
    )


def vae(rows: np.ndarray, options: _lesson.Options, run: Run) -> Learner:
    """A normal likelihood, whose sigma is learnt; drawn are the means."""
    rng = RandomStream(options.seed, "vae")
    model = VAE.dense(avatars.SHAPE, HIDDEN, LATENT, "normal", rng=rng)
    log = learn(model, model.loss_terms, avatars.draw(rows), 1500, options, run, lr=LR)
    return Learner(lambda n, rng: _unit(model.sample(n, rng)), model.parameter_count(), log[-1]["seconds"])


def gan(rows: np.ndarray, options: _lesson.Options, run: Run) -> Learner:
    """A small DCGAN; fully connected players paint the background in noise."""
    rng = RandomStream(options.seed, "gan")
    model = GAN.convolutional(avatars.SHAPE, 2 * LATENT, widths=(16, 32, 64), rng=rng)
    average = ExponentialMovingAverage(model.generator.parameters(), 0.99)
    x = avatars.draw(rows) * 2 - 1
    log = oppose(model, x, 1200, options, run, rates=(LR, LR), average=average)

    def draw(n: int, rng: RandomStream) -> np.ndarray:
        with average.applied():
            return _unit(model.sample(n, rng) / 2 + 0.5)

    return Learner(draw, model.parameter_count(), log[-1]["seconds"])


def ddpm(rows: np.ndarray, options: _lesson.Options, run: Run) -> Learner:
    """A network that guesses the portrait behind the noise; 50 steps of DDIM draw one."""
    network = TimeMLP(3072, 2 * HIDDEN, rng=RandomStream(options.seed, "ddpm"))
    model = DDPM(network, cosine_schedule(500), (3072,), prediction="x0", levels=256)
    average = ExponentialMovingAverage(model.parameters(), 0.99)
    x = (avatars.draw(rows) * 2 - 1).reshape(len(rows), 3072)
    log = learn(model, model.loss_terms, x, 2000, options, run, lr=LR, average=average)

    def draw(n: int, rng: RandomStream) -> np.ndarray:
        with average.applied():
            drawn = model.ddim_sample(n, rng, steps=50, eta=1.0)
        return _unit(drawn / 2 + 0.5).reshape(n, *avatars.SHAPE)

    return Learner(draw, model.parameter_count(), log[-1]["seconds"])


def _unit(images: Any) -> np.ndarray:
    """Images on the host, with what lies outside [0, 1] clipped."""
    return sg.asnumpy(images).clip(0, 1)
