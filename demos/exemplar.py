"""Exemplar GANs: what a picture hides is filled in from another picture of the same person.

On a photograph somebody blinks. Any generative model could paint open eyes; but whose? There is another
photograph of the same person, taken elsewhere, in other clothes. The hole is to be filled as *that* picture
says, and fit in *this* one. Copying the same place does not do it: people move.

Avatars tell how well it is done: what hair and glasses a picture shows can be read back. Beside the GAN stand
a copy, the same GAN without the second picture, a VAE, and the best guess that anybody could make.
"""

# %% Settings, all of which are options on the command line: `python3 demos exemplar --help`
from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

import scratchgen as sg
from demos import _exemplar_others as others, _exemplar_page, _lesson
from demos._training import oppose
from scratchgen.data import avatars
from scratchgen.models import ExemplarGAN
from scratchgen.training import Run

HOLES = {"eyes": ["accessoriesType"], "hair": ["topType", "hairColor"]}
"""What is hidden: every pixel that glasses can change, or every one that hair and its colour can."""


@dataclass
class Options(_lesson.OwnWorld, _lesson.Options):
    """Fill in holes with and without another picture of the same person."""

    people: int = 6000
    """How many are observed, twice each."""
    batch_size: int = 32
    lr: float = 6e-3


# %% [markdown]
# ## What is observed
# A person is hair and glasses. Of each there are two pictures: one to be repaired, with its hole, and the
# exemplar, in other clothes, moved by up to three pixels each way and perhaps mirrored. In P_data red hair is
# mostly frizzy: a generator that meets few others looks at the colour and takes its style. So every second
# one that it learns from is drawn evenly from all looks; those that it is tested on are drawn from P_data.
class Cases(NamedTuple):
    """Pictures with holes."""

    rows: np.ndarray
    images: np.ndarray
    masks: np.ndarray
    exemplars: np.ndarray


def cases(n: int, holes: list[str], rng: sg.RandomStream, evenly: bool = False) -> Cases:
    """`n` people from P_data, or every second evenly, with two pictures each, and the holes in turn."""
    rows = avatars.sample(n, rng.child("people"))
    if evenly:
        numbers = sg.asnumpy(rng.child("evenly").integers(0, len(avatars.all_looks()), (n,)))
        rows = np.where(np.arange(n)[:, None] % 2, rows, avatars.all_looks()[numbers])
    regions = np.stack([avatars.region(HOLES[name]) for name in holes])
    second = avatars.second_pictures(rows, rng.child("second"))
    return Cases(rows, avatars.draw(rows), regions[np.arange(n) % len(regions)], second)


def blank(seen: Cases) -> Cases:
    """The same without the second pictures: grey takes their place."""
    return seen._replace(exemplars=np.full_like(seen.exemplars, 0.5))


# %% [markdown]
# ## The game
# The discriminator sees a complete picture, the mask and the exemplar, and says whether something was filled
# in. The generator is to deceive it, and to come near the picture as it was.
def train(name: str, seen: Cases, options: Options, run: Run, steps: int) -> tuple[ExemplarGAN, Any]:
    """A generator and a discriminator, trained in turn, and the rows of the log."""
    rng = sg.RandomStream(options.seed, "exemplar")
    model = ExemplarGAN.convolutional(avatars.SHAPE, latent_dim=8, rng=rng)
    data, rates = (seen.images, seen.masks, seen.exemplars), (options.lr / 6, options.lr)
    return model, oppose(model, data, steps, options, run.part(name), rates=rates)


# %% Four ways to fill the holes of people who were not observed: both GANs, a VAE, and copying
def lesson(options: Options, run: Run) -> _lesson.Outcome:
    """Train all, fill holes, measure, and write the page."""
    rng = sg.RandomStream(options.seed, "exemplar", "cases")
    seen = cases(options.people, ["eyes", "hair", "hair"], rng.child("seen"), evenly=True)
    knowing, log = train("with-exemplar", seen, options, run, 1200)
    alone, _ = train("without-exemplar", blank(seen), options, run, 600)
    vae, _ = others.train_vae(seen.images, options, run)
    tests = {name: cases(100 if options.quick else 1000, [name], rng.child("test", name)) for name in HOLES}
    filled = {
        name: others.fillings(test, blank(test), knowing, alone, vae, rng.child("fill", name))
        for name, test in tests.items()
    }
    numbers = _exemplar_page.write(tests, filled, seen, log, run)
    return _lesson.outcome(knowing, numbers, log, lambda n, rng: filled["hair"][_exemplar_page.GAN][:n])


def main(argv: list[str] | None = None) -> None:
    """`python3 demos exemplar`."""
    _lesson.main("exemplar", "Exemplar GANs", Options, lesson, argv)


if __name__ == "__main__":
    main()
