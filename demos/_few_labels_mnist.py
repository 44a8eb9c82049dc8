"""MNIST with 100 labels, as it was published: M2 on the codes of a VAE (M1+M2)."""

from __future__ import annotations

from typing import Any

import numpy as np

import scratchgen as sg
from demos import _few_labels_page, _lesson, _weights
from demos._few_labels_ways import coded, nearest
from scratchgen import plots
from scratchgen.models import VAE, SemiSupervisedVAE
from scratchgen.training import Run

LABELS, ACTIVE = 100, 0.01
"""How many are known; the variance of a latent's mean over images from which on it is in use."""
PUBLISHED = {"M1+M2": "3.33 ± 0.14", "M2": "11.97 ± 1.71", "a network on the 100 labels alone": "25.81"}
"""Per cent of wrong answers (Kingma et al. 2014, table 1)."""

HOW = """M1 is the VAE of python3 demos vae --data mnist --published, whose weights lie beside the lessons; it
has seen the training images, and no label. Many of its 50 latents are idle: q(z|x) is the prior, whatever the
image. M2 would spend its bound on explaining noise there, so it gets the active ones alone: {active} of them.

All settings were chosen on 5,000 training images that were left out, whose labels nobody has who has a
hundred; the test images had no say."""

LEARNT = """A row is one style, a column one class: M2 draws the code, and M1's decoder the image. Where the
classes were learnt, a column is one digit, and a row one hand: its slant and its width.

What fails: some clusters of codes are two digits, and some digits are two clusters, one of which has no
example among the ten labels. Images without labels say that there is a cluster, and not what it is called."""


def lesson(options: Any, run: Run) -> _lesson.Outcome:
    """Draw the labels several times, learn from them, and count the wrong answers on the test images."""
    from demos import few_labels as few  # which needs this file

    it = few.Recipe(hidden=200, style=6, alpha=1.0, steps=7000, known=8, others=80, held=0.7)
    data, vae = _lesson.images(options), _weights.load("vae")
    mean, spread = coded(vae, data.train)
    active = mean.var(axis=0) > ACTIVE
    codes, spread, seen = mean[:, active], spread[:, active], coded(vae, data.test)[0][:, active]
    errors = np.zeros((2, 2 if _lesson.briefly(options) else options.seeds))
    for draw in range(errors.shape[1]):
        rng = sg.RandomStream(options.seed, "few", "labels", draw)
        chosen = few.balanced(data.train_labels, LABELS, rng)
        known = data.train_labels[chosen]
        model = few.m2(codes, spread, chosen, known, it, options, draw, run.part(f"draw-{draw}"))
        found = few.answers(model, seen)
        by_both = found, nearest(codes[chosen], known, seen)
        errors[:, draw] = [np.mean(answer != data.test_labels) for answer in by_both]
        print(f"draw {draw}: M1+M2 {errors[0, draw]:.2%}, nearest code {errors[1, draw]:.2%} wrong")
    numbers = table(errors, int(active.sum()), len(data.test), run)
    pictures = {
        "A style in each row, a class in each column": drawn(model, vae, active, options),
        "Test images that it gets wrong": data.test[found != data.test_labels][:40],
    }
    grids = {caption: plots.image_grid(images) for caption, images in pictures.items()}
    run.section("What M2 has learnt from the last draw", LEARNT, pictures=grids)

    def sample(n: int, rng: sg.RandomStream) -> np.ndarray:
        return sg.asnumpy(vae.sample(n, rng))

    return _lesson.Outcome(numbers, model.parameter_count(), 0.0, sample)


def drawn(model: SemiSupervisedVAE, vae: VAE, active: np.ndarray, options: Any) -> np.ndarray:
    """Six styles, each in all classes: codes of M2, and M1's decoder; idle latents stay at 0."""
    rng, rows = sg.RandomStream(options.seed, "few", "page"), 6
    codes = np.zeros((rows, model.classes, len(active)), np.float32)
    for y in range(model.classes):
        codes[:, y, active] = sg.asnumpy(model.sample(rows, rng, labels=y))  # the same styles each time
    return sg.asnumpy(vae.decode(sg.asarray(codes.reshape(-1, len(active)))))


def table(errors: np.ndarray, active: int, tested: int, run: Run) -> dict[str, str]:
    """Put the errors on the page, beside the published ones, and return its numbers."""
    half = _few_labels_page.reach(errors)
    ours, nearby = (f"{100 * m:.2f} ± {100 * h:.2f}" for m, h in zip(errors.mean(axis=1), half, strict=True))
    numbers = {"M1+M2, wrong": f"{errors[0].mean():.2%}", "nearest code, wrong": f"{errors[1].mean():.2%}"}
    rows = [
        ["wrong answers, %", "mean and 95 % interval"],
        ["M1+M2", ours],
        ["M1+M2, each draw", "  ".join(f"{100 * error:.2f}" for error in errors[0])],
        ["the nearest labelled image, by M1's codes", nearby],
        *([f"{name}, Kingma et al. 2014", value] for name, value in PUBLISHED.items()),
    ]
    text = (
        "    log p(x)  >=  sum_y q(y|x) (-L(x, y))  +  H(q(y|x))\n\n"
        f"Wrong answers on {tested:,} test images. Of the 60,000 training images {LABELS} have a label, as "
        f"many of each digit, drawn anew {errors.shape[1]} times; the others are seen without one."
    )
    run.section("Few labels on MNIST", f"{text}\n\n{HOW.format(active=active)}", numbers=numbers, table=rows)
    return numbers
