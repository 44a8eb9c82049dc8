"""All models with one loss have ``loss(x, rng=None, labels=None)``, which `fit` takes as it stands."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM, VAE, Autoencoder, cosine_schedule
from scratchgen.networks import TimeMLP
from scratchgen.optim import Adam
from scratchgen.training import fit

X = (np.random.default_rng(0).random((32, 6)) < 0.3).astype(np.float32)

MODELS = {
    "autoencoder": lambda: Autoencoder.dense(6, 8, 2),
    "vae": lambda: VAE.dense(6, 8, 2),
    "ddpm": lambda: DDPM(TimeMLP(6, 16), cosine_schedule(10), (6,)),
}


@pytest.mark.parametrize("name", MODELS)
def test_fit_takes_the_loss_of_a_model_as_it_stands(name: str) -> None:
    model, x = MODELS[name](), sg.asarray(X)
    before = model.loss(x, RandomStream(1)).item()
    fit(model.loss, x, Adam(model.parameters(), lr=1e-2), seed=0, batch_size=16, steps=60)
    assert model.loss(x, RandomStream(1)).item() < before


def test_only_what_draws_needs_a_stream() -> None:
    x = sg.asarray(X)
    assert MODELS["autoencoder"]().loss(x).item() > 0
    for name in ("vae", "ddpm"):
        with pytest.raises(TypeError, match=r"rng: got NoneType, expected a RandomStream"):
            MODELS[name]().loss(x)


@pytest.mark.parametrize("name", MODELS)
def test_labels_are_refused_by_a_model_without_classes(name: str) -> None:
    model: Any = MODELS[name]()
    with pytest.raises(
        ValueError, match="labels: got some, expected none: the model was made without classes"
    ):
        model.loss(sg.asarray(X), RandomStream(0), np.zeros(32, int))
    model.loss(sg.asarray(X), RandomStream(0), labels=None)
