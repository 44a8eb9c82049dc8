"""What N ranks and one have to train alike: every kind of model, small enough for a test of each."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen import nn, optim
from scratchgen.backend import RandomStream
from scratchgen.models import (
    DDPM,
    GAN,
    MADE,
    NADE,
    VAE,
    Autoencoder,
    ExemplarGAN,
    LatentDiffusion,
    MixturePrior,
    PixelCNN,
    SemiSupervisedVAE,
    VampPrior,
)
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.models.gan import PhysicsInformedGAN, slope
from scratchgen.networks import MLP, FieldNetwork, TimeMLP
from scratchgen.training import fit, fit_adversarial

EXAMPLES, BATCH = 19, 7  # batches of 7, 7 and 5, of which neither 2 nor 3 divides all
STEPS = 5

rng = np.random.default_rng(0)
VECTORS = rng.random((EXAMPLES, 6))
IMAGES = rng.random((EXAMPLES, 1, 4, 4))
LABELS = rng.integers(0, 3, EXAMPLES)

State = dict[str, Any]


def _state(**parts: Any) -> State:
    return {
        f"{part}/{name}": np.array(sg.asnumpy(leaf))
        for part, stateful in parts.items()
        for name, leaf in stateful.state_dict().items()
    }


def _fitted(model: Any, data: Any, dtype: Any, steps: int, loss: Any = None, **settings: Any) -> State:
    model.to(dtype)
    optimiser = optim.Adam(model.parameters(), 1e-3)
    average = optim.ExponentialMovingAverage(model.parameters(), 0.9)
    rows = fit(
        loss or model.loss,
        _cast(data, dtype),
        optimiser,
        steps=steps,
        batch_size=BATCH,
        model=model,
        average=average,
        quiet=True,
        log_every=1,
        **settings,
    )
    logged = {name: np.array([row[name] for row in rows]) for name in rows[0] if name != "seconds"}
    return {**_state(model=model, optimiser=optimiser, average=average), **logged}


def _cast(data: Any, dtype: Any) -> Any:
    arrays = data if isinstance(data, tuple) else (data,)
    arrays = tuple(sg.asarray(x if x.dtype.kind in "ib" else x.astype(dtype)) for x in arrays)
    return arrays if isinstance(data, tuple) else arrays[0]


def vae(dtype: Any, steps: int) -> State:
    model = VAE.dense(6, 8, 2, rng=RandomStream(0))
    settings = {"validation": _cast(VECTORS[:5], dtype), "clip_norm": 1.0}
    return _fitted(model, VECTORS, dtype, steps, model.loss_terms, **settings)


def normal_vae(dtype: Any, steps: int) -> State:
    return _fitted(VAE.dense(6, 8, 2, "normal", beta=2.0, rng=RandomStream(0)), VECTORS, dtype, steps)


def free_bits_vae(dtype: Any, steps: int) -> State:
    """Whose loss is not the mean of its examples'."""
    model = VAE.dense(6, 8, 2, free_bits=0.03, rng=RandomStream(0))
    return _fitted(model, VECTORS, dtype, steps)


def mixture_vae(dtype: Any, steps: int) -> State:
    prior = MixturePrior(3, 2, RandomStream(1))
    return _fitted(VAE.dense(6, 8, 2, prior=prior, rng=RandomStream(0)), VECTORS, dtype, steps)


def vamp_vae(dtype: Any, steps: int) -> State:
    model = VAE.dense(6, 8, 2, rng=RandomStream(0))
    model.prior = VampPrior(VECTORS[:3].astype(np.float32), model.encoder)
    return _fitted(model, VECTORS, dtype, steps)


def conditional_vae(dtype: Any, steps: int) -> State:
    model = VAE.dense(6, 8, 2, classes=3, rng=RandomStream(0))
    return _fitted(model, (VECTORS, LABELS), dtype, steps, model.loss_terms)


def convolutional_vae(dtype: Any, steps: int) -> State:
    """Of pixels with three levels."""
    model = VAE.convolutional((1, 4, 4), 2, (4,), "categorical", levels=3, rng=RandomStream(0))
    return _fitted(model, np.round(2 * IMAGES) / 2, dtype, steps)


def semi_supervised(dtype: Any, steps: int) -> State:
    """Whose known labels lie unevenly: in some batches a rank has none."""
    model = SemiSupervisedVAE(6, 8, 2, classes=3, alpha=2.0, rng=RandomStream(0))
    known = np.where(np.arange(EXAMPLES) % 4 == 1, LABELS, -1)
    return _fitted(model, (VECTORS, known), dtype, steps, model.loss_terms)


def autoencoder(dtype: Any, steps: int) -> State:
    return _fitted(Autoencoder.dense(6, 8, 2, rng=RandomStream(0)), VECTORS, dtype, steps)


def ddpm(dtype: Any, steps: int) -> State:
    network = TimeMLP(6, 8, 12, rng=RandomStream(0))
    model = DDPM(network, cosine_schedule(20), (6,), "learned")
    return _fitted(model, 2 * VECTORS - 1, dtype, steps, model.loss_terms)


