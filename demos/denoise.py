"""Denoising: a picture comes damaged, and the autoencoder knows how it should have looked.

Somebody has scans of old forms, with grain, dust and torn corners. Nobody has the clean originals of these;
but clean pictures of the same kind can be damaged on purpose. The autoencoder sees the damaged copy x' and
is told what was there before:

    L = |x - f(e(x'))|^2, summed over the pixels and averaged over the images.

What does it become? For squared error nothing is better than E[x | x'], the mean of all clean pictures that
could have been damaged like this. Where that mean is known, we look whether it was found.
"""

# %% Settings, all of which are options on the command line: `python3 demos denoise --help`
from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _denoise_page, _lesson, _pictures
from demos._training import learn
from scratchgen.data import Images
from scratchgen.metrics import psnr
from scratchgen.models import Autoencoder
from scratchgen.models.denoisers import mixture_denoiser
from scratchgen.training import Run

STRENGTHS = {
    "Gaussian": (0.1, 0.3, 0.6),
    "salt and pepper": (0.1, 0.3, 0.5),
    "missing patches": (1.0, 2.0, 4.0),
}
"""The standard deviation of the noise; the share of pixels made black or white; the number of patches."""

OWN = {31: 2500, 47: 1500, 64: 800}
"""Training steps, by the side of your own pictures."""


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Train an autoencoder against each kind of damage, and compare it with filters."""

    hidden_dim: int = 512
    code_dim: int = 256
    """More numbers than a small image has pixels: nothing but the damage keeps it from copying."""
    lr: float = 2e-3


# %% Three kinds of damage; `strength` is one number, or one for each image
def damage(x: Any, kind: str, strength: Any, rng: sg.RandomStream) -> Any:
    """A damaged copy of images."""
    amount = sg.asarray(np.broadcast_to(strength, len(x)).astype(np.float32).reshape(-1, 1, 1, 1))
    if kind == "Gaussian":
        return x + amount * rng.normal(x.shape)
    if kind == "salt and pepper":
        u = rng.uniform(x.shape)
        return np.where(u < amount / 2, np.float32(0), np.where(u > 1 - amount / 2, np.float32(1), x))
    side = 3 * x.shape[-1] // 8  # of a patch, which may lie anywhere and is black like the paper
    places = sg.asarray(np.arange(x.shape[-1], dtype=np.float32))
    x = x.copy()
    for patch in range(int(max(STRENGTHS[kind]))):
        corner = np.floor(rng.uniform((len(x), 2)) * (x.shape[-1] - side + 1))
        inside = [(places >= corner[:, i : i + 1]) & (places < corner[:, i : i + 1] + side) for i in (0, 1)]
        x = np.where(
            inside[0][:, None, :, None] & inside[1][:, None, None, :] & (amount > patch), np.float32(0), x
        )
    return x


# %% Training: damaged anew in every step, each image as strongly as chance says; `kind` None leaves it whole
def train(
    name: str, kind: str | None, code_dim: int, data: Images, options: Options, run: Run
) -> Autoencoder:
    """An autoencoder that was shown damage of one kind."""
    rng = sg.RandomStream(options.seed, "denoise", name)
    model = Autoencoder.dense(data.train.shape[1:], options.hidden_dim, code_dim, rng=rng)
    enough = _pictures.by_size(OWN, options) if options.data == "folder" else 2500

    def loss(x: Any, rng: sg.RandomStream) -> Any:
        if kind is None:
            return model.loss(x)
        chosen = sg.asnumpy(rng.child("strength").integers(0, 3, (len(x),)))
        return model.loss(x, corrupted=damage(x, kind, np.array(STRENGTHS[kind])[chosen], rng))

    learn(model, loss, data.train, enough, options, run.part(name))
    return model


def cleaned(model: Autoencoder, damaged: Any) -> np.ndarray:
    """What the autoencoder makes of damaged images."""
    return sg.asnumpy(model.reconstruct(damaged)).clip(0, 1)


# %% A world where the best answer is known: points of eight bumps in the plane; E[x | x'] is a formula
def plane(options: Options, run: Run) -> dict[str, Any]:
    """Points, their noisy copies, the posterior means, and what an autoencoder says they are."""
    world, sigma = sg.data.toy.eight_gaussians(sigma=0.15), 0.5
    rng = sg.RandomStream(options.seed, "plane")
    model = Autoencoder.dense(2, 128, 32, rng=rng.child("weights"))

    def loss(x: Any, rng: sg.RandomStream) -> Any:
        return model.loss(x, corrupted=x + np.float32(sigma) * rng.normal(x.shape))

    seen = sg.asnumpy(world.sample(20_000, rng.child("train")))
    learn(model, loss, seen, 3000, options, run.part("plane"), batch_size=256)
    x = world.sample(5000, rng.child("test"))
    noisy = x + np.float32(sigma) * rng.normal(x.shape)
    best = mixture_denoiser(noisy, np.full(8, 1 / 8), world.centres, np.full(8, world.sigma), sigma)
    points = {"clean": x, "noisy": noisy, "best": best, "learnt": model.reconstruct(noisy)}
    return {name: sg.asnumpy(a).astype(np.float64) for name, a in points.items()}


# %% The three networks, the two that saw no damage, and the page
def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train the autoencoders and put their numbers and pictures on the run's page."""
    data = _lesson.images(options)
    models = {
        kind: train(kind.replace(" ", "-"), kind, options.code_dim, data, options, run) for kind in STRENGTHS
    }
    copier = train("copier", None, options.code_dim, data, options, run)
    narrow = train("narrow", None, 16, data, options, run)
    test = sg.asarray(_lesson.some(data.test[:1000], 2_000_000))
    shown = {
        (kind, s): damage(test, kind, s, sg.RandomStream(options.seed, "test", kind))
        for kind in STRENGTHS
        for s in STRENGTHS[kind]
    }
    numbers = _denoise_page.write(models, copier, narrow, data, shown, plane(options, run), options, run)

    def sample(n: int, rng: sg.RandomStream) -> np.ndarray:
        return cleaned(models["Gaussian"], damage(sg.asarray(data.test[:n]), "Gaussian", 0.6, rng))

    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    return _lesson.Outcome(numbers, models["Gaussian"].parameter_count(), 0.0, sample)


def quality(images: Any, test: Any) -> float:
    """PSNR in decibels, of images cut to [0, 1]."""
    return psnr(test, sg.asnumpy(images).clip(0, 1))


def main(argv: list[str] | None = None) -> None:
    """`python3 demos denoise`."""
    _lesson.main("denoise", "Denoising", Options, lesson, argv)


if __name__ == "__main__":
    main()
