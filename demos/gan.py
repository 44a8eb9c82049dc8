"""Generative adversarial network: a forger and a detective who make each other better.

A generator G turns noise z into images. A discriminator D says how likely an image is to be a real one. D is
trained to be right about real images and about those of G, and G to make D wrong:

    max_D  E log D(x) + E log(1 - D(G(z))),     max_G  E log D(G(z)).

Neither loss falls as training goes on, since each player has an opponent who gets better as well. So what is
watched is something else: how often D is right, how different G's images are, and whether they are copies.
"""

# %% Settings, all of which are options on the command line: `python3 demos gan --help`
from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import scratchgen as sg
from demos import _judge, _lesson
from scratchgen import plots
from scratchgen.data import Images
from scratchgen.metrics import density_error, diversity, mode_coverage, nearest_neighbour_ratio
from scratchgen.models import GAN
from scratchgen.optim import Adam, ExponentialMovingAverage
from scratchgen.training import Run, every, fit_adversarial

VALUE = "    max over D of  E log D(x) + E log(1 - D(G(z)))"
EQUATIONS = {
    "non-saturating": f"{VALUE},    max over G of  E log D(G(z))",
    "minimax": f"{VALUE},    min over G of the same",
    "wasserstein-gp": "    max over f of  E f(x) - E f(G(z)) - lambda E (|grad f(x')| - 1)^2,    "
    "max over G of  E f(G(z))",
}


@dataclass
class Options(_lesson.Options):
    """Train a GAN of convolutions that is told which class to draw, or a dense one on points in the plane."""

    data: Literal["digits", "mnist", "fashion", "toy"] = "digits"  # type: ignore[assignment]
    """Real images: digits (8x8, shipped), MNIST or Fashion-MNIST (28x28); or eight Gaussians in the plane."""
    objective: Literal["non-saturating", "minimax", "wasserstein-gp"] | None = None
    """What the two minimise; wasserstein-gp, a critic with a penalty, is the default on 28x28 only."""
    critic_steps: int | None = None
    """Steps of the discriminator for each of the generator: 1, but 5 with wasserstein-gp on small data."""
    latent_dim: int | None = None
    """How many numbers the noise has; each kind of data has its own default."""
    lr: float | None = None
    """The learning rate of both; each kind of data has its own default."""


@dataclass(frozen=True)
class Recipe:
    """What suits one kind of data."""

    steps: int
    """Of the discriminator, so that several for one of the generator take about as long."""
    objective: str
    critic_steps: int
    """For one of the generator, with wasserstein-gp."""
    latent_dim: int
    widths: tuple[int, ...]
    lr: float
    memory: float
    """The decay of the generator's moving average, which draws better than the last weights do."""


# At 28x28 the non-saturating game makes good digits soon, but for long the same few: the critic's does not.
LARGE = Recipe(6000, "wasserstein-gp", 1, latent_dim=64, widths=(32, 64), lr=1e-3, memory=0.998)
RECIPES = {
    "toy": Recipe(4000, "non-saturating", 5, latent_dim=2, widths=(128,), lr=1e-3, memory=0.998),
    "digits": Recipe(1200, "non-saturating", 5, latent_dim=32, widths=(32, 64), lr=1e-3, memory=0.99),
    "mnist": LARGE,
    "fashion": LARGE,
}


# %% The two players. On images both are told the class, so that a seven can be asked for.
def players(options: Options, shape: tuple[int, ...]) -> GAN:
    """The untrained GAN that the options describe."""
    recipe = RECIPES[options.data]
    rng = sg.backend.RandomStream(options.seed, "gan")
    latent_dim, objective = options.latent_dim or recipe.latent_dim, options.objective or recipe.objective
    if options.data == "toy":
        return GAN.dense(shape, recipe.widths[0], latent_dim, objective, rng=rng)
    return GAN.convolutional(shape, latent_dim, recipe.widths, objective, classes=10, rng=rng)


