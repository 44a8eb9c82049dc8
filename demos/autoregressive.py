"""Autoregressive models: one pixel after another, and an exact likelihood.

Whatever the distribution, the chain rule of probability writes it as a product,

    log p(x)  =  sum_d log p(x_d | x_1 .. x_(d-1)),

and a network can learn the factors, if pixel d never sees itself or a later one. NADE has a hidden layer for
each pixel, all with the same weights; MADE is an ordinary network with masks; a PixelCNN is made of masked
convolutions. All three are trained by their likelihood, as it is. Only drawing is slow: pixel by pixel.
"""

# %% Settings, all of which are options on the command line: `python3 demos autoregressive --help`
from __future__ import annotations

import math
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

import scratchgen as sg
from demos import _lesson
from scratchgen import plots
from scratchgen.data import Images, binarise
from scratchgen.models import MADE, NADE, PixelCNN, PixelNaiveBayes
from scratchgen.models.autoregressive.reading import conditionals
from scratchgen.training import Run, every, fit

EQUATION = r"$$\log p(x) = \sum_d \log p(x_d \mid x_1, \ldots, x_{d-1})$$"
STEPS = {
    "digits": {"nade": 2000, "made": 2000, "pixelcnn": 500},
    "images": {"nade": 10_000, "made": 10_000, "pixelcnn": 1000},
    "published": {"nade": 300_000, "pixelcnn": 18_000},
}
PUBLISHED = {"nade": 85.65, "pixelcnn": 81.45}
"""Nats per test image of dynamically binarised MNIST, as pytorch-generative's README has them."""


@dataclass
class Options(_lesson.Options):
    """Train NADE, MADE and a PixelCNN on binary images, and compare what they say and draw."""

    model: Literal["all", "nade", "made", "pixelcnn"] = "all"
    steps: int | None = None
    """Training steps; unless given, what suits each model."""
    hidden_dim: int = 500
    """Of NADE's and MADE's hidden layers."""
    channels: int = 32
    """The width of the PixelCNN."""
    layers: int = 7
    """The gated convolutions of the PixelCNN."""
    lr: float = 2e-3
    published: bool = False
    """Train for hours, with --data mnist and --model nade or pixelcnn, to be compared with published nats."""

    def check(self) -> None:
        """What all lessons check, and that the published numbers are compared on the same data."""
        super().check()
        if self.published and (self.data != "mnist" or self.model not in PUBLISHED):
            raise SystemExit("--published: needs --data mnist, and --model nade or pixelcnn")


# %% The models: two of them read vectors, one reads images
def build(name: str, shape: tuple[int, ...], options: Options) -> Any:
    """An untrained model of images of a shape."""
    rng, dim = sg.RandomStream(options.seed, name), math.prod(shape)
    if name == "pixelcnn":
        return PixelCNN(shape, channels=options.channels, layers=options.layers, rng=rng)
    return NADE(dim, options.hidden_dim, rng) if name == "nade" else MADE(dim, [options.hidden_dim] * 2, rng)


def shaped(model: Any, x: Any) -> Any:
    """Images as the model reads them."""
    return x if isinstance(model, PixelCNN) else x.reshape((len(x), -1))


