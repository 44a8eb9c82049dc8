"""What the lesson on latent diffusion shows: two ways to the same images, their costs, their quality."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _judge, _lesson, _pictures
from scratchgen import RandomStream, plots
from scratchgen.data import Images, avatars
from scratchgen.metrics import score_images
from scratchgen.models import DDPM, LatentDiffusion
from scratchgen.optim import ExponentialMovingAverage
from scratchgen.training import Run

STEPS = (5, 10, 20)
CLOSE = 1.1
"""Up to this ratio of a quality to another the two count as equal."""


@dataclass(frozen=True, eq=False)
class Rival:
    """A diffusion model, of codes or of pixels, and how its samples become images."""

    name: str
    ddpm: DDPM
    average: ExponentialMovingAverage
    shown: Callable[[Any], np.ndarray]
    seconds: float
    """Of its training."""
    latent: LatentDiffusion | None = None

    @property
    def parameters(self) -> int:
        """Of all that is needed for a sample."""
        return (self.latent or self.ddpm).parameter_count()

    def images(
        self, n: int, rng: RandomStream, steps: int, guidance: float, labels: Any = None
    ) -> np.ndarray:
        """`n` images in [0, 1], of random classes unless labels ask for some; so many steps of the flow."""
        known = self.ddpm.classes
        if known is not None and labels is None:
            labels = sg.asnumpy(rng.child("labels").integers(0, known, (n,)))
        blocks = []
        for i in range(0, n, 250):
            some = None if labels is None else labels[i : i + 250]
            weight = 0.0 if labels is None else guidance
            with self.average.applied():
                x = self.ddpm.ode_sample(min(250, n - i), rng.child(i), steps, some, weight)
            blocks.append(self.shown(x))
        return np.concatenate(blocks)

    def milliseconds(self, batch: int = 100, repeats: int = 3) -> float:
        """What one evaluation of the network costs for each image of a batch: the fastest of several."""
        x = RandomStream(0).normal((batch, *self.ddpm.shape))
        labels = None if self.ddpm.classes is None else np.zeros(batch, np.int64)
        with sg.no_grad():
            self.ddpm(x, 1, labels)
            return 1000 * min(timed(lambda: self.ddpm(x, 1, labels)) for _ in range(repeats)) / batch


def timed(work: Callable[[], Any]) -> float:
    """Seconds that some work takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def images(options: Any) -> Images:
    """The images that ``--data`` names; portraits of people have no classes, and each label is -1."""
    if options.data != "avatars":
        return _lesson.images(options)
    rng = RandomStream(options.seed, "people")
    people = [avatars.draw(avatars.sample(n, rng.child(i))) for i, n in enumerate((1000, 500))]
    none = [np.full(len(x), -1, np.int64) for x in people]
    return Images("avatars", people[0], none[0], people[1], none[1], 256)


def quality(samples: np.ndarray, data: Images, options: Any) -> dict[str, float]:
    """The first number is the one by which the two are compared: less is better."""
    if options.data == "avatars":
        seen = avatars.read(data.train).rows
        scores = score_images(samples, RandomStream(0), observed=seen, resamples=50)
        values = {name: getattr(scores, name).value for name in ("total_variation", "validity", "novelty")}
        return {name.replace("_", " "): value for name, value in values.items()}
    found = _judge.quality(samples, data, options)
    sure = {"judge is sure": found.confident} if _pictures.classes(data) else {}
    return {"Fréchet distance": found.frechet, **sure, "copies": found.copies}


