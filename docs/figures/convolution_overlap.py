"""How many taps of a transposed convolution reach each pixel."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from scratchgen.backend.convolution import conv2d_transpose
from scratchgen.plots.style import SOFT, WIDTH, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

INPUTS = 4
NAVY = "#0b2a4a"  # to be read on light blue, on dark pages too


def draw() -> Figure:
    """A transposed convolution of ones with ones, for two kernels."""
    figure = new_figure(WIDTH, WIDTH * 0.46)
    for i, kernel in enumerate((3, 4)):
        counts = conv2d_transpose(
            np.ones((1, 1, INPUTS, INPUTS)), np.ones((1, 1, kernel, kernel)), stride=2, padding=1
        )[0, 0]
        axes = figure.add_axes((0.06 + 0.5 * i, 0.02, 0.38, 0.86))
        axes.imshow(counts, cmap="Blues", vmin=0, vmax=6)
        for row, column in np.ndindex(*counts.shape):
            axes.text(
                column, row, f"{counts[row, column]:g}", ha="center", va="center", color=NAVY, fontsize=8
            )
        axes.set(xticks=[], yticks=[])
        axes.spines[:].set_visible(False)
        axes.set_title(f"kernel {kernel}, stride 2", color=SOFT, fontsize=9, loc="left")
    return figure