# %% Training: one step of the discriminator, or several of a critic, then one of the generator
@dataclass
class Forger:
    """A GAN whose generator has a moving average: samples come from that, as images in [0, 1]."""

    model: GAN
    average: ExponentialMovingAverage

    def draw(self, n: int, rng: sg.backend.RandomStream, labels: Any = None) -> np.ndarray:
        """`n` examples, on the host."""
        with self.average.applied():
            return sg.asnumpy(self.model.sample(n, rng, labels))

    def images(self, n: int, rng: sg.backend.RandomStream, labels: Any = None) -> np.ndarray:
        """`n` images in [0, 1]: the generator's last layer gives -1 to 1."""
        blocks = [slice(start, min(start + 500, n)) for start in range(0, n, 500)]
        drawn = [
            self.draw(
                block.stop - block.start, rng.child(block.start), None if labels is None else labels[block]
            )
            for block in blocks
        ]
        return np.concatenate(drawn) / 2 + 0.5

    def premise(self) -> str:
        """What the two played for."""
        return f"{EQUATIONS[self.model.objective]}\n\nObjective: {self.model.objective}."


Observer = Callable[[Forger, int], dict[str, float]]


def train(data: Any, observe: Observer, options: Options, run: Run) -> tuple[Forger, list[dict[str, float]]]:
    """A trained GAN, and the rows of its log; `observe` says twenty times how it is doing."""
    examples = data[0] if isinstance(data, tuple) else data
    model, recipe = players(options, examples.shape[1:]), RECIPES[options.data]
    forger = Forger(model, ExponentialMovingAverage(model.generator.parameters(), recipe.memory))
    is_critic, lr = model.objective == "wasserstein-gp", options.lr or recipe.lr
    critic_steps = options.critic_steps or (recipe.critic_steps if is_critic else 1)
    steps = _lesson.steps(options, recipe.steps // critic_steps)
    betas = (0.0, 0.9) if is_critic else (0.5, 0.99)  # little momentum: the other player moves the target
    print(model)
    rows = fit_adversarial(
        model,
        data,
        Adam(model.discriminator.parameters(), lr, betas),
        Adam(model.generator.parameters(), lr, betas),
        steps=steps,
        batch_size=options.batch_size,
        critic_steps=critic_steps,
        average=forger.average,
        schedule=lambda step: min(1.0, 2.0 - 2.0 * step / steps),  # falling to 0 in the second half
        seed=options.seed,
        run=run,
        resume=_lesson.resumption(run),
        on_step=[every(max(1, steps // 20), lambda step: observe(forger, step))],
    )
    return forger, rows


# %% [markdown]
# ## Eight bumps in the plane
# Here the data's density is known, so that it can be measured which bumps the generator reaches, how many of
# its points lie on one, and how far its density is from the true one.
def toy(options: Options, run: Run) -> _lesson.Outcome:
    """Train on eight Gaussians, and measure coverage and density on the way."""
    world = sg.data.toy.eight_gaussians()
    rng = sg.backend.RandomStream(options.seed, "toy")
    real = world.sample(10_000, rng.child("real"))
    yardstick = density_error(world.sample(10_000, rng.child("yardstick")), world)
    snapshots = {}

    def observe(forger: Forger, step: int) -> dict[str, float]:
        points = forger.draw(10_000, rng.child("observe"))
        snapshots[f"step {step:,}"] = points[:2000]
        found = mode_coverage(points, world.centres, world.sigma)
        error = density_error(points, world)
        return {"bumps covered": found.covered, "points on a bump": found.precise, "density error": error}

    forger, rows = train(real, observe, options, run)
    observed = observe(forger, int(rows[-1]["step"]))
    titles = [*snapshots]
    shown = [titles[i] for i in np.linspace(0, len(titles) - 1, min(7, len(titles))).astype(int)]
    numbers = {
        "bumps covered": f"{observed['bumps covered']:.0f} of 8",
        "points on a bump": f"{observed['points on a bump']:.1%} (data 98.9%)",
        "density error": f"{observed['density error']:.3f} (as many data {yardstick:.3f})",
        "diversity": str(diversity(forger.draw(1000, rng.child("diversity")), sg.asnumpy(real[:1000]))),
        "parameters": f"{forger.model.parameter_count():,}",
    }
    run.section(
        "GAN on eight Gaussians",
        f"{forger.premise()} The density error is the total variation distance on "
        "a grid: 0 is right, 1 is nothing in common.",
        numbers=numbers,
        pictures={
            "Points of the generator on the density of the data": plots.clouds(
                {"the data": real[:2000]} | {title: snapshots[title] for title in shown}, world
            ),
            "Training": plots.curves(rows),
        },
    )
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    return _lesson.Outcome(numbers, forger.model.parameter_count(), rows[-1]["seconds"], forger.draw)


# %% [markdown]
# ## Images
# While it trains: is a sample nearer to one training image than to all others (a ratio near 0), how far do
# samples spread, how much of the data lies among them? At the end a classifier looks at the samples too.
def watch(data: Images, options: Options) -> Observer:
    """What is logged of the images in the course of training."""
    rng, known = sg.backend.RandomStream(options.seed, "watch"), data.train[:2000]

    def observe(forger: Forger, step: int) -> dict[str, float]:
        images = forger.images(256, rng)
        found = diversity(images, data.test)
        ratio = float(np.median(nearest_neighbour_ratio(images, known)))
        return {"nearest-neighbour ratio": ratio, "spread": found.spread, "recall": found.recall}

    return observe


def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train the GAN that the options describe, measure it, and put it on the run's page."""
    if options.data == "toy":
        return toy(options, run)
    data = _lesson.images(options)
    forger, rows = train((data.train * 2 - 1, data.train_labels), watch(data, options), options, run)
    rng = sg.backend.RandomStream(options.seed, "page")
    samples = forger.images(1000, rng.child("judged"))
    verdict = str(diversity(samples, data.test))
    numbers = {
        **_judge.judge(samples, data, options),
        "diversity": verdict,
        "parameters": f"{forger.model.parameter_count():,}",
    }
    of_each_class = np.tile(np.arange(10), 8)
    run.section(
        f"GAN on {data.name}",
        f"{forger.premise()} Generator and discriminator are told the class. "
        f"Verdict on the samples' diversity: {verdict}.",
        numbers=numbers,
        pictures={
            "New images, of each class eight": plots.image_grid(
                forger.images(80, rng.child("grid"), of_each_class)[of_each_class.argsort(kind="stable")],
                columns=16,
            ),
            "From one noise to another, in each class": plots.image_grid(between(forger, rng), columns=12),
            "Training": plots.curves(rows),
        },
    )
    run.section("GAN: layers", "    " + str(forger.model).replace("\n", "\n    "))
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    return _lesson.Outcome(numbers, forger.model.parameter_count(), rows[-1]["seconds"], forger.images)


# %% Between two points of the noise every point is an image as well: one row for each class
def between(forger: Forger, rng: sg.backend.RandomStream, columns: int = 12) -> np.ndarray:
    """Images on an arc of the noise, the same for each class: (10 * columns, *shape)."""
    start, end = sg.asnumpy(rng.child("ends").normal((2, forger.model.latent_dim)))
    angles = np.linspace(0, np.pi / 2, columns)[:, None]
    arc = (np.cos(angles) * start + np.sin(angles) * end).astype(np.float32)  # as long as noise is
    z, labels = np.tile(arc, (10, 1)), np.repeat(np.arange(10), columns)
    with forger.average.applied(), sg.no_grad():
        images = sg.asnumpy(forger.model.eval()(sg.asarray(z), sg.asarray(labels)))
    forger.model.train()
    return images / 2 + 0.5


def main(argv: list[str] | None = None) -> None:
    """`python3 demos gan`."""
    _lesson.main("gan", "Generative adversarial network", Options, lesson, argv)


if __name__ == "__main__":
    main()
