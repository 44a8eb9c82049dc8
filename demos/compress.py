"""Compression: a model that finds images likely needs few bytes to store them.

Whoever knows p(x) can store x in -log2 p(x) bits, and nobody who expects p(x) can do it in fewer on average.
So every likelihood is a file, and here it becomes one: images are compressed by naive Bayes, by NADE, by a
PixelCNN, and by a VAE, which cannot even say its p(x), but gets down to its bound by *bits back*,

    length  =  -log p(x|z) - log p(z) + log q(z|x)   nats for each image, on average minus the ELBO.

What comes back is what went in, bit for bit. Beside them, the programs that everybody has.
"""

# %% Settings, all of which are options on the command line: `python3 demos compress --help`
from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tyro

import scratchgen as sg
from demos import _compress_others, _compress_page, _lesson, _pictures
from scratchgen.coding import compress, decompress
from scratchgen.data import Images, binarise
from scratchgen.models import NADE, VAE, PixelCNN, PixelNaiveBayes
from scratchgen.training import Run, fit, load_checkpoint

STEPS = {"NADE": 2000, "VAE": 3000}
OWN = {  # by the side of the pictures: NADE looks at one pixel after another
    31: STEPS,
    47: {"NADE": 1000, "VAE": 2000},
    64: {"NADE": 300, "VAE": 1000},
}


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Train four models, compress the test images with each, and compare the files."""

    hidden_dim: int = 128
    """Of NADE and of the VAE."""
    latent_dim: int = 12
    channels: int = 16
    """Of the PixelCNN."""
    lr: float = 3e-3
    images: int = 10_000
    """How many test images at most."""
    vae: Path | None = None
    """A run folder of `python3 demos vae --published --data mnist`: its VAE is used instead of a new one."""
    nade: Path | None = None
    """A run folder of `python3 demos autoregressive --published --data mnist --model nade`, likewise."""
    max_minutes: tyro.conf.Suppress[float | None] = None
    resume: tyro.conf.Suppress[Path | None] = None  # its trainings are short, and leave no checkpoint


class Coded(NamedTuple):
    """What one model made of the test images."""

    size: int
    """Bytes of the file."""
    bound: float
    """Bytes of the model's log-likelihood, or of the VAE's bound."""
    model: int
    """Bytes of the model itself: its numbers as they are trained."""
    encoding: float
    decoding: float
    """Seconds."""


# %% Models: each on the pixels it is for, black and white ones (tosses of the greys) or levels of grey
def train(model: Any, data: Images, steps: int, grey: bool, options: Options) -> Any:
    """A model, trained by its own loss."""
    flat = isinstance(model, NADE)

    def loss(x: Any, rng: sg.RandomStream) -> Any:
        x = x if grey else binarise(x, rng)
        return model.loss(x.reshape((len(x), -1)) if flat else x, rng)

    steps = _lesson.steps(options, steps)
    fit(
        loss,
        data.train,
        sg.optim.Adam(model.parameters(), options.lr),
        steps=steps,
        batch_size=options.batch_size,
        schedule=sg.optim.schedules.cosine(options.lr, steps),
        seed=options.seed,
        clip_norm=100.0,
        quiet=True,
    )
    return model


def binary_models(data: Images, options: Options) -> dict[str, Any]:
    """Models of black and white pixels, by name."""
    rng, shape = sg.RandomStream(options.seed, "compress"), data.train.shape[1:]
    enough = _pictures.by_size(OWN, options) if options.data == "folder" else STEPS
    tossed = sg.asnumpy(binarise(sg.asarray(_lesson.some(data.train)), rng.child("toss")))
    models: dict[str, Any] = {"naive Bayes": PixelNaiveBayes().fit(tossed)}
    if (known := _pictures.classes(data)) is not None:
        models[f"naive Bayes, {known} classes"] = PixelNaiveBayes().fit(
            tossed, data.train_labels[: len(tossed)]
        )
    if options.nade is not None:
        models["NADE"] = NADE(math.prod(shape), 500)
        load_checkpoint(options.nade / "checkpoint.npz", model=models["NADE"])
    else:
        nade = NADE(math.prod(shape), options.hidden_dim, rng.child("nade"))
        models["NADE"] = train(nade, data, enough["NADE"], False, options)
    if options.vae is not None:
        from demos._published import network

        models["VAE, bits back"] = network(options.seed, data.train)
        load_checkpoint(options.vae / "checkpoint.npz", model=models["VAE, bits back"])
    else:
        vae = VAE.dense(shape, options.hidden_dim, options.latent_dim, rng=rng.child("vae"))
        models["VAE, bits back"] = train(vae, data, enough["VAE"], False, options)
    return models


def grey_models(data: Images, levels: int, options: Options) -> dict[str, Any]:
    """Models of levels of grey, by name."""
    rng, shape = sg.RandomStream(options.seed, "grey"), data.train.shape[1:]
    models: dict[str, Any] = {"naive Bayes": PixelNaiveBayes(levels).fit(data.train)}
    small = math.prod(shape) * levels <= 2000
    if small or options.data != "folder":
        cnn = PixelCNN(shape, levels, options.channels, layers=4, rng=rng.child("cnn"))
        steps, fewer = (500, options) if small else (300, replace(options, batch_size=32))
        models["PixelCNN"] = train(cnn, data, steps, True, fewer)
    if small:  # a logit for each level of each pixel would otherwise be most of the model
        vae = VAE.dense(
            shape, options.hidden_dim, options.latent_dim, "categorical", levels=levels, rng=rng.child("vae")
        )
        models["VAE, bits back"] = train(vae, data, 2500, True, options)
    return models


# %% Compressing, and back
def code(model: Any, x: np.ndarray, options: Options) -> Coded:
    """A file of images, checked to give them back."""
    x = x.reshape(len(x), -1) if isinstance(model, NADE) else x
    began = time.perf_counter()
    data = compress(model, x)
    between = time.perf_counter()
    if decompress(model, data).tobytes() != x.tobytes():
        raise AssertionError("decompress(compress(x)) is not x")
    seconds = between - began, time.perf_counter() - between
    return Coded(len(data), bound(model, x, options) / 8, size_of(model), *seconds)


def bound(model: Any, x: np.ndarray, options: Options) -> float:
    """The bits that theory allows all images: minus log2 p(x), or minus the ELBO."""
    rng = sg.RandomStream(options.seed, "bound")
    total = 0.0
    with sg.no_grad():
        for i in range(0, len(x), 200):
            part = sg.asarray(x[i : i + 200])
            if isinstance(model, VAE):
                total += float(model.anomaly_score(part, rng, 10).sum())
            else:
                total -= float(sg.asnumpy(model.log_prob(part)).sum())
    return total / math.log(2)


def size_of(model: Any) -> int:
    """Bytes of a model's numbers, four each."""
    known = model.parameter_count
    return 4 * int(known if isinstance(model, PixelNaiveBayes) else known())


