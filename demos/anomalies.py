"""Anomalies: a hospital with many healthy scans and few ill ones, no two of which are ill in the same way.

Nobody can train a classifier on what was never seen. But an autoencoder can be trained on the healthy alone.
It learns to draw healthy heads; where it fails to draw what it sees, something is there that it never saw:

    score(x) = |x - f(e(x))|^2, summed over the pixels: how strange; and each pixel's part of it: where.

The heads are drawn by a program, so the truth is known for every pixel, and the score can be judged.
"""

# %% Settings, all of which are options on the command line: `python3 demos anomalies --help`
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple

import numpy as np

import scratchgen as sg
from demos import _anomalies_in_turn, _anomalies_page, _lesson, _pictures
from demos._anomalies_others import COMPONENTS, Maps, baselines
from demos._training import learn
from scratchgen.data import scans
from scratchgen.models import VAE, Autoencoder
from scratchgen.training import Run

CODES = {"scans": (32, 64, 128), "mnist": (8, 16, 32), "folder": (8, 16, 32)}
"""Of the autoencoders that are asked together; those of scans are shown noise, too."""
NOISE = 0.1


@dataclass
class Options(_pictures.OwnPictures, _lesson.Options):
    """Train on what is healthy, and find what is not."""

    data: Literal["scans", "mnist", "folder"] = "scans"  # type: ignore[assignment]
    """Heads with and without lesions, drawn here; or MNIST or your own pictures, each class in turn being the
    healthy one."""
    batch_size: int = 64
    hidden_dim: int = 512
    latent_dim: int = 16
    """Of the VAE."""
    lr: float = 2e-3
    false_alarms: float = 0.05
    """The share of healthy scans that may raise an alarm."""

    def fetch(self) -> None:
        """Have the data at hand, with some of each class."""
        super().fetch()
        _pictures.need_classes(self, "each is healthy in turn, and the others are not", least=10)


class Cases(NamedTuple):
    """Pictures of which some are unusual; and where, if that is known."""

    images: np.ndarray
    unusual: np.ndarray
    masks: np.ndarray | None = None


# %% Training, on the healthy alone
def autoencoder(
    healthy: np.ndarray, code: int, options: Options, run: Run, name: str, steps: int, noise: float = 0.0
) -> Autoencoder:
    """An autoencoder with a code of so many numbers, which may have to clean what it sees."""
    rng = sg.RandomStream(options.seed, "anomalies", name, code)
    model = Autoencoder.dense(healthy.shape[1:], options.hidden_dim, code, rng=rng)

    def loss(x: Any, rng: sg.RandomStream) -> Any:
        return model.loss(x, corrupted=x + np.float32(noise) * rng.normal(x.shape) if noise else None)

    learn(model, loss, healthy, steps, options, run.part(f"{name}-{code}"))
    return model


def variational(healthy: np.ndarray, options: Options, run: Run) -> VAE:
    """A VAE, whose bound on log p(x) is a score, too."""
    rng = sg.RandomStream(options.seed, "anomalies", "vae")
    model = VAE.dense(healthy.shape[1:], options.hidden_dim, options.latent_dim, "normal", rng=rng)
    learn(model, model.loss, healthy, 1500, options, run.part("vae"))
    return model


# %% Scores: of each picture, and of each of its pixels. The baselines know what the autoencoder knows.
def error_map(model: Any) -> Maps:
    """Each pixel's part in |x - f(e(x))|^2."""
    return lambda x: (sg.asnumpy(model.reconstruct(sg.asarray(x))) - x) ** 2


def together(maps: list[Maps], healthy: np.ndarray) -> Maps:
    """The mean of several maps, each in units of its own mean on healthy pictures."""
    units = [float(each(healthy[:1000]).mean()) for each in maps]
    return lambda x: np.mean([each(x) / unit for each, unit in zip(maps, units, strict=True)], axis=0)


def scores(maps: np.ndarray) -> np.ndarray:
    """The score of each picture: its map's sum."""
    return maps.reshape(len(maps), -1).sum(axis=1)


# %% The hospital: 2,000 healthy scans to learn from, 1,000 to choose the threshold on, and then the patients
def hospital(options: Options, run: Run) -> _lesson.Outcome:
    """Train on healthy heads, set the threshold on others, and look at new ones, healthy and ill."""
    few, rng = options.quick, sg.RandomStream(options.seed, "hospital")
    healthy = scans.healthy(100 if few else 2000, rng.child("train")).images
    spare = scans.healthy(50 if few else 1000, rng.child("threshold")).images
    well = scans.healthy(50 if few else 500, rng.child("well"))
    ill = scans.anomalous(50 if few else 500, rng.child("ill"))
    cases = Cases(
        np.concatenate([well.images, ill.images]),
        np.arange(len(well.images) + len(ill.images)) >= len(well.images),
        np.concatenate([well.masks, ill.masks]),
    )
    cleaning = [autoencoder(healthy, code, options, run, "cleaning", 2000, NOISE) for code in CODES["scans"]]
    plain = {code: autoencoder(healthy, code, options, run, "plain", 1000) for code in (8, 32, 512)}
    vae = variational(healthy, options, run)
    linear = baselines(healthy, (3, 10, 30, 100, 300, 900))
    chosen = [f"PCA, {k} components" for k in COMPONENTS]
    maps = {name: each for name, each in linear.items() if "PCA" not in name or name in chosen}
    maps["autoencoders"] = together([error_map(model) for model in cleaning], spare)
    numbers = _anomalies_page.write(maps, cleaning[1], vae, (spare, cases, ill), options, run)
    _anomalies_page.failures(plain, linear, cases, ill, run)
    print("  ".join(f"{name}: {value}" for name, value in numbers.items()))

    def sample(n: int, rng: sg.RandomStream) -> np.ndarray:
        return sg.asnumpy(vae.sample(n, rng)).clip(0, 1)

    return _lesson.Outcome(numbers, sum(model.parameter_count() for model in cleaning), 0.0, sample)


def lesson(options: Options, run: Run) -> Any:
    """The hospital; or each class of other pictures in turn (`_anomalies_in_turn.py`)."""
    return hospital(options, run) if options.data == "scans" else _anomalies_in_turn.lesson(options, run)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos anomalies`."""
    _lesson.main("anomalies", "Anomalies", Options, lesson, argv)


if __name__ == "__main__":
    main()
