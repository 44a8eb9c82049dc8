"""Diffusion: images are turned into noise in many small steps, and a network learns each step back.

With beta_t the noise that step t adds, alpha_bar_t = (1 - beta_1) ... (1 - beta_t) is the signal left,

    x_t  =  sqrt(alpha_bar_t) x_0  +  sqrt(1 - alpha_bar_t) eps,        eps ~ N(0, I),

so a network can be shown any x_t at once, and is asked for what was added. Then, from pure noise, small steps
lead to an image. Each is a Gaussian p(x_{t-1}|x_t), and together they bound the likelihood of the data.
"""

# %% Settings, all of which are options on the command line: `python3 demos ddpm --help`
from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import scratchgen as sg
from demos import _judge, _lesson
from demos._painter import Painter, animate, by_steps, by_time, forward_process, grey
from scratchgen import plots
from scratchgen.backend import RandomStream
from scratchgen.data import Images
from scratchgen.metrics import density_error, mode_coverage
from scratchgen.models import DDPM, PixelNaiveBayes
from scratchgen.models.diffusion import cosine_schedule, linear_schedule
from scratchgen.networks import FourierFeatures, InPatches, TimeMLP, UNet
from scratchgen.optim import Adam, ExponentialMovingAverage
from scratchgen.optim.schedules import cosine, warmup
from scratchgen.training import Run, fit

EQUATION = "    L  =  E |eps - eps(sqrt(alpha_bar_t) x_0 + sqrt(1 - alpha_bar_t) eps, t)|^2"


@dataclass
class Options(_lesson.Options):
    """Train a diffusion model: a U-Net that is told the class, or a small network on points in the plane."""

    data: Literal["digits", "mnist", "fashion", "toy"] = "digits"  # type: ignore[assignment]
    """Real images: digits (8x8, shipped), MNIST or Fashion-MNIST (28x28); or eight Gaussians in the plane."""
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

    def check(self) -> None:
        """What all lessons check, and that samples can be made as asked for, before an hour of training."""
        super().check()
        if self.eta > 1:
            raise SystemExit(f"--eta: got {self.eta}, expected 0 to 1")
        if self.sampling_steps is not None and self.sampling_steps > self.noise_steps:
            asked, most = self.sampling_steps, self.noise_steps
            raise SystemExit(f"--sampling-steps: got {asked}, expected at most --noise-steps, {most}")


@dataclass(frozen=True)
class Recipe:
    """What suits one kind of data."""

    steps: int
    width: int
    patch: int
    """The network sees squares of so many pixels by as many as one."""
    lr: float
    memory: float
    """The decay of the weights' moving average, whose samples are better than those of the last weights."""
    sampling_steps: int


RECIPES = {
    "toy": Recipe(steps=5000, width=256, patch=1, lr=2e-3, memory=0.999, sampling_steps=100),
    "digits": Recipe(steps=1200, width=48, patch=2, lr=2e-3, memory=0.99, sampling_steps=15),
    "mnist": Recipe(steps=4400, width=32, patch=2, lr=2e-3, memory=0.998, sampling_steps=30),
    "fashion": Recipe(steps=4400, width=32, patch=2, lr=2e-3, memory=0.998, sampling_steps=30),
}


# %% The network. Label 10 of 11 means "none": a tenth of the labels is withheld, so it learns both.
def denoiser(options: Options, shape: tuple[int, ...], levels: int | None) -> DDPM:
    """The untrained model that the options describe."""
    recipe, rng = RECIPES[options.data], RandomStream(options.seed, "ddpm")
    out = 2 if options.variance == "learned" else 1
    network: Any
    if options.data == "toy":
        network = TimeMLP(shape[0], recipe.width, out * shape[0], rng=rng)
    else:
        waves = [((levels or 256) - 1) / 4**i for i in range(3)]  # so that it sees the noise between levels
        pixels = recipe.patch**2
        seen, given = shape[0] * (1 + 2 * len(waves)) * pixels, shape[0] * out * pixels
        network = UNet(seen, given, recipe.width, multipliers=(1, 2), classes=11, rng=rng)
        network = FourierFeatures(InPatches(network, recipe.patch), waves)
    schedule = (cosine_schedule if options.schedule == "cosine" else linear_schedule)(options.noise_steps)
    return DDPM(
        network,
        schedule if levels is None else schedule.starting_at(1 / (levels - 1)),
        shape,
        options.variance,
        options.prediction,
        levels,
        classes=None if options.data == "toy" else 10,
    )


