"""Diffusion: images are turned into noise in many small steps, and a network learns each step back.

With beta_t the noise that step t adds, alpha_bar_t = (1 - beta_1) ... (1 - beta_t) is the signal left,

    x_t  =  sqrt(alpha_bar_t) x_0  +  sqrt(1 - alpha_bar_t) eps,        eps ~ N(0, I),

so a network can be shown any x_t at once, and is asked for what was added. Then, from pure noise, small steps
lead to an image. Each is a Gaussian p(x_{t-1}|x_t), and together they bound the likelihood of the data.
"""

# %% Settings, all of which are options on the command line: `python3 demos ddpm --help`
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import scratchgen as sg
from demos import _ddpm_pages, _lesson, _pictures
from demos._ddpm_pages import Painter
from scratchgen.models import DDPM
from scratchgen.models.diffusion import cosine_schedule, linear_schedule
from scratchgen.networks import FourierFeatures, InPatches, TimeMLP, UNet
from scratchgen.optim import Adam, ExponentialMovingAverage
from scratchgen.optim.schedules import cosine, warmup
from scratchgen.training import Run, fit


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Train a diffusion model: a U-Net that is told the class, or a small network on points in the plane."""

    data: Literal["digits", "mnist", "fashion", "folder", "toy"] = "digits"  # type: ignore[assignment]
    """Real images: digits (8x8, shipped), MNIST or Fashion-MNIST (28x28), your own; or eight Gaussians."""
    prediction: Literal["noise", "x0", "v"] = "v"
    """What the network predicts: the noise, the image, or a mixture that suits all times alike."""
    variance: Literal["fixed-small", "fixed-large", "learned"] = "learned"
    """Of a step back: one of the two that bound it, or chosen by the network in between. Used by the
    bound, and by samples of all T steps; DDIM, with fewer, has its own."""
    schedule: Literal["cosine", "linear"] = "cosine"
    noise_steps: int = 1000
    """T, the number of steps from an image to noise."""
    sampling_steps: int | None = None
    """How many steps back a sample takes (DDIM); each kind of data has its own default."""
    eta: float = 1.0
    """How much new noise these steps add: 0 is none, 1 is as much as DDPM does."""
    guidance: float = 0.5
    """How much the class is exaggerated: 0 is not at all."""
    lr: float | None = None
    """The learning rate; each kind of data has its own default."""

    def settled(self) -> Options:
        """With what suits the data."""
        return replace(self, **{name: getattr(recipe(self), name) for name in OPEN})

    def check(self) -> None:
        """What all lessons check, and that samples can be made as asked for, before an hour of training."""
        super().check()
        if self.eta > 1:
            raise SystemExit(f"--eta: got {self.eta}, expected 0 to 1")
        if self.sampling_steps is not None and self.sampling_steps > self.noise_steps:
            asked, most = self.sampling_steps, self.noise_steps
            raise SystemExit(f"--sampling-steps: got {asked}, expected at most --noise-steps, {most}")


class Recipe(NamedTuple):
    """What suits one kind of data."""

    steps: int
    width: int
    patch: int  # the network sees squares of so many pixels by as many as one
    lr: float
    memory: float  # the decay of the weights' moving average, whose samples are better than the last weights'
    sampling_steps: int


RECIPES = {
    "toy": Recipe(steps=5000, width=256, patch=1, lr=2e-3, memory=0.999, sampling_steps=100),
    "digits": Recipe(steps=1200, width=48, patch=2, lr=2e-3, memory=0.99, sampling_steps=15),
    "mnist": Recipe(steps=4400, width=32, patch=2, lr=2e-3, memory=0.998, sampling_steps=30),
    "fashion": Recipe(steps=4400, width=32, patch=2, lr=2e-3, memory=0.998, sampling_steps=30),
}
OWN = {  # by the side of the pictures: of larger ones the network sees larger squares at once
    31: RECIPES["mnist"]._replace(steps=4000),
    47: RECIPES["mnist"]._replace(steps=3500, width=48, patch=4),
    64: RECIPES["mnist"]._replace(steps=2000, width=48, patch=4),
}
OPEN = ("steps", "lr", "sampling_steps")
"""What of a recipe an option can change."""


def recipe(options: Options) -> Recipe:
    """What suits the data, but for what the options say otherwise."""
    best = _pictures.by_size(OWN, options) if options.data == "folder" else RECIPES[options.data]
    return best._replace(
        steps=_lesson.steps(options, best.steps),
        lr=options.lr or best.lr,
        sampling_steps=options.sampling_steps or min(best.sampling_steps, options.noise_steps),
    )


# %% The network. One label more means "none": a tenth of the labels is withheld, so it learns both.
def denoiser(options: Options, shape: tuple[int, ...], levels: int | None, classes: int | None) -> DDPM:
    """The untrained model that the options describe."""
    best, rng = recipe(options), sg.RandomStream(options.seed, "ddpm")
    out = 2 if options.variance == "learned" else 1
    network: Any
    if options.data == "toy":
        network = TimeMLP(shape[0], best.width, out * shape[0], rng=rng)
    else:
        waves = [((levels or 256) - 1) / 4**i for i in range(3)]  # so that it sees the noise between levels
        pixels = best.patch**2
        seen, given = shape[0] * (1 + 2 * len(waves)) * pixels, shape[0] * out * pixels
        network = UNet(seen, given, best.width, multipliers=(1, 2), classes=classes and classes + 1, rng=rng)
        network = FourierFeatures(InPatches(network, best.patch), waves)
    schedule = (cosine_schedule if options.schedule == "cosine" else linear_schedule)(options.noise_steps)
    return DDPM(
        network,
        schedule if levels is None else schedule.starting_at(1 / (levels - 1)),
        shape,
        options.variance,
        options.prediction,
        levels,
        classes=classes,
    )


# %% Training: a random image, a random t, random noise; and how wrong is the network?
def train(
    data: Any, levels: int | None, options: Options, run: Run
) -> tuple[Painter, list[dict[str, float]]]:
    """A trained model, and the rows of its log."""
    best = recipe(options)
    x, classes = (data[0], int(data[1].max()) + 1) if isinstance(data, tuple) else (data, None)
    model = denoiser(options, x.shape[1:], levels, classes)
    average = ExponentialMovingAverage(model.parameters(), best.memory)
    steps, lr = best.steps, best.lr
    print(model)

    rows = fit(
        model.loss_terms,
        data,
        Adam(model.parameters(), lr),
        steps=steps,
        batch_size=options.batch_size,
        schedule=warmup(cosine(lr, steps), min(50, steps)),
        average=average,
        model=model,
        seed=options.seed,
        run=run,
        resume=_lesson.resumption(run),
    )
    return Painter(model, average, best.sampling_steps, options.eta, options.guidance), rows


# %% [markdown]
# ## Did it work?
# The steps back bound the likelihood: so many bits for each pixel would suffice to store the test images. And
# a classifier says what it sees in new images, with a class asked for and without. In the plane the data's
# density is known: which bumps are reached, how many points lie on one, how far is the density off?
def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train the model that the options describe, measure it, and put it on the run's page."""
    page = (_ddpm_pages.Plane if options.data == "toy" else _ddpm_pages.Pictures)(options, run)
    painter, rows = train(page.examples, page.levels, options, run)
    return page.write(painter, rows)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos ddpm`."""
    _lesson.main("ddpm", "Diffusion model", Options, lesson, argv)


if __name__ == "__main__":
    main()