def write(
    latent: Rival, pixels: Rival, seconds: float, data: Images, options: Any, run: Run
) -> dict[str, str]:
    """The page; the numbers that the tour would show."""
    assert latent.latent is not None
    n, rng = 50 if options.quick else 500, RandomStream(options.seed, "page")
    counts = STEPS[:1] if options.quick else STEPS
    real, rebuilt = (
        data.test[: 2 * n],
        latent.shown(latent.latent.encode(sg.asarray(data.test[: 2 * n]), rng)),
    )
    drawn, costs, scores = {}, {}, {}
    for rival in (latent, pixels):
        for steps in counts:
            began = time.perf_counter()
            drawn[rival.name, steps] = rival.images(n, rng.child("draw"), steps, options.guidance)
            costs[rival.name, steps] = 1000 * (time.perf_counter() - began) / n
            scores[rival.name, steps] = quality(drawn[rival.name, steps], data, options)
    best = counts[-1]
    ceiling, each = quality(rebuilt, data, options), {r.name: r.milliseconds() for r in (latent, pixels)}
    of_real = quality(data.train[: 2 * n], data, options)
    bound = nats(latent, data, options, rng.child("bound"))
    patch = pixels.ddpm.network.network.size
    place = {r.name: " x ".join(str(k) for k in r.ddpm.shape) for r in (latent, pixels)}
    table = [
        ["", "diffusion of codes", "diffusion of pixels"],
        ["what is diffused", place["codes"], f"{place['pixels']}, in squares of {patch} x {patch}"],
        ["parameters", f"{latent.parameters:,}", f"{pixels.parameters:,}"],
        ["training, s", f"{seconds:.0f} + {latent.seconds:.0f}", f"{pixels.seconds:.0f}"],
        ["the network once, ms per image", f"{each['codes']:.3f}", f"{each['pixels']:.3f}"],
    ]
    for steps in counts:
        for key in scores["codes", steps]:
            line = [f"{steps} steps: {key}"]
            table.append(line + [f"{scores[name, steps][key]:.3g}" for name in ("codes", "pixels")])
        table.append(
            [f"{steps} steps: ms per sample", *(f"{costs[name, steps]:.2g}" for name in ("codes", "pixels"))]
        )
    limits = [["", *ceiling], ["real images, encoded and decoded", *(f"{v:.3g}" for v in ceiling.values())]]
    limits.append(["real images", *(f"{v:.3g}" for v in of_real.values())])
    verdict = judged(costs, scores, each, counts)
    rows = {"real\ntest images": real, "encoded,\ndecoded": rebuilt}
    rows |= {f"{name}\n{best} steps": drawn[name, best] for name in ("codes", "pixels")}
    run.section(
        f"Latent diffusion on {data.name}",
        f"{verdict}\n\n{cost_of_training(seconds, latent, pixels)}\n\nBoth take the same steps of the "
        "probability flow; the time for a sample contains the decoder's.",
        table=table,
        pictures={"Real images, what the autoencoder leaves of them, and samples": plots.image_rows(rows)},
    )
    run.section(
        "What the autoencoder loses",
        "No sample of codes can be expected to be better than real images that were encoded and decoded. "
        f"{bound}",
        table=limits,
    )
    for line in table:
        print("".join(f"{cell:>{26 if i else 34}}" for i, cell in enumerate(line)))
    print(f"\n{verdict}\n{bound}")
    return {"codes against pixels": verdict, "bound": bound}


def judged(costs: Any, scores: Any, each: dict[str, float], counts: tuple[int, ...]) -> str:
    """The verdict, from the numbers of the largest number of steps."""
    best, (key, *_) = counts[-1], scores["codes", counts[-1]]
    cheaper = costs["pixels", best] / costs["codes", best]
    ours, theirs = (scores[name, best][key] for name in ("codes", "pixels"))
    if ours <= CLOSE * theirs:
        how = "better" if ours * CLOSE < theirs else "as good"
        told = f"the {key} is {how}: {ours:.3g} against {theirs:.3g}"
    else:
        told = f"the {key} is worse: {ours:.3g} against {theirs:.3g}"
    cost = f"{cheaper:.1f} times cheaper" if cheaper >= 1 else f"{1 / cheaper:.1f} times dearer"
    return (
        f"A sample of codes is {cost} than one of pixels ({best} steps; the network alone "
        f"{each['pixels'] / each['codes']:.1f} times), and {told}."
    )


def cost_of_training(seconds: float, latent: Rival, pixels: Rival) -> str:
    """What both trainings took."""
    both = seconds + latent.seconds
    return (
        f"Training took {both:.0f} s ({seconds:.0f} of them the autoencoder), against {pixels.seconds:.0f} s."
    )


def nats(latent: Rival, data: Images, options: Any, rng: RandomStream) -> str:
    """Where the bound goes: to the decoder, and to the codes by the learnt prior and by N(0, I)."""
    assert latent.latent is not None
    test = sg.asarray(data.test[: 50 if options.quick else 200])
    labels = None  # the bound of all classes
    with latent.average.applied():
        parts = latent.latent.bound(test, rng, labels, steps=5 if options.quick else 50)
    with sg.no_grad():
        _, kl = latent.latent.autoencoder.elbo_terms(test, rng)
    pixels, codes = (float(sg.asnumpy(parts[name]).mean()) for name in ("reconstruction", "latents"))
    before = float(sg.asnumpy(kl).mean())
    size = math.prod(data.shape)
    return (
        f"The bound on -log p(x), a density of {size:,} numbers, is {pixels + codes:.1f} nats on test "
        f"images: {pixels:.1f} for what the decoder does not know, and {codes:.1f} for the code, which cost "
        f"{before:.1f} when its prior was N(0, I)."
    )