def latent_diffusion(dtype: Any, steps: int) -> State:
    """Whose scale is that of the first batch: of all of it, whichever rank has it."""
    autoencoder = VAE.dense(6, 8, 2, rng=RandomStream(1))
    ddpm = DDPM(TimeMLP(2, 8, rng=RandomStream(0)), cosine_schedule(20), (2,))
    return _fitted(LatentDiffusion(autoencoder, ddpm), VECTORS, dtype, steps)


def nade(dtype: Any, steps: int) -> State:
    return _fitted(NADE(6, 8, rng=RandomStream(0)), (VECTORS > 0.5) * 1.0, dtype, steps)


def made(dtype: Any, steps: int) -> State:
    return _fitted(MADE(6, [8], rng=RandomStream(0)), (VECTORS > 0.5) * 1.0, dtype, steps)


def pixelcnn(dtype: Any, steps: int) -> State:
    model = PixelCNN((1, 4, 4), channels=4, layers=2, classes=3, rng=RandomStream(0))
    return _fitted(model, ((IMAGES > 0.5) * 1.0, LABELS), dtype, steps)


def with_dropout_and_batch_norm(dtype: Any, steps: int) -> State:
    layers = [
        nn.Linear(6, 9, bias=False),
        nn.BatchNorm1d(9),
        nn.Dropout(0.5),
        nn.Linear(9, 1),
        nn.Dropout(0.2),
    ]
    model = nn.Sequential(*layers).initialise(RandomStream(0))
    return _fitted(model, VECTORS, dtype, steps, lambda x, rng: (model(x) ** 2).mean())


def gan(objective: str, dtype: Any, steps: int) -> State:
    """With batch norm in the generator, classes, and two turns of the discriminator in a step."""
    shape = (1, 4, 4)
    model = GAN.convolutional(shape, 3, (4,), objective, classes=3, features=4, rng=RandomStream(0))
    return _played(model, (2 * IMAGES - 1, LABELS), dtype, steps)


def physics(dtype: Any, steps: int) -> State:
    """With a law: derivatives of derivatives in the generator's loss."""

    def decay(fields: Any, points: Any, z: Any) -> Any:
        u = fields[..., 0]
        return slope(u, points)[..., 0] + 2 * u

    places = np.linspace(0, 1, 6)[:, None]
    generator = FieldNetwork(3, 1, 1, [5], rng=RandomStream(0))
    critic = MLP([6, 5, 1], rng=RandomStream(1))
    options: dict[str, Any] = {"sensors": places, "collocation": places[::2] + 0.05}
    model = PhysicsInformedGAN(generator, critic, 3, decay, 0.3, objective="wasserstein-gp", **options)
    return _played(model, VECTORS, dtype, steps)


def exemplar(dtype: Any, steps: int) -> State:
    """With batch norm in the generator, and losses that both need the whole batch."""
    model = ExemplarGAN.convolutional((1, 4, 4), 2, (4,), features=4, rng=RandomStream(0))
    # a bias before a batch norm moves nothing: its gradient is rounding, of which Adam makes whole steps
    model.generator.inwards = nn.Linear(16, 4, bias=False).initialise(RandomStream(1))
    return _played(model, (IMAGES, IMAGES[::-1, 0] > 0.4, IMAGES[::-1].copy()), dtype, steps)


def _played(model: GAN | ExemplarGAN, data: Any, dtype: Any, steps: int) -> State:
    model.to(dtype)
    players = [optim.Adam(p.parameters(), 1e-3) for p in (model.discriminator, model.generator)]
    average = optim.ExponentialMovingAverage(model.generator.parameters(), 0.9)
    settings: dict[str, Any] = {"steps": steps, "batch_size": BATCH, "quiet": True, "log_every": 1}
    rows = fit_adversarial(model, _cast(data, dtype), *players, critic_steps=2, average=average, **settings)
    logged = {name: np.array([row[name] for row in rows]) for name in rows[0] if name != "seconds"}
    parts = {"discriminator": players[0], "generator": players[1], "average": average}
    return {**_state(model=model, **parts), **logged}


MODELS: dict[str, Callable[[Any, int], State]] = {
    "VAE": vae,
    "normal VAE": normal_vae,
    "VAE, free bits": free_bits_vae,
    "VAE, mixture": mixture_vae,
    "VAE, VampPrior": vamp_vae,
    "VAE, classes": conditional_vae,
    "VAE, convolutions": convolutional_vae,
    "semi-supervised VAE": semi_supervised,
    "autoencoder": autoencoder,
    "DDPM": ddpm,
    "latent diffusion": latent_diffusion,
    "NADE": nade,
    "MADE": made,
    "PixelCNN": pixelcnn,
    "dropout and batch norm": with_dropout_and_batch_norm,
    "GAN": partial(gan, "non-saturating"),
    "WGAN-GP": partial(gan, "wasserstein-gp"),
    "physics": physics,
    "exemplar": exemplar,
}
