"""The judge: a classifier that says what samples show, trained here once and kept for all lessons.

Pictures without classes have no such judge: of these, samples are compared by their principal components.

It is trained on the labelled training images that the lessons' models learn from, and never on test images.
Training takes seconds on the shipped digits and a minute or two on MNIST, so what it has learnt is kept in
``<out>/judges/``, in a file named after the data and the settings. A file that is damaged, or of other data
or settings, is not used: the judge is trained again.
"""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

import scratchgen as sg
from demos import _lesson, _pictures
from scratchgen.data import Images
from scratchgen.metrics import SampleQuality, sample_quality
from scratchgen.networks import ConvClassifier
from scratchgen.nn import functional as F
from scratchgen.training import CheckpointError, fit, load_checkpoint, save_checkpoint


@dataclass(frozen=True)
class Settings:
    """How a judge is made; its file is named after them."""

    before: int | None
    widths: tuple[int, ...]
    features: int
    steps: int
    batch_size: int
    lr: float
    shifts: bool
    """Whether it is also shown every image moved by a pixel: few images need it, many do not."""


SMALL = Settings(before=32, widths=(64, 64), features=32, steps=700, batch_size=64, lr=4e-3, shifts=True)
LARGE = Settings(before=None, widths=(32, 64), features=64, steps=1900, batch_size=128, lr=3e-3, shifts=False)
OWN = Settings(before=None, widths=(16, 32, 64), features=64, steps=500, batch_size=64, lr=3e-3, shifts=False)
COMPONENTS = 32
QUICK = 40  # steps


def judge(samples: Any, data: Images, options: _lesson.Common) -> dict[str, str]:
    """What the judge says of samples: numbers for the page of a lesson, by name.

    ``run.section(..., numbers={**numbers, **_judge.judge(samples, data, options)})``

    Parameters
    ----------
    samples : array, shape (n, channels, height, width)
        Of the data's shape, clipped to [0, 1] by the caller, on any device. Take a thousand: fewer make the
        numbers uncertain, more cost time.
    data : Images
        What the model learnt from: `_lesson.images(options)`.
    options : Options
        Of which ``out`` says where the judge is kept, and ``quick`` that a poor one will do.
    """
    return described(quality(samples, data, options))


@dataclass(frozen=True, eq=False)
class Drawn:
    """The samples by which a model is judged: the same number for all models, none chosen by hand."""

    samples: np.ndarray
    milliseconds: float
    """The time that drawing took for each sample."""
    quality: SampleQuality


def draw(sample: Callable[[int, sg.RandomStream], Any], data: Images, options: _lesson.Common) -> Drawn:
    """Draw, and measure: a lesson's page and the tour's table show the same numbers."""
    n = 100 if options.quick else 1000
    rng = sg.RandomStream(options.seed, "judged")
    began = time.perf_counter()
    samples = sg.asnumpy(sample(n, rng))
    milliseconds = 1000 * (time.perf_counter() - began) / n
    return Drawn(samples, milliseconds, quality(samples, data, options))


def quality(samples: Any, data: Images, options: _lesson.Common) -> SampleQuality:
    """The numbers themselves, for tables and targets; parameters as for `judge`."""
    known = replace(data, train=_lesson.some(data.train, 100_000_000), test=_lesson.some(data.test))
    judged_by = trained(data, options) if _pictures.classes(data) else Components(known.train)
    return sample_quality(samples, judged_by, known)


class Components:
    """What stands in for the judge of images without classes: their coordinates along a few directions."""

    def __init__(self, train: np.ndarray) -> None:
        flat = train[:2000].reshape(min(len(train), 2000), -1)
        self.mean = flat.mean(axis=0)
        self.axes = np.linalg.svd(flat - self.mean, full_matrices=False)[2][:COMPONENTS].T

    def features(self, x: Any) -> np.ndarray:
        """The coordinates, shape (batch, COMPONENTS)."""
        return (sg.asnumpy(x).reshape(len(x), -1) - self.mean) @ self.axes

    def logits(self, x: Any) -> np.ndarray:
        """Of the only class."""
        return np.zeros((len(x), 1))


