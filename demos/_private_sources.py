"""Pictures that may be shown: drawn by models that were trained with a guarantee, each in its way."""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchgen as sg
from demos import _lesson, private
from demos._private_models import Drawn
from scratchgen.data import Images
from scratchgen.models import VAE
from scratchgen.optim import Adam

FRESH = 2000
"""How many pictures are drawn to learn from."""


def naive_bayes(data: Images, epsilon: float, options: private.Options, seed: int) -> Drawn:
    """Counts with noise, added once. An example is a row of the table of counts, so its length is clipped.

    What is done with the counts afterwards, such as to keep probabilities within (0, 1), costs nothing.
    """
    white = (data.train.reshape(len(data.train), -1) >= 0.5).astype(np.float64)
    rows = np.hstack([white, np.ones((len(white), 1))])
    most = 0.75 * np.sqrt(rows.shape[1])
    rows *= np.minimum(1, most / np.linalg.norm(rows, axis=1, keepdims=True))
    sigma = private.noise(epsilon, 1.0, 1, options.delta)
    counts = np.eye(10)[data.train_labels].T @ rows
    counts += sigma * most * np.random.default_rng().standard_normal(counts.shape)  # of the system's entropy
    theta = (counts[:, :-1] / np.maximum(counts[:, -1:], 1)).clip(0.02, 0.98)
    labels = np.arange(FRESH) % 10
    coins = sg.asnumpy(sg.RandomStream(options.seed, "counts", seed).uniform((FRESH, theta.shape[1])))
    return (coins < theta[labels]).astype(np.float32), labels


def variational(data: Images, epsilon: float, options: private.Options, seed: int) -> Drawn:
    """A VAE that is told the class, trained as the classifier is."""
    rng = sg.RandomStream(options.seed, "vae", seed)
    model = VAE.dense(data.train[0].size, 64, 8, classes=10, rng=rng)
    plan = 0.2, _lesson.steps(options, 250), epsilon

    def loss(batch: Any, rng: sg.RandomStream) -> Any:
        return model.loss(batch[0], rng, batch[1])

    optimiser = Adam(model.parameters(), 0.005)
    pictures = private.flat(data.train, data.train_labels)
    private.train_privately(loss, model, optimiser, pictures, plan, options, seed)
    labels = np.arange(FRESH) % 10
    return sg.asnumpy(model.sample(FRESH, rng.child("sample"), labels=sg.asarray(labels))), labels


SOURCES = {"naive Bayes": naive_bayes, "a VAE": variational}
