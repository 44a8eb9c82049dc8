"""What the lesson on diffusion shows: samples, the way to noise and back, the loss by the time, numbers."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _judge, _lesson, _pictures
from scratchgen import RandomStream, plots
from scratchgen.data import Images
from scratchgen.metrics import density_error, mode_coverage
from scratchgen.models import DDPM, PixelNaiveBayes
from scratchgen.models.diffusion import cosine_schedule
from scratchgen.optim import ExponentialMovingAverage
from scratchgen.plots.explorables import noise
from scratchgen.training import Run, measured, sampled

EQUATION = (
    r"$$L = \mathbb{E} \left\| \epsilon - \epsilon_\theta\left( \sqrt{\bar{\alpha}_t} \, x_0"
    r" + \sqrt{1 - \bar{\alpha}_t} \, \epsilon, \; t \right) \right\|^2$$"
)

PLAY = """
Where the density of the data is known, so is what a network ought to say. On the left: where did a point come
from? On the right: the way back, in few or many steps, with new noise (DDPM) or without (DDIM), from the same
start.
"""


@dataclass
class Painter:
    """A model whose weights have a moving average, and how samples are made of them."""

    model: DDPM
    average: ExponentialMovingAverage
    steps: int
    """How many steps back a sample takes."""
    eta: float
    guidance: float

    def path(self, n: int, rng: RandomStream, steps: int, labels: Any = None) -> Iterator[tuple[int, Any]]:
        """The steps from noise to `n` examples, with classes that the labels ask for."""
        guidance = 0.0 if labels is None else self.guidance
        with self.average.applied():
            yield from self.model.reverse_process(n, rng, steps, self.eta, labels, guidance)

    def draw(self, n: int, rng: RandomStream, labels: Any = None) -> np.ndarray:
        """`n` examples, on the host."""
        steps = min(self.steps, self.model.schedule.steps)

        def end(n: int, rng: RandomStream, labels: Any = None) -> Any:
            *_, (_, x) = self.path(n, rng, steps, labels)
            return x

        return sg.asnumpy(sampled(end, n, rng, labels))

    def images(self, n: int, rng: RandomStream, labels: Any = None) -> np.ndarray:
        """`n` images in [0, 1], of random classes unless labels ask for some."""
        if labels is None and self.model.classes:
            labels = sg.asnumpy(rng.child("labels").integers(0, self.model.classes, (n,)))
        parts = [(i, None if labels is None else labels[i : i + 250]) for i in range(0, n, 250)]
        return grey(np.concatenate([self.draw(min(250, n - i), rng.child(i), part) for i, part in parts]))

    def columns(self) -> np.ndarray | None:
        """The classes of a page's ten columns."""
        return _pictures.columns(self.model.classes)


def grey(x: Any) -> np.ndarray:
    """What the model has in [-1, 1], as grey values in [0, 1], on the host."""
    return (sg.asnumpy(x) / 2 + 0.5).clip(0, 1)


def by_time(painter: Painter, test: Any, rng: RandomStream) -> Any:
    """The chart of what each t has in the loss, and in the bound on the likelihood."""
    T = painter.model.schedule.steps
    times = sorted({int(t) for t in np.geomspace(1, T, min(T, 20)).round()})
    with painter.average.applied():
        terms = [painter.model.terms_at(test, t, rng.child(t)) for t in times]
    named = {"simple": "squared error", "bound": "bound, nats"}
    means = {
        title: np.array([sg.asnumpy(term[name]).mean() for term in terms]) for name, title in named.items()
    }
    return plots.by_time(times, means)


def forward_process(model: DDPM, images: np.ndarray, rng: RandomStream, columns: int = 12) -> np.ndarray:
    """Each image, and what it becomes at some times up to T: (n * columns, *shape), in [0, 1]."""
    x0 = sg.asarray(images * 2 - 1)
    eps = rng.normal(x0.shape)
    times = np.linspace(0, model.schedule.steps, columns).round().astype(int)[1:]
    noisy = [grey(x0), *(grey(model.q_sample(x0, int(t), eps)) for t in times)]
    return np.stack(noisy, axis=1).reshape(-1, *images.shape[1:])  # (n, columns, *shape) to a list


