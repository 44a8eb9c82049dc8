"""What the GAN's lesson shows: the plane, where the density is known, and images, which a judge looks at."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _judge, _lesson, _pictures
from scratchgen import plots
from scratchgen.metrics import density_error, diversity, mode_coverage, nearest_neighbour_ratio
from scratchgen.models import GAN
from scratchgen.optim import ExponentialMovingAverage
from scratchgen.plots.explorables import duel, targets
from scratchgen.training import Run, sampled

VALUE = r"$$&\max_D \; \mathbb{E} \log D(x) + \mathbb{E} \log (1 - D(G(z))) \\"
EQUATIONS = {  # a line for each player, so that a phone shows them whole
    "non-saturating": VALUE + r" &\max_G \; \mathbb{E} \log D(G(z))$$",
    "minimax": VALUE + r" &\min_G \; \text{ of the same}$$",
    "wasserstein-gp": r"$$&\max_f \; \mathbb{E} f(x) - \mathbb{E} f(G(z))"
    r" - \lambda \, \mathbb{E} (\|\nabla f(x')\| - 1)^2 \\"
    r" &\max_G \; \mathbb{E} f(G(z))$$",
}

PLAY = """
Both players are small enough to be trained here, before your eyes. The black line is the discriminator, the
dashed one the best there is, the arrows are the generator's gradients. What if the generator learns as fast?
"""
HINT = "Train, or take one step at a time"


@dataclass
class Forger:
    """A GAN whose generator has a moving average: samples come from that, as images in [0, 1]."""

    model: GAN
    average: ExponentialMovingAverage

    def draw(self, n: int, rng: sg.RandomStream, labels: Any = None) -> np.ndarray:
        """`n` examples, on the host."""
        with self.average.applied():
            return sg.asnumpy(sampled(self.model.sample, n, rng, labels))

    def images(self, n: int, rng: sg.RandomStream, labels: Any = None) -> np.ndarray:
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


class Plane:
    """Eight Gaussians: which bumps are reached, how many points lie on one, how far the density is off."""

    def __init__(self, options: _lesson.Options, run: Run) -> None:
        self.run, self.rng = run, sg.RandomStream(options.seed, "toy")
        self.world = sg.data.toy.eight_gaussians()
        self.examples = self.world.sample(10_000, self.rng.child("real"))
        self.snapshots: dict[str, np.ndarray] = {}

    def observe(self, forger: Forger, step: int) -> dict[str, float]:
        """What is logged in the course of training."""
        points = forger.draw(10_000, self.rng.child("observe"))
        self.snapshots[f"step {step:,}"] = points[:2000]
        found = mode_coverage(points, self.world.centres, self.world.sigma)
        error = density_error(points, self.world)
        return {"bumps covered": found.covered, "points on a bump": found.precise, "density error": error}

    def animate(self) -> Path:
        """A GIF of where the same noise was sent while the two were trained."""
        frames = plots.cloud_frames({title: x[:1000] for title, x in self.snapshots.items()}, self.world)
        return plots.animation(frames, self.run.folder / "training.gif", seconds=0.3)

    def write(self, forger: Forger, rows: list[dict[str, float]]) -> _lesson.Outcome:
        """The page."""
        observed = self.observe(forger, int(rows[-1]["step"]))
        yardstick = density_error(self.world.sample(10_000, self.rng.child("yardstick")), self.world)
        real, drawn = sg.asnumpy(self.examples[:1000]), forger.draw(1000, self.rng.child("diversity"))
        numbers = {
            "bumps covered": f"{observed['bumps covered']:.0f} of 8",
            "points on a bump": f"{observed['points on a bump']:.1%} (data 98.9%)",
            "density error": f"{observed['density error']:.3f} (as many data {yardstick:.3f})",
            "diversity": str(diversity(drawn, real)),
            "parameters": f"{forger.model.parameter_count():,}",
        }
        titles = [*self.snapshots]
        shown = [titles[i] for i in np.linspace(0, len(titles) - 1, min(7, len(titles))).astype(int)]
        clouds = {"the data": self.examples[:2000]} | {title: self.snapshots[title] for title in shown}
        self.run.section(
            "GAN on eight Gaussians",
            f"{forger.premise()} The density error is the total variation distance on "
            "a grid: 0 is right, 1 is nothing in common.",
            numbers=numbers,
            pictures={
                "Points of the generator on the density of the data": plots.clouds(clouds, self.world),
                "The same noise in the course of training": self.animate(),
                "Training": plots.curves(rows),
            },
        )
        self.run.section("GAN: the same game with one number", PLAY, explorables=[duel(targets(), HINT)])
        return _lesson.outcome(forger.model, numbers, rows, forger.draw)


class Pictures:
    """Images, of a class that is asked for."""

    def __init__(self, options: _lesson.Options, run: Run) -> None:
        self.options, self.run, self.data = options, run, _lesson.images(options)
        x, self.classes = self.data.train * 2 - 1, _pictures.classes(self.data)
        self.examples = (x, self.data.train_labels) if self.classes else x
        self.shown = _pictures.columns(self.classes)
        self.watch = sg.RandomStream(options.seed, "watch")
        self.frames = run.folder / "frames"  # kept there, since a run may be interrupted
        self.frames.mkdir(exist_ok=True)

    def observe(self, forger: Forger, step: int) -> dict[str, float]:
        """Whether samples are nearer to one training image than to all others (0), and their spread."""
        images = forger.images(256, self.watch)
        few = forger.images(40, self.watch.child("frames"), _pictures.tiled(self.shown, 4))
        np.save(self.frames / f"{step:07}.npy", plots.tile(few, columns=10).astype(np.float16))
        found = diversity(images, self.data.test)
        ratio = float(np.median(nearest_neighbour_ratio(images, _lesson.some(self.data.train[:2000]))))
        return {"nearest-neighbour ratio": ratio, "spread": found.spread, "recall": found.recall}

    def animate(self) -> Path:
        """A GIF of what the same noise became while the two were trained."""
        frames = [np.load(file).astype(np.float32) for file in sorted(self.frames.glob("*.npy"))]
        return plots.animation(frames, self.run.folder / "training.gif", seconds=0.25)

    def write(self, forger: Forger, rows: list[dict[str, float]]) -> _lesson.Outcome:
        """The page."""
        rng = sg.RandomStream(self.options.seed, "page")
        drawn = _judge.draw(forger.images, self.data, self.options)
        verdict = str(diversity(drawn.samples, self.data.test))
        numbers = {
            **_judge.described(drawn.quality),
            "diversity": verdict,
            "parameters": f"{forger.model.parameter_count():,}",
        }
        of_each_class = forger.images(60, rng.child("grid"), _pictures.tiled(self.shown, 6))
        arcs = between(forger, rng)
        arc = "From one noise to another" + ", in each class" * bool(self.classes)
        told = "Generator and discriminator are told the class. " if self.classes else ""
        self.run.section(
            f"GAN on {self.data.name}",
            f"{forger.premise()} {told}Verdict on the samples' diversity: {verdict}.",
            numbers=numbers,
            pictures={
                _pictures.column_title(self.data): plots.image_grid(of_each_class),
                "How the same noise became images in the course of training": self.animate(),
                arc: plots.image_grid(arcs, columns=12),
                "Training": plots.curves(rows),
            },
        )
        self.run.section("GAN: layers", table=_lesson.layer_table(forger.model))
        return _lesson.outcome(forger.model, numbers, rows, forger.images, drawn)


def arcs(start: np.ndarray, end: np.ndarray, columns: int = 12) -> np.ndarray:
    """Codes on the arcs between two of N(0, I), which are as long as such codes are: (n, columns, dim)."""
    angles = np.linspace(0, np.pi / 2, columns)[:, None]
    return (np.cos(angles) * start[:, None] + np.sin(angles) * end[:, None]).astype(np.float32)


def between(forger: Forger, rng: sg.RandomStream, columns: int = 12) -> np.ndarray:
    """Images on an arc of the noise, the same for each of ten classes at most: (rows * columns, *shape)."""
    start, end = sg.asnumpy(rng.child("ends").normal((2, 1, forger.model.latent_dim)))
    rows = min(10, forger.model.classes or 1)
    arc = arcs(start, end, columns)[0]
    z, labels = np.tile(arc, (rows, 1)), sg.asarray(np.repeat(np.arange(rows), columns))
    with forger.average.applied(), sg.no_grad():
        images = sg.asnumpy(forger.model.eval()(sg.asarray(z), labels if forger.model.classes else None))
    forger.model.train()
    return images / 2 + 0.5
