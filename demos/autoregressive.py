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
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

import scratchgen as sg
from demos import _lesson, _pictures
from demos._autoregressive_page import Page
from demos._autoregressive_sizes import sized, steps_of
from demos._training import learn
from scratchgen.data import Images, binarise
from scratchgen.models import MADE, NADE, PixelCNN, PixelNaiveBayes
from scratchgen.models.autoregressive.reading import conditionals
from scratchgen.training import Run, every

PUBLISHED = {"nade": 85.65, "pixelcnn": 81.45}
"""Nats per test image of dynamically binarised MNIST, as pytorch-generative's README has them."""


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Train NADE, MADE and a PixelCNN on binary images, and compare what they say and draw."""

    model: Literal["all", "nade", "made", "pixelcnn"] = "all"
    steps: int | None = None
    """Training steps; unless given, what suits each model."""
    hidden_dim: int | None = None
    """Of NADE's and MADE's hidden layers."""
    channels: int | None = None
    """The width of the PixelCNN."""
    layers: int | None = None
    """The gated convolutions of the PixelCNN."""
    lr: float = 2e-3
    published: bool = False
    """Train for hours, with --data mnist and --model nade or pixelcnn, to be compared with published nats."""

    def check(self) -> None:
        """What all lessons check, and that the published numbers are compared on the same data."""
        super().check()
        if self.published and (self.data != "mnist" or self.model not in PUBLISHED):
            raise SystemExit("--published: needs --data mnist, and --model nade or pixelcnn")

    def settled(self) -> Options:
        """With networks that suit the size of the images."""
        names = ("hidden_dim", "channels", "layers")
        return replace(self, **{name: getattr(self, name) or getattr(sized(self), name) for name in names})


# %% The models: two of them read vectors, one reads images
def build(name: str, shape: tuple[int, ...], options: Options) -> Any:
    """An untrained model of images of a shape."""
    rng, dim, size = sg.RandomStream(options.seed, name), math.prod(shape), sized(options)
    if name == "pixelcnn":
        channels, layers = options.channels or size.channels, options.layers or size.layers
        return PixelCNN(shape, channels=channels, layers=layers, rng=rng)
    hidden = options.hidden_dim or size.hidden_dim
    return NADE(dim, hidden, rng) if name == "nade" else MADE(dim, [hidden] * 2, rng)


def shaped(model: Any, x: Any) -> Any:
    """Images as the model reads them."""
    return x if isinstance(model, PixelCNN) else x.reshape((len(x), -1))


# %% Training: the negative log-likelihood itself. Grey pixels become coin tosses, anew in every step.
def train(name: str, data: Images, options: Options, run: Run) -> tuple[Any, list[dict[str, float]]]:
    """A model, and the rows of its log."""
    model = build(name, data.train.shape[1:], options)
    steps = _lesson.steps(options, steps_of(name, options))
    few = tosses(_lesson.some(data.test[:500], 400_000), options)

    def loss(x: Any, rng: sg.RandomStream) -> Any:
        return model.loss(shaped(model, binarise(x, rng)))

    tests = every(max(1, steps // 20), lambda step: {"test loss": -nats(model, few)})
    rows = learn(model, loss, data.train, steps, options, run, clip_norm=100.0, on_step=[tests])
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


# %% Each model in turn; what they say and draw is put on the page (`_autoregressive_page.py`)
def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train the models and put their numbers and pictures on the run's page."""
    data = _lesson.images(options)
    test = tosses(_lesson.some(data.test, 8_000_000), options)
    page = Page(data, sg.asnumpy(test))
    greys = binarise(sg.asarray(_lesson.some(data.train)), sg.RandomStream(options.seed, "naive"))
    naive = PixelNaiveBayes().fit(sg.asnumpy(greys))
    page.row("naive Bayes", -naive.log_prob(page.test).mean(), f"{page.pixels:,}")
    for name in ["nade", "made", "pixelcnn"] if options.model == "all" else [options.model]:
        model, rows = train(name, data, options, run.part(name))
        surprise, began = -nats(model, test), time.perf_counter()
        samples = model.sample(64, sg.RandomStream(options.seed, "draw"))
        page.model(name, model, surprise, rows, samples, (time.perf_counter() - began) / 64)
        if name in PUBLISHED and options.data == "mnist":
            page.row(f"{name}, published", PUBLISHED[name])
    if isinstance(model, PixelCNN):
        streams = [sg.RandomStream(options.seed, "complete", i) for i in range(3)]
        page.completions(test[:10], [complete(model, test[:10], rng) for rng in streams])
    page.write(run)

    def sample(n: int, rng: sg.RandomStream) -> np.ndarray:
        return sg.asnumpy(model.sample(n, rng)).reshape((n, *data.train.shape[1:]))

    numbers = {"-log p(x)": f"{surprise:.2f} nats = {page.bits(surprise)} bits/dim"}
    return _lesson.Outcome(numbers, model.parameter_count(), rows[-1]["seconds"], sample)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos autoregressive`."""
    _lesson.main("autoregressive", "Autoregressive models", Options, lesson, argv)


if __name__ == "__main__":
    main()