# %% Training: the negative log-likelihood itself. Grey pixels become coin tosses, anew in every step.
def train(name: str, data: Images, options: Options, run: Run) -> tuple[Any, list[dict[str, float]]]:
    """A model, and the rows of its log."""
    model = build(name, data.train.shape[1:], options)
    world = "published" if options.published else "digits" if options.data == "digits" else "images"
    steps = _lesson.steps(options, STEPS[world][name])
    few = tosses(data.test[:500], options)
    rows = fit(
        lambda x, rng: model.loss(shaped(model, binarise(x, rng))),
        data.train,
        sg.optim.Adam(model.parameters(), options.lr),
        steps=steps,
        batch_size=options.batch_size,
        schedule=sg.optim.schedules.cosine(options.lr, steps),
        clip_norm=100.0,
        model=model,
        seed=options.seed,
        run=run,
        resume=_lesson.resumption(run),
        on_step=[every(max(1, steps // 20), lambda step: {"test loss": -nats(model, few)})],
    )
    return model, rows


# %% Measuring: no bound, no estimate. The same binary test images for all.
def tosses(images: np.ndarray, options: Options) -> Any:
    """Test images as zeros and ones."""
    return binarise(sg.asarray(images), sg.RandomStream(options.seed, "test"))


def nats(model: Any, x: Any) -> float:
    """The mean of log p(x), exact."""
    with sg.no_grad():
        parts = [model.log_prob(shaped(model, x[i : i + 100])) for i in range(0, len(x), 100)]
    return float(np.mean(np.concatenate([sg.asnumpy(part) for part in parts])))


# %% Completing: what was drawn and what is given are the same to such a model
def complete(model: PixelCNN, images: Any, rng: sg.RandomStream) -> Any:
    """The images with their lower halves drawn anew."""
    x, height = images.copy(), images.shape[2]
    u = rng.uniform(x.shape)
    with sg.no_grad():
        for place, logits in conditionals(model.network, x):
            if place[2] >= height // 2:
                x[place] = u[place] < sg.sigmoid(logits[:, 1] - logits[:, 0])
    return x


def completions(model: PixelCNN, images: Any, options: Options) -> Any:
    """The picture of images, of what is given of them, and of three ways to go on."""
    streams = [sg.RandomStream(options.seed, "complete", i) for i in range(3)]
    rows = {"binarised\ntest images": sg.asnumpy(images), "what is given": sg.asnumpy(images).copy()}
    rows["what is given"][:, :, images.shape[2] // 2 :] = 0.5
    rows |= {f"completed, {i + 1}": sg.asnumpy(complete(model, images, r)) for i, r in enumerate(streams)}
    return plots.image_rows(rows)


# %% The page
def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train the models and put their numbers and pictures on the run's page."""
    data = _lesson.images(options)
    test, shape = tosses(data.test, options), data.train.shape[1:]
    names = ["nade", "made", "pixelcnn"] if options.model == "all" else [options.model]
    greys = binarise(sg.asarray(data.train), sg.RandomStream(options.seed, "naive"))
    naive = -PixelNaiveBayes().fit(sg.asnumpy(greys)).log_prob(sg.asnumpy(test)).mean()
    table = [["", "parameters", "nats per image", "bits/dim", "training, s", "drawing, ms per image"]]
    table += [["naive Bayes", f"{math.prod(shape):,}", f"{naive:.2f}", bits(naive, shape), "", ""]]
    pictures, drawn = {}, {"binarised\ntest images": sg.asnumpy(test)}
    for name in names:
        model, rows = train(name, data, options, run.part(name))
        surprise, began = -nats(model, test), time.perf_counter()
        samples = model.sample(64, sg.RandomStream(options.seed, "draw"))
        milliseconds = 1000 * (time.perf_counter() - began) / 64
        drawn[name] = sg.asnumpy(samples).reshape(64, *shape)
        seconds = rows[-1]["seconds"]
        table += [[name, f"{model.parameter_count():,}", f"{surprise:.2f}", bits(surprise, shape)]]
        table[-1] += [f"{seconds:.0f}", f"{milliseconds:.2g}"]
        pictures[f"Training of {name}"] = plots.curves(rows)
        if name in PUBLISHED and options.data == "mnist":
            table += [
                [f"{name}, published", "", f"{PUBLISHED[name]:.2f}", bits(PUBLISHED[name], shape), "", ""]
            ]
    if isinstance(model, PixelCNN):
        pictures = {"Lower halves drawn anew": completions(model, test[:10], options)} | pictures
    pictures = {"Real images, and samples of each model": plots.image_rows(drawn)} | pictures
    run.section(f"Autoregressive models on {data.name}", EXPLANATION, table=table, pictures=pictures)
    for row in table:
        print("".join(f"{cell:>{22 if i else 20}}" for i, cell in enumerate(row)))
    numbers = {"-log p(x)": f"{surprise:.2f} nats = {bits(surprise, shape)} bits/dim"}

    def sample(n: int, rng: sg.RandomStream) -> np.ndarray:
        return sg.asnumpy(model.sample(n, rng)).reshape((n, *shape))

    return _lesson.Outcome(numbers, model.parameter_count(), seconds, sample)


def bits(surprise: float, shape: tuple[int, ...]) -> str:
    """Nats per image as bits per pixel."""
    return f"{surprise / (math.prod(shape) * math.log(2)):.3f}"


EXPLANATION = f"""
{EQUATION}

Each pixel is black or white: a coin toss of its grey value. The likelihoods are exact, on test images that
are the same for all models; naive Bayes draws each pixel alone. Half an image can be given to a PixelCNN, and
the rest drawn: to it, a pixel that is given and one that it drew itself are the same.
"""


def main(argv: list[str] | None = None) -> None:
    """`python3 demos autoregressive`."""
    _lesson.main("autoregressive", "Autoregressive models", Options, lesson, argv)


if __name__ == "__main__":
    main()
