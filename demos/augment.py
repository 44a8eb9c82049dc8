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
from typing import Literal

import tyro

import scratchgen as sg
from demos import _augment_models, _augment_page, _augment_scans, _judge, _lesson, _small_models
from demos._augment_models import Examples
from scratchgen import data
from scratchgen.nn import Module
from scratchgen.training import Run

COUNTS, STEPS = (5, 10, 20, 50), 300
"""Pictures of each class; steps of the classifier and of the GAN (two thirds for VAE and diffusion)."""


@dataclass
class Options(_lesson.Brief):
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

    def settled(self) -> Options:
        """With distortions that suit the data."""
        shift, turn = (1.0, math.pi) if self.data == "scans" else (0.5, 0.15)
        return replace(self, shift=self.shift or shift, turn=self.turn or turn)


# %% Every classifier is the same, is trained as long, and sees as many pictures
def classifier(examples: Examples, options: Options, seed: int) -> Module:
    """A small network, trained on examples."""
    how = _small_models.settings(_lesson.steps(options, STEPS), seed)
    rng = sg.RandomStream(options.seed, "classifier", seed)
    return _small_models.classifier(examples.flat, examples.labels, rng, 2e-3, **how)


def right(network: Module, examples: Examples) -> float:
    """The share of examples to which a classifier gives their labels."""
    return _judge.accuracy(network, examples.flat, examples.labels)


def distorted(real: Examples, options: Options, rng: sg.RandomStream) -> Examples:
    """Examples, each differently distorted."""
    images = data.distorted(sg.asarray(real.images), rng, options.shift or 0.0, options.turn or 0.0)
    return Examples(sg.asnumpy(images), real.labels)


# %% All ways, for one draw of the few: real ones, and beside them distorted or drawn ones, or drawn alone
def ways(known: Examples, options: Options, seed: int) -> tuple[dict[str, Examples], dict[str, Examples]]:
    """What the classifier is trained on, by name; and what was drawn, by model."""
    real, rng = known.repeated(options.each), sg.RandomStream(options.seed, "augment", seed)
    drawn = {
        name: drawer(real, options.each, _lesson.steps(options, STEPS), rng.child(name), seed)
        for name, drawer in _augment_models.DRAWERS.items()
    }
    twisted = distorted(real, options, rng.child("distortions"))
    return (
        {"real": real, "real + distortions": real.with_(twisted)}
        | {f"real + {name}": real.with_(more) for name, more in drawn.items()}
        | {f"{name} alone": more for name, more in drawn.items()}
    ), drawn


def lesson(options: Options, run: Run) -> dict[str, str]:
    """Every number of pictures, every draw of them, every way; and the page."""
    options, few = options.settled(), options.quick
    given = _augment_scans.maps(options.seed) if options.data == "scans" else _lesson.images(options)
    pool, test = Examples(given.train, given.train_labels), Examples(given.test, given.test_labels)
    judge = classifier(pool, options, seed=0)
    seen = _augment_page.Seen(COUNTS[:: 3 if few else 1], right(judge, test))
    for count in seen.counts:
        seen.begin()
        for seed in range(2 if few else options.seeds):
            known = pool.few(count, sg.RandomStream(options.seed, "few", seed))
            sets, drawn = ways(known, options, seed)
            seen.add(
                {name: right(classifier(examples, options, seed), test) for name, examples in sets.items()},
                {name: right(judge, examples) for name, examples in drawn.items()},
            )
        print(seen, flush=True)
    seen.pictures |= {"real\nthe few": known} | {f"{name}\ndrawn": more for name, more in drawn.items()}
    return _augment_page.write(seen, given, options, run)


def main(argv: list[str] | None = None) -> None:
    """`python3 demos augment`."""
    _lesson.main("augment", "Augment", Options, lesson, argv)


if __name__ == "__main__":
    main()
