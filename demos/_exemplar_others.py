"""The others in the lesson on exemplars: a VAE that knows portraits but no second picture, and a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import scratchgen as sg
from demos import _lesson
from scratchgen.data import avatars
from scratchgen.models import VAE, ExemplarGAN
from scratchgen.models.vae import fill_in
from scratchgen.optim import Adam
from scratchgen.optim.schedules import cosine
from scratchgen.training import Run, fit

if TYPE_CHECKING:
    from demos.exemplar import Cases, Options


def train_vae(images: np.ndarray, options: Options, run: Run) -> tuple[VAE, Any]:
    """A fully connected VAE of whole portraits, whose sigma is learnt."""
    model = VAE.dense(avatars.SHAPE, 256, 32, "normal", rng=sg.RandomStream(options.seed, "vae"))
    steps, part = _lesson.steps(options, 1500), run.part("vae")
    rows = fit(
        model.loss,
        images,
        Adam(model.parameters(), 1e-3),
        steps=steps,
        batch_size=64,
        schedule=cosine(1e-3, steps),
        model=model,
        seed=options.seed,
        run=part,
        resume=_lesson.resumption(part),
    )
    return model, rows


def fillings(
    test: Cases, blank: Cases, knowing: ExemplarGAN, alone: ExemplarGAN, vae: VAE, rng: sg.RandomStream
) -> dict[str, np.ndarray]:
    """The same pictures, filled in by the GAN, by one without exemplars, by a VAE, and by copying."""
    x, masks, exemplars = (sg.asarray(array) for array in test[1:])
    grey = sg.asarray(blank.exemplars)
    return {
        "GAN": sg.asnumpy(knowing.fill(x, masks, exemplars, rng.child("z"))),
        "no exemplar": sg.asnumpy(alone.fill(x, masks, grey, rng.child("z"))),
        "VAE": sg.asnumpy(fill_in(vae, x, masks, rng.child("vae"))),
        "copied": np.where(test.masks[:, None], test.exemplars, test.images),
    }
