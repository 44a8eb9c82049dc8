"""What each pair of attributes of P_data know of each other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.data import avatars
from scratchgen.data.tables import mutual_information
from scratchgen.plots.style import INK, WIDTH, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

NAMES = ("top", "hair colour", "accessories", "clothes", "their colour")


def draw() -> Figure:
    """A square for each pair, with its mutual information."""
    joint, n = avatars.joint(), len(NAMES)
    known = np.full((n, n), np.nan)
    for a in range(n):
        for b in range(a):
            known[a, b] = mutual_information(joint.sum(axis=tuple(k for k in range(n) if k not in (a, b))))
    figure = new_figure(WIDTH * 0.62, 2.7)
    axes = figure.add_axes((0.24, 0.2, 0.74, 0.76))
    axes.imshow(known[1:, :-1], cmap="Blues", vmin=0, vmax=0.3, aspect="auto")
    for a in range(1, n):
        for b in range(a):
            # Colours, not greys, which the dark version of the picture turns over, on cells that it keeps.
            colour = "#dcefff" if known[a, b] > 0.17 else "#08306b"
            axes.text(b, a - 1, f"{known[a, b]:.2f}", ha="center", va="center", fontsize=9, color=colour)
    axes.set_xticks(range(n - 1), NAMES[:-1], fontsize=9, color=INK)
    axes.set_yticks(range(n - 1), NAMES[1:], fontsize=9, color=INK)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    return figure
