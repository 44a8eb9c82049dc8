"""Ways to classify with few labels, beside the two that the lesson is about, and what these begin with."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

import scratchgen as sg
from demos import _pictures
from demos._training import learn
from scratchgen.data import Images
from scratchgen.metrics.neighbours import squared_distances
from scratchgen.models import VAE, Autoencoder, PixelNaiveBayes
from scratchgen.training import Run

Way = Callable[[np.ndarray, np.ndarray, int], np.ndarray]
"""From the labelled pictures, by number, their labels and the number of the draw to answers for the test."""


class Settings(NamedTuple):
    """What has to be chosen for a way; the defaults are where `--choose` begins."""

    noise: float = 0.3
    """That the autoencoder has to clean."""
    steps: int = 200
    """Of a network on labelled pictures."""
    lr: float = 1e-3
    """Of the same."""
    linear_lr: float = 1e-2
    """Of logistic regression."""
    components: int = 16
    """Principal ones, for the nearest neighbour."""
    alpha: float = 5.0
    """The weight of the classifier in M2 on pictures."""
    code_alpha: float = 5.0
    """The same in M2 on codes."""
    style: int = 10
    """How many numbers M2 on codes has for style."""


DIGITS = Settings(0.6, 400, 3e-3, 3e-2, 16, alpha=25.0, code_alpha=1.0, style=3)
"""What `--choose` has found: on training images that were left out, no test image looked at."""


# Without labels, once: an autoencoder that cleans, and a VAE, of all training pictures
def cleaner(data: Images, it: Settings, options: Any, run: Run) -> Autoencoder:
    """An autoencoder that has to find pictures under noise."""
    rng = sg.RandomStream(options.seed, "few", "ae")
    model = Autoencoder.dense(data.train.shape[1:], options.hidden_dim, options.code_dim, rng=rng)

    def loss(x: Any, rng: sg.RandomStream) -> Any:
        return model.loss(x, corrupted=x + np.float32(it.noise) * rng.normal(x.shape))

    learn(model, loss, data.train, 3000, options, run.part("autoencoder"))
    return model


def m1(data: Images, options: Any, run: Run) -> VAE:
    """A VAE, whose codes M2 can learn from."""
    rng = sg.RandomStream(options.seed, "few", "vae")
    model = VAE.dense(data.train.shape[1:], options.hidden_dim, options.code_dim, rng=rng)
    learn(model, model.loss, data.train, 3000, options, run.part("vae"))
    return model


def coded(vae: VAE, images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Means and standard deviations of q(z|x)."""
    with sg.no_grad():
        q = vae.posterior(sg.asarray(images))
        return sg.asnumpy(q.mean), np.exp(sg.asnumpy(q.log_var.data) / 2)


def nearest(known: np.ndarray, labels: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """The label of the nearest of the known ones."""
    squares = squared_distances(seen.astype(np.float64), known.astype(np.float64))
    return labels[squares.argmin(axis=1)]


# From labelled pictures and their labels to the classes of the test pictures
def ways(data: Images, ae: Autoencoder | None, vae: VAE, it: Settings, options: Any) -> dict[str, Way]:
    """All of them, by name."""
    from demos import few_labels as lesson  # which needs this file

    train, test = data.train, data.test
    flat, seen = train.reshape(len(train), -1), test.reshape(len(test), -1)
    some = _pictures.for_components(train).reshape(-1, flat.shape[1])
    axes = np.linalg.svd(some - some.mean(axis=0), full_matrices=False)[2][: it.components].T
    codes, spread = coded(vae, train)
    test_codes, size = coded(vae, test)[0], flat.shape[1]
    pictures = lesson.Recipe(alpha=it.alpha)
    of_codes = lesson.Recipe(style=it.style, alpha=it.code_alpha, steps=400)

    def network(layers: list[Any], i: np.ndarray, y: np.ndarray, seed: int) -> np.ndarray:
        return lesson.classifier(flat[i], y, layers, it, options, seed)(seen)

    def begun(start: Autoencoder | None) -> Way:
        return lambda i, y, seed: network(lesson.encoder(start, options, size, seed), i, y, seed)

    return {
        "network from scratch": begun(None),
        "the same, from an autoencoder": begun(ae),
        "PCA, nearest neighbour": lambda i, y, seed: nearest(flat[i] @ axes, y, seen @ axes),
        "logistic regression": lambda i, y, seed: network([], i, y, seed),
        "naive Bayes": lambda i, y, seed: sg.asnumpy(PixelNaiveBayes().fit(train[i], y).classify(test)),
        "M2": lambda i, y, seed: lesson.answers(lesson.m2(flat, None, i, y, pictures, options, seed), seen),
        "M1+M2": lambda i, y, seed: lesson.answers(
            lesson.m2(codes, spread, i, y, of_codes, options, seed), test_codes
        ),
    }
