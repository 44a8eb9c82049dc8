"""Augment: too few pictures, so let a model draw more, and see where that helps.

Somebody has five labelled pictures of each digit, and no hope of more. Shifting and turning them gives others
that are as good. A generative model trained on them draws as many as one likes. But all that it
knows it has from them, and from what its maker assumed; for what one wants to know, theta,

    I(theta; real, drawn)  =  I(theta; real):

drawn pictures add nothing to know. What they can add is the assumption. So we try, and look where it helps.
"""

# %% Settings, all of which are options on the command line: `python3 demos augment --help`
from __future__ import annotations

import math
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import tyro

import scratchgen as sg
from demos import _augment_models, _augment_page, _augment_scans, _lesson
from demos._augment_models import Drawer, Examples
from demos.few_labels import balanced
from scratchgen.data import distorted
from scratchgen.networks import MLP
from scratchgen.nn import Module, functional as F
from scratchgen.training import Run, fit

COUNTS, STEPS = (5, 10, 20, 50), 300
"""Pictures of each class; steps of the classifier and of the GAN (two thirds for VAE and diffusion)."""


@dataclass
class Options(_lesson.Options):
    """Train classifiers on few pictures, with distorted and with drawn ones."""

    data: Literal["digits", "mnist", "fashion", "scans"] = "digits"  # type: ignore[assignment]
    """Images of classes; or heads of which few have a lesion, a fracture or bright spots."""
    seeds: int = 10
    """How often the few pictures are drawn from all."""
    each: int = 100
    """Pictures that are drawn of each class, beside as many repeated real ones."""
    shift: float | None = None
    """Distortions: up to so many pixels; on digits found on training pictures, as the angle was."""
    turn: float | None = None
    """Up to this angle, in radians; a finding may be turned by any."""
    batch_size: tyro.conf.Suppress[int] = 128
    max_minutes: tyro.conf.Suppress[float | None] = None
    resume: tyro.conf.Suppress[Path | None] = None  # its trainings are short, and leave no checkpoint

    def settled(self) -> Options:
        """With distortions that suit the data."""
        shift, turn = limits(self)
        return replace(self, shift=shift, turn=turn)


def limits(options: Options) -> tuple[float, float]:
    """How far distortions go, in pixels and in radians."""
    shift, turn = (1.0, math.pi) if options.data == "scans" else (0.5, 0.15)
    return options.shift or shift, options.turn or turn


# %% A few of many, and the same again and again: every classifier sees as many pictures
def few(pool: Examples, count: int, rng: sg.RandomStream) -> Examples:
    """So many examples of each class, drawn from all."""
    return pool.part(balanced(pool.labels, count * pool.classes, rng))


def repeated(known: Examples, each: int) -> Examples:
    """As many of each class, each example as often as the others of its class, or once more."""
    rows = [np.resize(np.flatnonzero(known.labels == y), each) for y in range(known.classes)]
    return known.part(np.concatenate(rows))


def distortions(known: Examples, options: Options, rng: sg.RandomStream) -> Examples:
    """Repeated examples, each differently distorted."""
    copies = repeated(known, options.each)
    images = distorted(sg.asarray(copies.images), rng, *limits(options))
    return Examples(sg.asnumpy(images), copies.labels)


# %% The classifier is always the same, sees as many pictures, and is trained as long
def classifier(examples: Examples, options: Options, seed: int) -> Module:
    """A small network, trained on examples."""
    sizes = [examples.flat.shape[1], 64, examples.classes]
    network = MLP(sizes, rng=sg.RandomStream(options.seed, "classifier", seed))
    fit(
        lambda x, rng, labels: F.cross_entropy(network(x), labels),
        (examples.flat, examples.labels),
        sg.optim.Adam(network.parameters(), 2e-3),
        steps=_lesson.steps(options, STEPS),
        batch_size=100,
        model=network,
        seed=seed,
        quiet=True,
    )
    return network


def right(network: Module, examples: Examples) -> float:
    """The share of examples to which a classifier gives their labels."""
    with sg.no_grad():
        logits = sg.asnumpy(network(sg.asarray(examples.flat)).data)
    return float(np.mean(logits.argmax(axis=1) == examples.labels))


# %% All ways, for one draw of the few: real ones, and beside them distorted or drawn ones, or drawn alone
def ways(known: Examples, options: Options, seed: int) -> tuple[dict[str, Examples], dict[str, Examples]]:
    """What the classifier is trained on, by name; and what was drawn, by model."""
    real, rng = repeated(known, options.each), sg.RandomStream(options.seed, "augment", seed)
    drawers: dict[str, Drawer] = {
        "VAE": _augment_models.variational,
        "GAN": _augment_models.adversarial,
        "diffusion": _augment_models.diffusion,
    }
    drawn = {
        name: drawer(real, options.each, _lesson.steps(options, STEPS), rng.child(name), seed)
        for name, drawer in drawers.items()
    }
    twice = real.with_(distortions(known, options, rng.child("distortions")))
    return (
        {"real": real, "real + distortions": twice}
        | {f"real + {name}": real.with_(more) for name, more in drawn.items()}
        | {f"{name} alone": more for name, more in drawn.items()}
    ), drawn


def lesson(options: Options, run: Run) -> dict[str, str]:
    """Every number of pictures, every draw of them, every way; and the page."""
    data = _augment_scans.maps(options.seed) if options.data == "scans" else _lesson.images(options)
    pool, test = Examples(data.train, data.train_labels), Examples(data.test, data.test_labels)
    judge = classifier(pool, options, seed=0)
    results: list[dict[str, list[float]]] = []
    agreed: list[dict[str, list[float]]] = []
    counts = COUNTS[:: 3 if options.quick else 1]
    for count in counts:
        results.append({})
        agreed.append({})
        for seed in range(2 if options.quick else options.seeds):
            known = few(pool, count, sg.RandomStream(options.seed, "few", seed))
            sets, drawn = ways(known, options, seed)
            for name, examples in sets.items():
                share = right(classifier(examples, options, seed), test)
                results[-1].setdefault(name, []).append(share)
            for name, examples in drawn.items():
                agreed[-1].setdefault(name, []).append(right(judge, examples))
        means = "  ".join(f"{name}: {np.mean(values):.3f}" for name, values in results[-1].items())
        print(f"{count} a class: {means}", flush=True)
    shown = {"real\nthe few": known} | {f"{name}\ndrawn": examples for name, examples in drawn.items()}
    seen = _augment_page.Seen(counts, results, agreed, right(judge, test), shown)
    return _augment_page.write(seen, data, options, run)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos augment`."""
    _lesson.main("augment", "Augment", Options, lesson, argv)


if __name__ == "__main__":
    main()