# %% Training: a random image, a random t, random noise; and how wrong is the network?
def train(
    data: Any, levels: int | None, options: Options, run: Run
) -> tuple[Painter, list[dict[str, float]]]:
    """A trained model, and the rows of its log."""
    recipe = RECIPES[options.data]
    examples = data[0] if isinstance(data, tuple) else data
    model = denoiser(options, examples.shape[1:], levels)
    average = ExponentialMovingAverage(model.parameters(), recipe.memory)
    steps, lr = _lesson.steps(options, recipe.steps), options.lr or recipe.lr
    print(model)

    def loss(batch: Any, rng: RandomStream) -> dict[str, Any]:
        x0, labels = batch if isinstance(batch, tuple) else (batch, None)
        return model.loss_terms(x0, rng, labels)

    rows = fit(
        loss,
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
    sampling_steps = options.sampling_steps or recipe.sampling_steps
    return Painter(model, average, sampling_steps, options.eta, options.guidance), rows


# %% [markdown]
# ## Eight bumps in the plane
# Their density is known, so the samples can be measured: which bumps are reached, how many points lie on one,
# and how far the density is from the true one.
def toy(options: Options, run: Run) -> _lesson.Outcome:
    """Train on eight Gaussians, and follow points from noise to the bumps."""
    world = sg.data.toy.eight_gaussians()
    rng = RandomStream(options.seed, "toy")
    real = world.sample(10_000, rng.child("real"))
    painter, rows = train(real, None, options, run)
    points = painter.draw(10_000, rng.child("draw"))
    covered = mode_coverage(points, world.centres, world.sigma)
    yardstick = density_error(world.sample(10_000, rng.child("yardstick")), world)
    test = world.sample(500, rng.child("test"))
    with painter.average.applied():
        bound = float(sg.asnumpy(painter.model.bound(test, rng.child("bound"), steps=100)).mean())
    numbers = {
        "bumps covered": f"{covered.covered:.0f} of 8",
        "points on a bump": f"{covered.precise:.1%} (data 98.9%)",
        "density error": f"{density_error(points, world):.3f} (as many data {yardstick:.3f})",
        "bound on -log p(x)": f"{bound:.3f} nats (entropy {-float(world.log_prob(test).mean()):.3f})",
        "parameters": f"{painter.model.parameter_count():,}",
    }
    steps = min(100, painter.model.schedule.steps)
    way = {f"t = {t:,}": x for t, x in painter.path(2000, rng.child("way"), steps)}
    shown = [[*way][round(share * steps)] for share in (0, 0.5, 0.7, 0.8, 0.88, 0.94, 0.98, 1)]
    run.section(
        "Diffusion on eight Gaussians",
        f"{EQUATION}\n\nThe density error is the total variation distance on a grid: 0 is right, 1 is "
        "nothing in common. The bound is in nats per point.",
        numbers=numbers,
        pictures={
            "From noise to data": plots.clouds({title: way[title] for title in shown}, world),
            "The terms of the loss, by the time t": by_time(painter, test, rng.child("terms")),
            "Training": plots.curves(rows),
        },
    )
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    return _lesson.Outcome(numbers, painter.model.parameter_count(), rows[-1]["seconds"], painter.draw)


# %% [markdown]
# ## Measuring
# The steps back bound the likelihood: so many bits for each pixel would suffice to store the test images. And
# a classifier says what it sees in new images, with a class asked for and without.
def measure(painter: Painter, data: Images, options: Options) -> dict[str, str]:
    """The numbers of the page."""
    rng, model = RandomStream(options.seed, "measure"), painter.model
    n = 100 if options.quick else 500
    judged = _judge.judge(painter.images(n, rng.child("judged")), data, options)
    any_class = _judge.quality(grey(painter.draw(n // 2, rng.child("any"))), data, options)
    test = sg.asarray(data.test[:100] * 2 - 1)
    with painter.average.applied():
        steps = min(5 if options.quick else 100, model.schedule.steps)
        bits = float(sg.asnumpy(model.bits_per_dim(test, rng.child("bits"), steps=steps)).mean())
    return {
        **judged,
        "sure without guidance or class": f"{any_class.confident:.1%}",
        "bits/dim": f"{bits:.2f} (naive Bayes {naive_bayes_bits(data):.2f})",
        "parameters": f"{model.parameter_count():,}",
    }


def naive_bayes_bits(data: Images) -> float:
    """What pixels cost that are independent of each other: the floor that a model has to beat."""
    model = PixelNaiveBayes(data.levels).fit(data.train)
    return -float(np.mean(model.log_prob(data.test))) / (math.prod(data.shape) * math.log(2))


# %% The page
def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train the model that the options describe, measure it, and put it on the run's page."""
    if options.data == "toy":
        return toy(options, run)
    data = _lesson.images(options)
    painter, rows = train((data.train * 2 - 1, data.train_labels), data.levels, options, run)
    numbers = measure(painter, data, options)
    rng = RandomStream(options.seed, "page")
    of_each_class = np.repeat(np.arange(10), 8)
    run.section(
        f"Diffusion on {data.name}",
        f"{EQUATION}\n\nThe network predicts {options.prediction}, knows the class, and its variance is "
        f"{options.variance}. Samples take a guidance of {options.guidance:g}. The bits/dim are a bound for "
        "test images without their class, by a tenth of the times.",
        numbers=numbers,
        pictures={
            "New images, of each class eight": plots.image_grid(
                painter.images(80, rng.child("grid"), of_each_class), columns=16
            ),
            "Adding noise: the forward process": plots.image_grid(
                forward_process(painter.model, data.test[:4], rng.child("forward")), columns=12
            ),
            "Taking it away: the reverse process": animate(painter, run, rng.child("reverse")),
            "The same noise, in fewer and in more steps": plots.image_rows(by_steps(painter, rng)),
            "The terms of the loss, by the time t": by_time(
                painter, sg.asarray(data.test[:100] * 2 - 1), rng.child("terms")
            ),
            "Training": plots.curves(rows),
        },
    )
    run.section("Diffusion: layers", "    " + str(painter.model).replace("\n", "\n    "))
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))
    parameters = painter.model.parameter_count()
    return _lesson.Outcome(numbers, parameters, rows[-1]["seconds"], painter.images)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos ddpm`."""
    _lesson.main("ddpm", "Diffusion model", Options, lesson, argv)


if __name__ == "__main__":
    main()
