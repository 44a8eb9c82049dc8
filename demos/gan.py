"""Generative adversarial network: a forger and a detective who make each other better.

A generator G turns noise z into images. A discriminator D says how likely an image is to be a real one. D is
trained to be right about real images and about those of G, and G to make D wrong:

    max_D  E log D(x) + E log(1 - D(G(z))),     max_G  E log D(G(z)).

Neither loss need fall as training goes on, since each player has an opponent who gets better as well. So what
is watched is something else: how often D is right, how different G's images are, and whether they are copies.
"""

# %% Settings, all of which are options on the command line: `python3 demos gan --help`
from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

import scratchgen as sg
from demos import _gan_pages, _lesson, _pictures
from demos._gan_pages import Forger, Observer
from scratchgen.models import GAN
from scratchgen.optim import Adam, ExponentialMovingAverage
from scratchgen.training import Run, every, fit_adversarial


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Train a GAN of convolutions that is told which class to draw, or a dense one on points in the plane."""

    data: Literal["digits", "mnist", "fashion", "folder", "toy"] = "digits"  # type: ignore[assignment]
    """Real images: digits (8x8, shipped), MNIST or Fashion-MNIST (28x28), your own; or eight Gaussians."""
    objective: Literal["non-saturating", "minimax", "wasserstein-gp"] | None = None
    """What the two minimise; wasserstein-gp, a critic with a penalty, is the default on 28x28 only."""
    critic_steps: int | None = None
    """Steps of the discriminator for each of the generator: 1, but 5 with wasserstein-gp on small data."""
    latent_dim: int | None = None
    """How many numbers the noise has; each kind of data has its own default."""
    lr: float | None = None
    """The learning rate of both; each kind of data has its own default."""

    def settled(self) -> Options:
        """With what suits the data, and the objective."""
        return replace(self, **{name: getattr(recipe(self), name) for name in OPEN})


class Recipe(NamedTuple):
    """What suits one kind of data."""

    steps: int  # of the generator; in RECIPES of the discriminator, so that all take about as long
    objective: str
    critic_steps: int  # for one of the generator, with wasserstein-gp
    latent_dim: int
    widths: tuple[int, ...]
    lr: float
    memory: float  # the decay of the generator's moving average, which draws better than the last weights do


# At 28x28 the non-saturating game makes good digits soon, but for long the same few: the critic's does not.
LARGE = Recipe(6000, "wasserstein-gp", 1, latent_dim=64, widths=(32, 64), lr=1e-3, memory=0.998)
RECIPES = {
    "toy": Recipe(4000, "non-saturating", 5, latent_dim=2, widths=(128,), lr=1e-3, memory=0.998),
    "digits": Recipe(1200, "non-saturating", 5, latent_dim=32, widths=(32, 64), lr=1e-3, memory=0.99),
    "mnist": LARGE,
    "fashion": LARGE,
}
OWN = {  # by the side of the pictures: larger ones are halved once more
    31: LARGE._replace(steps=4000),
    47: LARGE._replace(steps=3000, widths=(32, 64, 128)),
    64: LARGE._replace(steps=2000, widths=(32, 64, 128)),
}
OPEN = ("steps", "objective", "critic_steps", "latent_dim", "lr")
"""What of a recipe an option can change."""


def recipe(options: Options) -> Recipe:
    """What suits the data, but for what the options say otherwise."""
    best = _pictures.by_size(OWN, options) if options.data == "folder" else RECIPES[options.data]
    objective = options.objective or best.objective
    critic_steps = options.critic_steps or (best.critic_steps if objective == "wasserstein-gp" else 1)
    return best._replace(
        steps=_lesson.steps(options, best.steps // critic_steps),
        objective=objective,
        critic_steps=critic_steps,
        latent_dim=options.latent_dim or best.latent_dim,
        lr=options.lr or best.lr,
    )


# %% The two players. Of images both are told the class, if there is one, so that a seven can be asked for.
def players(options: Options, shape: tuple[int, ...], classes: int | None) -> GAN:
    """The untrained GAN that the options describe."""
    best, rng = recipe(options), sg.RandomStream(options.seed, "gan")
    if options.data == "toy":
        return GAN.dense(shape, best.widths[0], best.latent_dim, best.objective, rng=rng)
    return GAN.convolutional(shape, best.latent_dim, best.widths, best.objective, classes, rng=rng)


# %% Training: one step of the discriminator, or several of a critic, then one of the generator
def train(data: Any, observe: Observer, options: Options, run: Run) -> tuple[Forger, list[dict[str, float]]]:
    """A trained GAN, and the rows of its log; `observe` says twenty times how it is doing."""
    x, classes = (data[0], int(data[1].max()) + 1) if isinstance(data, tuple) else (data, None)
    model, best = players(options, x.shape[1:], classes), recipe(options)
    forger = Forger(model, ExponentialMovingAverage(model.generator.parameters(), best.memory))
    steps, lr = best.steps, best.lr
    betas = (0.0, 0.9) if model.objective == "wasserstein-gp" else (0.5, 0.99)
    print(model)
    rows = fit_adversarial(
        model,
        data,
        Adam(model.discriminator.parameters(), lr, betas),
        Adam(model.generator.parameters(), lr, betas),
        steps=steps,
        batch_size=options.batch_size,
        critic_steps=best.critic_steps,
        average=forger.average,
        schedule=lambda step: min(1.0, 2.0 - 2.0 * step / steps),  # falling to 0 in the second half
        seed=options.seed,
        run=run,
        resume=_lesson.resumption(run),
        on_step=[every(max(1, steps // 20), lambda step: observe(forger, step))],
    )
    return forger, rows


# %% [markdown]
# ## Did it work?
# In the plane the data's density is known: which bumps are reached, how many points lie on one? Of images a
# classifier says what it sees, and distances say whether they are copies, or all alike.
def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train the GAN that the options describe, measure it, and put it on the run's page."""
    page = (_gan_pages.Plane if options.data == "toy" else _gan_pages.Pictures)(options, run)
    forger, rows = train(page.examples, page.observe, options, run)
    return page.write(forger, rows)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos gan`."""
    _lesson.main("gan", "Generative adversarial network", Options, lesson, argv)


if __name__ == "__main__":
    main()
