"""Points in the plane: what a model of a toy world makes, over the density that it should have."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import asnumpy
from .style import CATEGORIES, INK, WIDTH, darkened, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from ..data.toy import ToyWorld

COLUMNS = 4
PIXELS = 120
FRAME = 4.2  # inches: the side of an animated panel


def clouds(points: Mapping[str, Any], world: ToyWorld, reach: float = 3.0) -> Figure:
    """One panel for each set of points, by its title, with the density of the world behind them in grey.

    Parameters
    ----------
    points : mapping
        From titles to arrays of shape (n, 2).
    world : ToyWorld
        With ``log_prob(points)``.
    reach : float
        A panel shows -reach to reach, both ways.

    Raises
    ------
    ValueError
        If there is nothing to show, or a set is not of points in the plane.

    Examples
    --------
    >>> from scratchgen.data.toy import moons
    >>> figure = clouds({"start": np.zeros((9, 2)), "end": np.ones((9, 2))}, moons())
    >>> [axes.get_title(loc="left") for axes in figure.axes]
    ['start', 'end']
    """
    sets = _checked(points)
    columns = min(len(sets), COLUMNS)
    rows = -(-len(sets) // columns)
    side = WIDTH / columns
    figure = new_figure(WIDTH, rows * (side + 0.2))
    figure.set_layout_engine("constrained", w_pad=0.04, h_pad=0.04)
    density = _density(world, reach)
    for i, (title, array) in enumerate(sets.items()):
        axes = figure.add_subplot(rows, columns, i + 1)
        size = min(6.0, max(0.6, 3000 / max(len(array), 1)))
        _panel(axes, title, array, density, reach, size)
    return figure


def cloud_frames(points: Mapping[str, Any], world: ToyWorld, reach: float = 3.0) -> list[np.ndarray]:
    """The panels of `clouds`, each a frame of an animation; dark, since a GIF is the same on every page.

    Parameters
    ----------
    points, world, reach
        As for `clouds`.

    Returns
    -------
    list of arrays, each of shape (3, height, width)
        In [0, 1], as `animation` takes them.
    """
    sets, density, frames = _checked(points), _density(world, reach), []
    for title, array in sets.items():
        figure = new_figure(FRAME, FRAME + 0.3)
        axes = figure.add_axes((0, 0, 1, FRAME / (FRAME + 0.3)))
        _panel(axes, title, array, density, reach, size=5.0)
        with darkened(figure):
            figure.canvas.draw()
        pixels = np.asarray(figure.canvas.buffer_rgba())[..., :3]  # type: ignore[attr-defined]  # Agg's
        frames.append(pixels.transpose(2, 0, 1) / np.float32(255))
    return frames


def _checked(points: Mapping[str, Any]) -> dict[str, np.ndarray]:
    """The sets of points, on the host."""
    sets = {title: asnumpy(array) for title, array in points.items()}
    if not sets:
        raise ValueError("points: got no set of them, expected at least one")
    for title, array in sets.items():
        if array.ndim != 2 or array.shape[1] != 2:
            raise ValueError(f"points[{title!r}]: got shape {array.shape}, expected (n, 2)")
    return sets


def _panel(axes: Axes, title: str, array: np.ndarray, density: np.ndarray, reach: float, size: float) -> None:
    """Points on the density, and nothing around them but a title."""
    axes.imshow(density, extent=(-reach, reach, -reach, reach), origin="lower")
    axes.scatter(array[:, 0], array[:, 1], s=size, color=CATEGORIES[0], alpha=0.5, linewidths=0)
    axes.set_xlim(-reach, reach)
    axes.set_ylim(-reach, reach)
    axes.set_title(title, loc="left", fontsize=9, color=INK)
    axes.set_axis_off()


def _density(world: ToyWorld, reach: float) -> np.ndarray:
    """The root of the density on a grid (weak modes are seen so), rows from the bottom up, as a grey veil.

    It is more or less transparent, and so is seen on light pages as on dark ones.
    """
    line = np.linspace(-reach, reach, PIXELS)
    grid = np.stack(np.meshgrid(line, line), axis=-1).reshape(-1, 2)  # (PIXELS^2, 2)
    root = np.exp(asnumpy(world.log_prob(grid)) / 2).reshape(PIXELS, PIXELS)
    veil = np.full((PIXELS, PIXELS, 4), 0.5)
    veil[..., 3] = 0.8 * root / root.max()
    return veil
