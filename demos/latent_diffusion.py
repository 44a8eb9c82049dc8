"""Latent diffusion: a picture is mostly detail, and diffusion pays for each pixel. So make it small first.

A diffusion model asks its network dozens of times for every sample, each time about all pixels. So

    z  =  e(x),   a smaller image,        x  ~  f(z),

and the diffusion model learns z alone. Each question costs less by the number of places, and the decoder is
asked once. What is paid for it: an autoencoder has to be trained before, and what it loses is lost. Here both
ways are trained on the same images, and compared by quality, time for a sample, and time in all.
"""

# %% Settings, all of which are options on the command line: `python3 demos latent_diffusion --help`
from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import scratchgen as sg
from demos import _latent_page, _lesson, _pictures
from demos._latent_page import Rival
from demos._latent_recipes import recipe_of
from demos._training import learn
from scratchgen.data import Images
from scratchgen.models import DDPM, VAE, LatentDiffusion
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.networks import (
    FourierFeatures,
    InPatches,
    SmallImageDecoder,
    SmallImageEncoder,
    UNet,
    small_shape,
)
from scratchgen.optim import ExponentialMovingAverage
from scratchgen.training import Run


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Train an autoencoder and a diffusion model of its codes; and one of pixels, to compare."""

    data: Literal["digits", "mnist", "fashion", "folder", "avatars"] = "digits"  # type: ignore[assignment]
    """Real images, your own, or portraits of 1,000 people in colour (32x32), whose distribution is known."""
    noise_steps: int = 1000
    guidance: float = 0.5
    """How much the class is exaggerated, where there are classes."""


START_SIGMA = 0.1
"""Where the likelihood's sigma begins. From 1, errors would count so little that the code falls silent."""


# %% First the autoencoder: a VAE whose code is an image. Its likelihood is normal, its sigma learnt.
def autoencoder(data: Images, options: Options, run: Run) -> tuple[VAE, float]:
    """A trained VAE, and the seconds that it took."""
    recipe, rng = recipe_of(options), sg.RandomStream(options.seed, "autoencoder")
    encoder = SmallImageEncoder(data.shape, recipe.channels, recipe.widths, rng=rng.child("encoder"))
    decoder = SmallImageDecoder(recipe.channels, data.shape, recipe.widths, rng=rng.child("decoder"))
    size = math.prod(small_shape(data.shape, recipe.channels, recipe.widths))
    model = VAE(encoder, decoder, size, "normal")
    model.example_shape = data.shape
    model.decoder_log_var.data[...] = 2 * math.log(START_SIGMA)
    print(model)
    log = train(model, model.loss_terms, data.train, recipe.autoencoder_steps, options, run)
    return model, log


# %% Then a diffusion model of its codes; and the rival, of pixels. Label 10 of 11 means "none".
def on_codes(vae: VAE, data: Images, options: Options, run: Run) -> Rival:
    """The diffusion model of the codes, trained."""
    recipe, rng = recipe_of(options), sg.RandomStream(options.seed, "latent")
    shape, known = small_shape(data.shape, recipe.channels, recipe.widths), _pictures.classes(data)
    network = UNet(
        shape[0], None, recipe.width, recipe.multipliers, recipe.blocks, classes=known and known + 1, rng=rng
    )
    ddpm = DDPM(network, cosine_schedule(options.noise_steps), shape, prediction="v", classes=known)
    model = LatentDiffusion(vae, ddpm).calibrate(sg.asarray(_lesson.some(data.train)), rng)
    average = ExponentialMovingAverage(ddpm.parameters(), recipe.memory)
    examples = (data.train, data.train_labels) if known else data.train
    seconds = train(ddpm, model.loss, examples, recipe.latent_steps, options, run, average)
    return Rival("codes", ddpm, average, lambda z: sg.asnumpy(model.decode(z)).clip(0, 1), seconds, model)


def on_pixels(data: Images, options: Options, run: Run) -> Rival:
    """The diffusion model of the pixels, in small squares, as the lesson on diffusion has it."""
    recipe, rng = recipe_of(options), sg.RandomStream(options.seed, "pixels")
    waves, known = [(data.levels - 1) / 4**i for i in range(3)], _pictures.classes(data)
    colours = recipe.patch**2 * data.shape[0]
    network: Any = UNet(
        colours * (1 + 2 * len(waves)),
        colours,
        recipe.pixel_width,
        (1, 2),
        classes=known and known + 1,
        rng=rng,
    )
    network = FourierFeatures(InPatches(network, recipe.patch), waves)
    schedule = cosine_schedule(options.noise_steps).starting_at(1 / (data.levels - 1))
    ddpm = DDPM(network, schedule, data.shape, prediction="v", levels=data.levels, classes=known)
    average = ExponentialMovingAverage(ddpm.parameters(), recipe.memory)
    x = data.train * 2 - 1
    examples = (x, data.train_labels) if known else x
    seconds = train(ddpm, ddpm.loss, examples, recipe.pixel_steps, options, run, average)
    return Rival("pixels", ddpm, average, lambda x: sg.asnumpy(x / 2 + 0.5).clip(0, 1), seconds)


def train(
    model: Any,
    loss: Callable[..., Any],
    examples: Any,
    steps: int,
    options: Options,
    run: Run,
    average: ExponentialMovingAverage | None = None,
) -> float:
    """Train one model by its loss, and say how many seconds it took."""
    rising = min(50, _lesson.steps(options, steps))
    rows = learn(model, loss, examples, steps, options, run, lr=2e-3, rising=rising, average=average)
    return rows[-1]["seconds"]


# %% The page: pictures of both, their costs, and quality against cost
def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train all three, and compare the two ways."""
    data = _latent_page.images(options)
    vae, seconds = autoencoder(data, options, run.part("autoencoder"))
    latent = on_codes(vae, data, options, run.part("codes"))
    pixels = on_pixels(data, options, run.part("pixels"))
    numbers = _latent_page.write(latent, pixels, seconds, data, options, run)

    def sample(n: int, rng: sg.RandomStream) -> np.ndarray:
        return latent.images(n, rng, 20, options.guidance)

    return _lesson.Outcome(numbers, latent.parameters, seconds + latent.seconds, sample)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos latent_diffusion`."""
    _lesson.main("latent_diffusion", "Latent diffusion", Options, lesson, argv)


if __name__ == "__main__":
    main()