# %% The page, and at its end the same with losses: codes rounded to a grid (`_compress_others.py`)
def lesson(options: Options, run: Run) -> dict[str, dict[str, Coded]]:
    """Compress the test images in black and white, in grey, and with losses."""
    data = _lesson.images(options)
    levels = data.levels
    grey = _lesson.some(data.test[: 50 if options.quick and options.data == "folder" else options.images])
    tossed = sg.asnumpy(binarise(sg.asarray(grey), sg.RandomStream(options.seed, "test")))
    found: dict[str, dict[str, Coded]] = {}
    for name, x, models in (
        ("black and white", tossed, binary_models(data, options)),
        (f"{levels} levels", grey, grey_models(data, levels, options)),
    ):
        found[name] = {}
        for kind, model in models.items():
            found[name][kind] = coded = code(model, x, options)
            print(f"{name}: {kind:24} {8 * coded.size / x.size:.4f} bits per pixel")
        others = _compress_others.sizes(x, 2 if name == "black and white" else levels)
        _compress_page.section(name, x, found[name], others, data, run)
    _compress_page.lossy(_compress_others.rate_and_distortion(data, options), data, run)
    return found


def main(argv: list[str] | None = None) -> None:
    """`python3 demos compress`."""
    _lesson.main("compress", "Compression", Options, lesson, argv)


if __name__ == "__main__":
    main()
