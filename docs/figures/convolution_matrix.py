"""The matrix of a convolution and that of its transposed convolution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from matplotlib.colors import ListedColormap

from scratchgen.backend.convolution import conv2d, conv2d_transpose
from scratchgen.plots.style import CATEGORIES, LINE, SOFT, WIDTH, new_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

LENGTH, STRIDE, PADDING = 9, (1, 2), (0, 1)
COLOURS = ListedColormap([*CATEGORIES[:3]])


def draw() -> Figure:
    """Both matrices, found by feeding unit vectors; tap i has the value i + 1."""
    w = np.arange(1.0, 4.0).reshape(1, 1, 1, 3)
    there = [conv2d(e.reshape(1, 1, 1, -1), w, STRIDE, PADDING).reshape(-1) for e in np.eye(LENGTH)]
    forward = np.stack(there, axis=1)
    units = np.eye(len(forward))
    back = [conv2d_transpose(e.reshape(1, 1, 1, -1), w, STRIDE, PADDING).reshape(-1) for e in units]
    panels = {"convolution": forward, "transposed convolution": np.stack(back, axis=1)}

    figure = new_figure(WIDTH, WIDTH * 0.42)
    for i, (name, matrix) in enumerate(panels.items()):
        axes = figure.add_axes((0.02 + 0.58 * i, 0.05, 0.5 - 0.1 * i, 0.82))
        axes.imshow(np.ma.masked_equal(matrix, 0), cmap=COLOURS, vmin=1, vmax=3)
        axes.set_xticks(np.arange(matrix.shape[1] + 1) - 0.5, labels=[])
        axes.set_yticks(np.arange(matrix.shape[0] + 1) - 0.5, labels=[])
        axes.grid(color=LINE, linewidth=0.8)
        axes.tick_params(length=0)
        axes.spines[:].set_visible(False)
        for row, column in np.argwhere(matrix != 0):
            tap = int(matrix[row, column]) - 1
            axes.text(column, row, f"$w_{tap}$", ha="center", va="center", color="white", fontsize=9)
        axes.set_title(f"{name}, {matrix.shape[0]} x {matrix.shape[1]}", color=SOFT, fontsize=9, loc="left")
        axes.patch.set_alpha(0)
    return figure
