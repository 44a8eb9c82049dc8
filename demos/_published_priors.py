"""What a prior that is learnt is worth on MNIST, as Tomczak & Welling 2018 asked (their table 1).

Two VAEs, 784-200-200-50, that differ by their prior alone: N(0, I), and a VampPrior of 500 pseudo-inputs that
start at training images. Both see images that were binarised once, with the command's seed: those of the
paper are others, drawn by Larochelle, and so are its networks, so that gains compare, and nats do not.
"""

from __future__ import annotations

from typing import Any

import scratchgen as sg
from demos import _lesson, _published
from scratchgen import plots
from scratchgen.data import binarise
from scratchgen.models import VampPrior
from scratchgen.training import Run, fit

STEPS, LR, COMPONENTS = 20_000, 3e-3, 500
PUBLISHED = {"N(0, I)": 88.56, "VampPrior": 85.57}
"""-log p(x) in nats, one layer of latents, static MNIST, 5,000 importance samples."""


def lesson(options: Any, run: Run) -> dict[str, float]:
    """Train both, measure both on the same test images, and put the table on the page."""
    data = _lesson.images(options)
    rng = sg.RandomStream(options.seed, "priors", "published")
    train, test = (
        sg.asnumpy(binarise(sg.asarray(x), rng.child(name)))
        for name, x in (("train", data.train), ("test", data.test))
    )
    steps, found, pictures = _lesson.steps(options, STEPS), {}, {}
    samples, examples = (50, 100) if options.quick else (1000, len(test))
    for name in PUBLISHED:
        model = _published.network(options.seed, data.train)
        if name == "VampPrior":
            model.prior = VampPrior(train[:COMPONENTS], model.encoder)
        fit(
            model.loss_terms,
            train,
            sg.optim.Adam(model.parameters(), LR, eps=1e-4),
            steps=steps,
            batch_size=options.batch_size,
            schedule=sg.optim.schedules.cosine(LR, steps),
            seed=options.seed,
            run=run.part(name.split("(")[0].lower()),
        )
        _, found[name] = _published.measure(model, sg.asarray(test[:examples]), samples, rng.child("measure"))
        pictures[f"Images from random codes, {name}"] = plots.image_grid(sg.asnumpy(model.sample(40, rng)))
    gain = found["N(0, I)"] - found["VampPrior"]
    table = [["784-200-200-50, MNIST binarised once: -log p(x), nats", "published", "this run"]]
    table += [[name, f"{PUBLISHED[name]:.2f}", f"{value:.2f}"] for name, value in found.items()]
    table += [["gained by the prior", f"{PUBLISHED['N(0, I)'] - PUBLISHED['VampPrior']:.2f}", f"{gain:.2f}"]]
    run.section("A learnt prior on MNIST", __doc__ or "", table=table, pictures=pictures)
    for name, published, ours in table:
        print(f"{name:60} {published:>10} {ours:>10}")
    return found
