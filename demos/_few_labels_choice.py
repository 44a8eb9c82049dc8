"""How the settings of the lesson on few labels are chosen: on training images that are left out, one by one.

No test image is looked at. The labels of the images left out are: whoever has ten labels has none of these,
so that all ways do a little better here than they would in need.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

import scratchgen as sg
from scratchgen.data import Images
from scratchgen.training import Run

COUNTS, DRAWS, PART = (10, 100), 2, 5
"""Of labels; how often they are drawn; one image in so many is left out."""

NETWORKS = ("network from scratch", "the same, from an autoencoder")
GRID: dict[str, tuple[tuple[str, ...], tuple[float, ...]]] = {
    "noise": (NETWORKS[1:], (0.0, 0.3, 0.6)),
    "steps": (NETWORKS, (100, 200, 400)),
    "lr": (NETWORKS, (3e-4, 1e-3, 3e-3)),
    "linear_lr": (("logistic regression",), (3e-3, 1e-2, 3e-2)),
    "components": (("PCA, nearest neighbour",), (8, 16, 32)),
    "alpha": (("M2",), (1.0, 5.0, 25.0)),
    "code_alpha": (("M1+M2",), (1.0, 5.0, 25.0)),
    "style": (("M1+M2",), (3, 10)),
}
"""For each setting the ways that are judged by it, together, and its candidates."""


def left_out(data: Images, options: Any) -> Images:
    """The training images alone, one in five of them in the place of the test images."""
    order = sg.asnumpy(sg.RandomStream(options.seed, "few", "left out").permutation(len(data.train)))
    test, train = np.split(order, [len(order) // PART])
    return replace(
        data,
        train=data.train[train],
        train_labels=data.train_labels[train],
        test=data.train[test],
        test_labels=data.train_labels[test],
    )


def lesson(data: Images, options: Any, run: Run) -> None:
    """Try the candidates of one setting after the other, keep the best, and put the table on the page."""
    from demos import few_labels as lesson  # which needs this file

    settings: Any = lesson.Settings()

    draws = 1 if options.quick else DRAWS
    part, rows = left_out(data, options), [["setting", "candidates: wrong answers", "chosen"]]
    vae, cleaners = lesson.m1(part, options, run), {}
    for name, (judged, candidates) in GRID.items():
        found = {}
        for value in candidates:
            it = settings._replace(**{name: value})
            if it.noise not in cleaners:
                cleaners[it.noise] = lesson.cleaner(part, it, options, run.part(f"noise-{it.noise:g}"))
            known = lesson.ways(part, cleaners[it.noise], vae, it, options)
            errors = [lesson.wrong(known[way], part, COUNTS, draws, options) for way in judged]
            found[value] = float(np.mean(errors))
        best = min(found, key=lambda value: found[value])
        settings = settings._replace(**{name: best})
        rows.append([name, "  ".join(f"{v:g}: {e:.1%}" for v, e in found.items()), f"{best:g}"])
        print("  ".join(rows[-1]))
    text = (
        f"Each setting in turn, judged by the mean error of the ways it concerns, with {COUNTS[0]} and "
        f"{COUNTS[1]} labels, {draws} draws of each, on {len(part.test)} training images that were left out. "
        "No test image was looked at."
    )
    run.section(f"Settings for few labels, on {data.name}", text, table=rows)
