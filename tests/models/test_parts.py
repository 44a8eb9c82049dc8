"""Losses of the parts of a batch, weighted by their sizes, are the loss of the whole: what ranks rest on."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from tools import assert_close, to_device

import scratchgen as sg
from scratchgen import nn
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM, GAN, VAE
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.networks import TimeMLP
from scratchgen.nn.context import layers_draw_from

BATCH = 7
X = np.random.default_rng(0).random((BATCH, 6))
PARTS = [[(0, 7)], [(0, 4), (4, 7)], [(0, 3), (3, 5), (5, 7)]]

Loss = Callable[[Any, RandomStream], Any]


def vae() -> Loss:
    return VAE.dense(6, 8, 2, rng=RandomStream(0)).to(np.float64).loss


def weighted_vae() -> Loss:
    model = VAE.dense(6, 8, 2, "normal", rng=RandomStream(0)).to(np.float64)
    return lambda x, rng: -model.log_marginal(x, rng, samples=3, chunk=2).mean()


def ddpm(variance: str = "fixed-small") -> Loss:
    network = TimeMLP(6, 8, 12 if variance == "learned" else 6, rng=RandomStream(0))
    return DDPM(network, cosine_schedule(20), (6,), variance).to(np.float64).loss


def gan(objective: str, player: str) -> Loss:
    model = GAN.dense(6, 8, 2, objective, rng=RandomStream(0)).to(np.float64)
    if player == "generator":
        return lambda x, rng: model.generator_loss(len(x), rng)
    return model.discriminator_loss


def with_dropout() -> Loss:
    model = nn.Sequential(
        nn.Linear(6, 9, rng=RandomStream(0)), nn.Dropout(0.5), nn.Linear(9, 1), nn.Dropout(0.2)
    )
    model.to(np.float64)

    def loss(x: Any, rng: RandomStream) -> Any:
        with layers_draw_from(rng.child("layers")):
            return (model(x) ** 2).mean()

    return loss


LOSSES: dict[str, Callable[[], Loss]] = {
    "VAE": vae,
    "importance-weighted VAE": weighted_vae,
    "DDPM": ddpm,
    "DDPM, learned variance": partial(ddpm, "learned"),
    **{
        f"{player}, {objective}": partial(gan, objective, player)
        for objective in ("non-saturating", "minimax", "wasserstein-gp")
        for player in ("discriminator", "generator")
    },
    "dropout": with_dropout,
}


@pytest.mark.parametrize("parts", PARTS, ids=len)
@pytest.mark.parametrize("name", LOSSES)
def test_the_parts_losses_make_the_wholes(name: str, parts: list[tuple[int, int]]) -> None:
    loss, x = LOSSES[name](), to_device(X)
    whole = loss(x, RandomStream(1))
    shares = [
        loss(x[start:stop], RandomStream(1).part(start, stop, of=BATCH)).item() * (stop - start) / BATCH
        for start, stop in parts
    ]
    assert_close(sum(shares), whole.item(), rtol=1e-12)
    assert loss(x, RandomStream(2)).item() != whole.item()


def test_gradients_of_parts_add_up_to_the_wholes() -> None:
    """What one Allreduce of the gradients has to give."""
    model, x = VAE.dense(6, 8, 2, rng=RandomStream(0)).to(np.float64), to_device(X)

    def gradients(start: int, stop: int, rng: RandomStream) -> list[np.ndarray]:
        loss = model.loss(x[start:stop], rng) * ((stop - start) / BATCH)
        return [sg.asnumpy(g) for g in sg.grad(loss, list(model.parameters()))]

    whole = gradients(0, BATCH, RandomStream(1))
    shares = [gradients(*part, RandomStream(1).part(*part, of=BATCH)) for part in PARTS[2]]
    for one, all_of_it in zip(zip(*shares, strict=True), whole, strict=True):
        assert_close(sum(one), all_of_it, rtol=1e-10, atol=1e-14)
