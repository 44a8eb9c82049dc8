"""People as they were observed, and as three models draw them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.backend import RandomStream
from scratchgen.data import avatars
from scratchgen.models import CategoricalNaiveBayes, JointMultinomial
from scratchgen.plots.style import CATEGORIES, SOFT, WIDTH, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PEOPLE = 10


def draw() -> Figure:
    """A row of portraits for each source; a frame where the look is one of the fifty."""
    observed = avatars.observations()
    rng = RandomStream(3, "looks")
    rows = {
        "observed": observed[:PEOPLE],
        "full table": JointMultinomial(avatars.LEVELS).fit(observed).sample(PEOPLE, rng.child("table")),
        "naive Bayes": CategoricalNaiveBayes(avatars.LEVELS).fit(observed).sample(PEOPLE, rng.child("naive")),
        r"$p_\mathrm{data}$": avatars.sample(PEOPLE, rng.child("data")),
    }
    known = avatars.look_numbers(observed)
    left, side, gap = 0.9, 0.56, 0.06  # inches
    figure = new_figure(WIDTH, len(rows) * (side + gap) + gap)
    width, height = WIDTH, len(rows) * (side + gap) + gap
    for r, (name, looks) in enumerate(rows.items()):
        bottom = height - (r + 1) * (side + gap)
        figure.text(0, (bottom + side / 2) / height, name, color=SOFT, fontsize=9, va="center")
        seen = np.isin(avatars.look_numbers(looks), known)
        for i, (portrait, framed) in enumerate(zip(avatars.draw(looks), seen, strict=True)):
            x = left + i * (side + gap)
            axes = figure.add_axes((x / width, bottom / height, side / width, side / height))
            axes.imshow(portrait.transpose(1, 2, 0), interpolation="nearest")
            axes.set(xticks=[], yticks=[])
            axes.spines[:].set(color=CATEGORIES[1], linewidth=1.6, visible=bool(framed))
    return figure