def described(found: SampleQuality) -> dict[str, str]:
    """The numbers in words, each with what real images score where that says something."""
    by_classes = {
        "samples the judge is sure of": f"{found.confident:.1%} (test images {found.confident_real:.1%})",
        "rarest class": f"{found.smallest_share:.1%} of samples",
    }
    known = len(found.class_shares) > 1
    where = "" if known else f", {COMPONENTS} principal components"
    return {
        **(by_classes if known else {}),
        f"Fréchet distance{where}": f"{found.frechet:.2f} (real {found.frechet_real:.2f})",
        "nearest training image": f"{found.nearest:.2f} of a test image's distance",
        "copies": f"{found.copies:.1%} (test images {found.copies_real:.1%})",
    }


def trained(data: Images, options: _lesson.Common) -> ConvClassifier:
    """The judge of some images: from its file if there is a good one, else trained now and kept there."""
    settings = SMALL if data.shape[-1] < 16 else OWN if options.own() is not None else LARGE
    if _lesson.briefly(options):
        settings = Settings(**{**asdict(settings), "steps": QUICK})
    model = untrained(data, settings)
    description = {"data": data.name, "sha256": data.fingerprint or fingerprint(data), **asdict(settings)}
    path = place(options.out, description)
    ranks = sg.backend.current_ranks()
    if weights := ranks.once(lambda: kept(path, model, description)):
        model.load_state_dict(weights)
        return model
    print(f"the judge: a classifier of {data.name}, trained once and kept in {path}")
    model = untrained(data, settings)
    train(model, data, settings)
    print(f"the judge: {accuracy(model.logits, data.test, data.test_labels):.2%} of the test images right")

    def keep() -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        save_checkpoint(path, step=settings.steps, configuration=description, model=model)

    ranks.once(keep)
    return model


def kept(path: Path, model: ConvClassifier, description: dict[str, Any]) -> dict[str, np.ndarray] | None:
    """The weights in a judge's file; None if there is none, or it cannot be trusted."""
    try:
        found = load_checkpoint(path, model=model).configuration
    except CheckpointError:
        return None
    # Compared as JSON, which is what a checkpoint keeps.
    return model.state_dict() if found == json.loads(json.dumps(description)) else None


def untrained(data: Images, settings: Settings) -> ConvClassifier:
    """The network that the settings describe, always with the same initial weights."""
    classes = int(data.train_labels.max()) + 1
    rng = sg.backend.RandomStream(0, "judge")
    return ConvClassifier(data.shape, classes, settings.features, settings.widths, settings.before, rng)


def train(model: ConvClassifier, data: Images, settings: Settings) -> None:
    """Raise the probability that the network gives to the labels of the training images."""
    images, labels = data.train, data.train_labels
    if settings.shifts:
        images, labels = with_shifts(images), np.tile(labels, 16)
    fit(
        lambda batch, rng: F.cross_entropy(model.logits(batch[0]), batch[1]),
        (images, labels),
        sg.optim.AdamW(model.parameters(), settings.lr, weight_decay=0.05),
        steps=settings.steps,
        batch_size=settings.batch_size,
        schedule=sg.optim.schedules.cosine(settings.lr, settings.steps),
    )


def with_shifts(images: np.ndarray) -> np.ndarray:
    """Each image eight times, and once moved by a pixel to each of eight sides: (16 n, channels, h, w)."""
    around = np.pad(images, ((0, 0), (0, 0), (1, 1), (1, 1)))
    height, width = images.shape[2:]
    corners = [(y, x) for y in range(3) for x in range(3) if (y, x) != (1, 1)]
    moved = [around[:, :, y : y + height, x : x + width] for y, x in corners]
    return np.concatenate([*[images] * 8, *moved])


def accuracy(logits: Callable[[Any], Any], images: np.ndarray, labels: np.ndarray) -> float:
    """The share of images to which a classifier's logits give their labels."""
    with sg.no_grad():
        blocks = (images[i : i + 500] for i in range(0, len(images), 500))
        named = np.concatenate([sg.asnumpy(logits(sg.asarray(x))).argmax(axis=1) for x in blocks])
    return float(np.mean(named == labels))


def fingerprint(data: Images) -> str:
    """The SHA-256 of all that a judge learns from."""
    digest = hashlib.sha256()
    for array in (data.train, data.train_labels):
        digest.update(repr((array.shape, str(array.dtype))).encode())
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()


def place(out: Path, description: dict[str, Any]) -> Path:
    """Where the judge of that description is kept."""
    key = hashlib.sha256(json.dumps(description, sort_keys=True).encode()).hexdigest()
    return out / "judges" / f"{description['data']}-{key[:12]}.npz"
