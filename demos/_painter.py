"""What the diffusion lesson draws: samples, the way to noise and back, and the loss by the time."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen import plots
from scratchgen.backend import RandomStream
from scratchgen.models import DDPM
from scratchgen.optim import ExponentialMovingAverage
from scratchgen.training import Run


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
        *_, (_, x) = self.path(n, rng, min(self.steps, self.model.schedule.steps), labels)
        return sg.asnumpy(x)

    def images(self, n: int, rng: RandomStream, labels: Any = None) -> np.ndarray:
        """`n` images in [0, 1], of random classes unless labels ask for some."""
        labels = sg.asnumpy(rng.child("labels").integers(0, 10, (n,))) if labels is None else labels
        blocks = [self.draw(min(250, n - i), rng.child(i), labels[i : i + 250]) for i in range(0, n, 250)]
        return grey(np.concatenate(blocks))


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
    labels = np.tile(np.arange(10), 4)
    frames = [plots.tile(grey(x), columns=10) for _, x in painter.path(40, rng, steps, labels)]
    return plots.animation(frames, run.folder / "reverse-process.gif", seconds=0.08)


def by_steps(painter: Painter, rng: RandomStream) -> dict[str, np.ndarray]:
    """The same noise and classes, brought to an image in few steps and in many, without new noise."""
    rows = {}
    for steps in (n for n in (1, 2, 4, 8, 16, 32) if n <= painter.model.schedule.steps):
        with painter.average.applied():
            x = painter.model.ddim_sample(10, rng.child(0), steps, 0.0, np.arange(10), painter.guidance)
        rows[f"{steps} steps" if steps > 1 else "1 step"] = grey(x)
    return rows
