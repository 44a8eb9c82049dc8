"""Scores of naive Bayes beside what the data themselves would score, for growing numbers of samples."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.metrics import expected_scores, score_looks
from scratchgen.models import CategoricalNaiveBayes
from scratchgen.plots.style import CATEGORIES, SOFT, WIDTH, new_figure, soften

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SAMPLES = (30, 100, 300, 1000, 3000, 10_000)


def draw() -> Figure:
    """Total variation and coverage."""
    model = CategoricalNaiveBayes(avatars.LEVELS).fit(avatars.observations())
    scores = [
        score_looks(model.sample(n, RandomStream(0, "yardstick", n)), RandomStream(1), resamples=60)
        for n in SAMPLES
    ]
    told = [round(scores[i].total_variation.value, 2) for i in (0, -1)]
    assert told == [0.92, 0.48], "the chapter says so"
    fine = np.unique(np.geomspace(20, 15_000, 40).astype(int))
    expected = [expected_scores(int(n)) for n in fine]
    figure = new_figure(WIDTH, WIDTH * 0.4)
    for i, (name, title) in enumerate((("total_variation", "total variation"), ("coverage", "coverage"))):
        axes = figure.add_axes((0.07 + 0.5 * i, 0.16, 0.41, 0.72))
        axes.plot(fine, [getattr(e, name) for e in expected], color=CATEGORIES[0], label="data, expected")
        found = [getattr(score, name) for score in scores]
        low = [max(e.value - e.lower, 0) for e in found]
        high = [max(e.upper - e.value, 0) for e in found]
        axes.errorbar(
            SAMPLES,
            [e.value for e in found],
            (low, high),
            fmt="o",
            markersize=4,
            color=CATEGORIES[1],
            label="naive Bayes",
        )
        axes.set(xscale="log", ylim=(0, 1 if i == 0 else 0.6))
        axes.minorticks_off()
        axes.set_title(title, color=SOFT, fontsize=9, loc="left")
        axes.set_xlabel("samples", color=SOFT, fontsize=9)
        axes.legend(frameon=False, fontsize=8, labelcolor=SOFT)
        axes.patch.set_alpha(0)
        soften(axes)
    return figure