def animate(painter: Painter, run: Run, rng: RandomStream) -> Any:
    """A GIF of noise becoming images, four of each class."""
    steps = min(50, painter.model.schedule.steps)
    labels = _pictures.tiled(painter.columns(), 4)
    frames = [plots.tile(grey(x), columns=10) for _, x in painter.path(40, rng, steps, labels)]
    return plots.animation(frames, run.folder / "reverse-process.gif", seconds=0.08)


def by_solver(painter: Painter, data: Images, options: Any, rng: RandomStream) -> list[list[str]]:
    """The Fréchet distance of samples by few steps: DDIM with and without new noise, and the second order."""
    n, counts = (20, (2,)) if options.quick else (250, (5, 10, 20))
    labels = np.arange(n) % painter.model.classes if painter.model.classes else None

    def distance(steps: int, eta: float | None) -> str:
        stream, given = rng.child(steps), (labels, 0.0 if labels is None else painter.guidance)
        with painter.average.applied():
            if eta is None:
                x = painter.model.ode_sample(n, stream, steps, *given)
            else:
                x = painter.model.ddim_sample(n, stream, steps, eta, *given)
        return f"{_judge.quality(grey(x), data, options).frechet:.1f}"

    table = [["evaluations of the network", *(str(steps) for steps in counts)]]
    names = {"DDIM, new noise": 1.0, "DDIM, no noise": 0.0, "probability flow, second order": None}
    return table + [[name, *(distance(steps, eta) for steps in counts)] for name, eta in names.items()]


def by_steps(painter: Painter, rng: RandomStream) -> dict[str, np.ndarray]:
    """The same noise and classes, brought to an image in few steps and in many, by the probability flow."""
    rows = {}
    for steps in (n for n in (1, 2, 4, 8, 16, 32) if n <= painter.model.schedule.steps):
        with painter.average.applied():
            labels = painter.columns()
            guidance = 0.0 if labels is None else painter.guidance
            x = painter.model.ode_sample(10, rng.child(0), steps, labels, guidance)
        rows[f"{steps} steps" if steps > 1 else "1 step"] = grey(x)
    return rows


