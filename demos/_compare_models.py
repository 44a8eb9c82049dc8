"""Six kinds of models of vectors, each trained the same way in every world of the comparison."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _lesson
from demos._compare_worlds import World
from demos._training import learn, oppose
from demos.autoencoder import likely
from scratchgen.models import (
    DDPM,
    GAN,
    NADE,
    VAE,
    Autoencoder,
    CategoricalChain,
    CategoricalNaiveBayes,
    cosine_schedule,
)
from scratchgen.networks import TimeMLP
from scratchgen.optim import ExponentialMovingAverage
from scratchgen.training import Run, sampled

LogProb = Callable[[np.ndarray], np.ndarray]
Draw = Callable[[int, sg.RandomStream], np.ndarray]
HIDDEN, SAMPLES = 128, 1000
"""Units of a layer, importance samples of the VAE."""
NOISE_STEPS, FINEST = 100, 0.5
"""Steps of diffusion, and the least noise that bits are given."""


@dataclass
class Learned:
    """A trained model, and what it can say."""

    parameters: int
    seconds: float
    draw: Draw | None
    """Samples as vectors of the world; None of a model that cannot be of this one."""
    log_prob: LogProb | None = None
    """Of vectors, in nats: exact, or as near as computing brings it."""
    rows_log_prob: LogProb | None = None
    """Of rows, where these can be listed and their probabilities summed."""
    bound: LogProb | None = None
    """Below log_prob on average, for models that have a bound."""
    flow: LogProb | None = None
    """Of the same network as a flow, which is another model: its density, in nats."""
    how: str = "exactly"
    """How it says p(x); or why it cannot."""


class Training:
    """What the models of one world share: options, streams, and how a loss is brought down."""

    def __init__(self, world: World, options: _lesson.Options, run: Run) -> None:
        self.world, self.options, self.run = world, options, run
        self.rng = sg.RandomStream(options.seed, "compare", world.name)

    def fit(
        self, name: str, model: Any, data: np.ndarray, steps: int, lr: float = 2e-3, **more: Any
    ) -> float:
        """Train by Adam with a falling rate; return the seconds that it took."""
        part = self.run.part(f"{self.world.name}, {name}")
        return learn(model, model.loss, data, steps, self.options, part, lr=lr, **more)[-1]["seconds"]

    def quick(self, full: int, few: int) -> int:
        """A number of samples: `few` with ``--quick``."""
        return few if self.options.quick else full


# %% Explicit, exact: each feature alone; one bit after another
def naive_bayes(its: Training) -> Learned:
    """The product of the features' frequencies; of normals, where they are real numbers."""
    world = its.world
    if world.levels is None:
        mean, std = world.observed.mean(axis=0), world.observed.std(axis=0)
        alone = sg.distributions.Normal(mean, 2 * np.log(std))
        return Learned(
            2 * len(mean),
            0.0,
            lambda n, rng: mean + std * sg.asnumpy(rng.normal((n, len(mean)))),
            lambda x: sg.asnumpy(sg.distributions.sum_per_example(alone.log_prob(x))),
        )
    model = CategoricalNaiveBayes(world.levels, alpha=1.0).fit(world.rows(world.observed))
    return Learned(
        sum(world.levels) - len(world.levels),
        0.0,
        lambda n, rng: world.vectors(model.sample(n, rng), rng),
        lambda x: model.log_prob(world.rows(x)) - world.log_cell,
        model.log_prob,
    )


def autoregressive(its: Training) -> Learned:
    """One after another: NADE on many bits; where attributes are few, each a table given the one before."""
    world = its.world
    if world.levels is None:
        return Learned(0, 0.0, None, how="needs levels: these are real numbers")
    if len(world.levels) < 10:
        chain = CategoricalChain(world.levels, parents=1, alpha=0.1).fit(world.rows(world.observed))
        return Learned(
            chain.parameter_count,
            0.0,
            lambda n, rng: world.vectors(chain.sample(n, rng), rng),
            lambda x: chain.log_prob(world.rows(x)) - world.log_cell,
            chain.log_prob,
        )
    model = NADE(len(world.levels), HIDDEN, its.rng.child("nade"))
    seconds = its.fit("NADE", model, world.observed, 2000)

    def log_prob(x: np.ndarray) -> np.ndarray:
        with sg.no_grad():
            return sg.asnumpy(model.log_prob(sg.asarray(x))).astype(np.float64)

    return Learned(
        model.parameter_count(), seconds, lambda n, rng: sg.asnumpy(model.sample(n, rng)), log_prob
    )


