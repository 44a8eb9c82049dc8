"""The others in the lesson on exemplars: a VAE that knows portraits but no second picture, and a copy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import scratchgen as sg
from demos._training import learn
from scratchgen.data import avatars
from scratchgen.models import VAE, ExemplarGAN
from scratchgen.models.vae import fill_in
from scratchgen.training import Run

if TYPE_CHECKING:
    from demos.exemplar import Cases, Options


def train_vae(images: np.ndarray, options: Options, run: Run) -> tuple[VAE, Any]:
    """A fully connected VAE of whole portraits, whose sigma is learnt."""
    model = VAE.dense(avatars.SHAPE, 256, 32, "normal", rng=sg.RandomStream(options.seed, "vae"))
    rows = learn(model, model.loss, images, 1500, options, run.part("vae"), lr=1e-3, batch_size=64)
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