class Plane:
    """Eight Gaussians: which bumps are reached, how many points lie on one, how far the density is off."""

    levels = None

    def __init__(self, options: Any, run: Run) -> None:
        self.run, self.rng, self.quick = run, RandomStream(options.seed, "toy"), options.quick
        self.world = sg.data.toy.eight_gaussians()
        self.examples = self.world.sample(10_000, self.rng.child("real"))

    def write(self, painter: Painter, rows: list[dict[str, float]]) -> _lesson.Outcome:
        """The page."""
        world, rng = self.world, self.rng
        points, test = painter.draw(10_000, rng.child("draw")), world.sample(500, rng.child("test"))
        covered = mode_coverage(points, world.centres, world.sigma)
        yardstick = density_error(world.sample(10_000, rng.child("yardstick")), world)
        with painter.average.applied():
            bound = float(sg.asnumpy(painter.model.bound(test, rng.child("bound"), steps=100)).mean())
            flow = -sg.asnumpy(painter.model.ode_log_prob(test, steps=5 if self.quick else 60))
        true = -sg.asnumpy(world.log_prob(test))
        numbers = {
            "bumps covered": f"{covered.covered:.0f} of 8",
            "points on a bump": f"{covered.precise:.1%} (data 98.9%)",
            "density error": f"{density_error(points, world):.3f} (as many data {yardstick:.3f})",
            "bound on -log p(x)": f"{bound:.3f} nats (truth {true.mean():.3f})",
            "-log p(x), by the flow": f"{flow.mean():.3f} nats (off by {np.abs(flow - true).mean():.3f})",
            "parameters": f"{painter.model.parameter_count():,}",
        }
        steps = min(100, painter.model.schedule.steps)
        way = {f"t = {t:,}": x for t, x in painter.path(2000, rng.child("way"), steps)}
        shown = [[*way][round(share * steps)] for share in (0, 0.5, 0.7, 0.8, 0.88, 0.94, 0.98, 1)]
        self.run.section(
            "Diffusion on eight Gaussians",
            f"{EQUATION}\n\nThe density error is the total variation distance on a grid: 0 is right, 1 is "
            "nothing in common. The bound is in nats per point.",
            numbers=numbers,
            pictures={
                "From noise to data": plots.clouds({title: way[title] for title in shown}, world),
                "The same, in motion": self.animate(way),
                "The terms of the loss, by the time t": by_time(painter, test, rng.child("terms")),
                "Training": plots.curves(rows),
            },
        )
        play = noise(world, cosine_schedule(1000), "Turn t, drag the ring, and choose how to go back")
        self.run.section("Diffusion: the best possible network", PLAY, explorables=[play])
        return _lesson.outcome(painter.model, numbers, rows, painter.draw)

    def animate(self, way: dict[str, Any]) -> Path:
        """A GIF of the way from noise, in about 25 of its steps."""
        titles = [*way][:: max(1, len(way) // 25)]
        still = {title: sg.asnumpy(way[title])[:1000] for title in dict.fromkeys([*titles, [*way][-1]])}
        frames = plots.cloud_frames(still, self.world)
        return plots.animation(frames, self.run.folder / "reverse-process.gif", seconds=0.12)


class Pictures:
    """Images, of a class that is asked for."""

    def __init__(self, options: Any, run: Run) -> None:
        self.options, self.run, self.data = options, run, _lesson.images(options)
        x, self.levels = self.data.train * 2 - 1, self.data.levels
        self.examples = (x, self.data.train_labels) if _pictures.classes(self.data) else x

    def write(self, painter: Painter, rows: list[dict[str, float]]) -> _lesson.Outcome:
        """The page."""
        data, options, rng = self.data, self.options, RandomStream(self.options.seed, "page")
        drawn = _judge.draw(painter.images, data, options)
        numbers, test = measure(painter, drawn, data, options), sg.asarray(data.test[:100] * 2 - 1)
        forward = forward_process(painter.model, data.test[:4], rng.child("forward"))
        of_each_class = painter.images(60, rng.child("grid"), _pictures.tiled(painter.columns(), 6))
        told = f"Samples take a guidance of {options.guidance:g}." if painter.model.classes else ""
        self.run.section(
            f"Diffusion on {data.name}",
            f"{EQUATION}\n\nThe network predicts {options.prediction}"
            f"{', knows the class' * bool(told)}, and its variance is {options.variance}. {told} The "
            "bits/dim are a bound for test images without their class, by a tenth of the times.",
            numbers=numbers,
            pictures={
                _pictures.column_title(data): plots.image_grid(of_each_class),
                "Adding noise: the forward process": plots.image_grid(forward, columns=12),
                "Taking it away: the reverse process": animate(painter, self.run, rng.child("reverse")),
                "The same noise, in fewer and in more steps": plots.image_rows(by_steps(painter, rng)),
                "The terms of the loss, by the time t": by_time(painter, test, rng.child("terms")),
                "Training": plots.curves(rows),
            },
        )
        self.run.section(
            "Diffusion: quality against steps",
            "The Fréchet distance of samples, by how often the network was asked. It depends on the number "
            "of samples too, here fewer than above: compare within this table.",
            table=by_solver(painter, data, options, rng.child("solvers")),
        )
        self.run.section("Diffusion: layers", table=_lesson.layer_table(painter.model))
        return _lesson.outcome(painter.model, numbers, rows, painter.images, drawn)


def measure(painter: Painter, drawn: _judge.Drawn, data: Images, options: Any) -> dict[str, str]:
    """The numbers of the page."""
    rng, model = RandomStream(options.seed, "measure"), painter.model
    n, free = 50 if options.quick else 250, {}
    if model.classes:
        any_class = _judge.quality(grey(painter.draw(n, rng.child("any"))), data, options)
        free["sure without guidance or class"] = f"{any_class.confident:.1%}"
    test = sg.asarray(data.test[:100] * 2 - 1)
    with painter.average.applied():
        steps = min(5 if options.quick else 100, model.schedule.steps)
        bits = float(sg.asnumpy(measured(model.bits_per_dim, test, rng.child("bits"), steps=steps)).mean())
    return {
        **_judge.described(drawn.quality),
        **free,
        "bits/dim": f"{bits:.2f} (naive Bayes {naive_bayes_bits(data):.2f})",
        "parameters": f"{model.parameter_count():,}",
    }


def naive_bayes_bits(data: Images) -> float:
    """What pixels cost that are independent of each other: the floor that a model has to beat."""
    model = PixelNaiveBayes(data.levels).fit(data.train)
    return -float(np.mean(model.log_prob(data.test))) / (math.prod(data.shape) * math.log(2))