# %% Codes: with a distribution, or without
def autoencoder(its: Training) -> Learned:
    """Drawn from by a normal fitted to its codes."""
    world, size = its.world, its.world.observed.shape[1]
    model = Autoencoder.dense(size, HIDDEN, min(4, size - 1), rng=its.rng.child("autoencoder"))
    seconds = its.fit("autoencoder", model, world.observed, 2000)
    codes = sg.asnumpy(model.encode(sg.asarray(world.observed))).astype(np.float64)

    def draw(n: int, rng: sg.RandomStream) -> np.ndarray:
        z = likely(codes, sg.asnumpy(rng.normal((n, codes.shape[1]), np.float64)))
        x = sg.asnumpy(model.decode(sg.asarray(z.astype(np.float32))))
        return np.round(x.clip(0, 1)) if world.bits else x

    return Learned(model.parameter_count(), seconds, draw, how="a squared error is no density")


def vae(its: Training) -> Learned:
    """Samples are drawn from p(x|z), as the model has it: with the noise of the likelihood."""
    world, size = its.world, its.world.observed.shape[1]
    latent, rng = min(8, 2 * size), its.rng.child("vae")
    if world.bits:
        model = VAE.dense(size, HIDDEN, latent, rng=rng)
    else:
        model = VAE.dense(size, HIDDEN, latent, "normal", sigma="pixels", rng=rng)
    seconds = its.fit("VAE", model, world.observed, 6000, lr=5e-3)
    samples = its.quick(SAMPLES, 50)

    def log_prob(x: np.ndarray) -> np.ndarray:
        with sg.no_grad():
            return sg.asnumpy(model.log_marginal(sg.asarray(x), rng.child("log p"), samples).data)

    def bound(x: np.ndarray) -> np.ndarray:
        with sg.no_grad():
            return sg.asnumpy(model.elbo(sg.asarray(x), rng.child("bound")).data)

    def draw(n: int, rng: sg.RandomStream) -> np.ndarray:
        return sg.asnumpy(model.sample(n, rng, noise=True))

    return Learned(model.parameter_count(), seconds, draw, log_prob, bound=bound, how="by a bound")


# %% Implicit: two networks that play against each other
def gan(its: Training) -> Learned:
    """Bits are -1 and 1 to it; what it draws is cut at 0."""
    world, size = its.world, its.world.observed.shape[1]
    model = GAN.dense(size, HIDDEN, min(16, 2 * size), rng=its.rng.child("gan"))
    average = ExponentialMovingAverage(model.generator.parameters(), 0.998)
    x, part = signs(world, world.observed), its.run.part(f"{world.name}, GAN")
    rows = oppose(model, x, 4000, its.options, part, rates=(1e-3, 1e-3), average=average)
    draw, why = drawing(world, model, average), "a map of noise has no density to ask"
    return Learned(model.parameter_count(), rows[-1]["seconds"], draw, how=why)


# %% From noise back, by many small steps
def ddpm(its: Training) -> Learned:
    """With bits, its bound is one on their probability; with real numbers, its flow has a density."""
    world, size = its.world, its.world.observed.shape[1]
    network = TimeMLP(size, HIDDEN, 2 * size, rng=its.rng.child("ddpm"))
    schedule = cosine_schedule(NOISE_STEPS)
    if world.bits:  # noise that hides no bit costs the bound much, and teaches nothing
        schedule = schedule.starting_at(FINEST)
    model = DDPM(network, schedule, (size,), "learned", "v", 2 if world.bits else None)
    average = ExponentialMovingAverage(model.parameters(), 0.998)
    seconds = its.fit("diffusion", model, signs(world, world.observed), 4000, average=average)
    rng = its.rng.child("ddpm", "bound")

    def bound(x: np.ndarray) -> np.ndarray:
        with average.applied():
            return -sg.asnumpy(model.bound(sg.asarray(signs(world, x)), rng))

    def flow(x: np.ndarray) -> np.ndarray:
        with average.applied():
            return sg.asnumpy(model.ode_log_prob(sg.asarray(x), steps=its.quick(40, 5)))

    draw = drawing(world, model, average)
    density = None if world.bits else flow
    return Learned(model.parameter_count(), seconds, draw, bound=bound, flow=density, how="by a bound")


MODELS: dict[str, Callable[[Training], Learned]] = {
    "naive Bayes": naive_bayes,
    "autoregressive": autoregressive,
    "autoencoder": autoencoder,
    "VAE": vae,
    "GAN": gan,
    "diffusion": ddpm,
}


def signs(world: World, x: np.ndarray) -> np.ndarray:
    """Vectors as GAN and diffusion see them: bits as -1 and 1."""
    return 2 * x - 1 if world.bits else x


def drawing(world: World, model: Any, average: ExponentialMovingAverage) -> Draw:
    """Samples of a model with averaged weights; of signs, the bits."""

    def draw(n: int, rng: sg.RandomStream) -> np.ndarray:
        with average.applied():
            x = sg.asnumpy(sampled(model.sample, n, rng))
        return (x > 0).astype(np.float32) if world.bits else x

    return draw
