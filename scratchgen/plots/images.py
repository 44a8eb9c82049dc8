"""Pictures of images: grids, reconstructions, manifolds. Every pixel of an image is a sharp square."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from ..backend import checks
from .style import DOTS, INK, SOFT, WIDTH, new_figure

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

FREE = math.nan  # where the ground is seen, of whatever colour a page has
GAP = 4  # dots between two images
LEAST = 40  # dots: the width of an image that is still seen well
LARGEST = 96  # dots: the width of an image, however few there are
NAME: dict[str, Any] = {"color": INK, "fontsize": 10.5, "fontweight": "bold"}


def tile(images: Any, columns: int, gap: int = 1) -> np.ndarray:
    """Images in rows as one image, white between them.

    Parameters
    ----------
    images : array, shape (n, channels, height, width)
        In [0, 1], grey or RGB.
    columns : int
        Images in a row; the last row may be shorter.
    gap : int
        Pixels between two images.

    Returns
    -------
    array, shape (channels, rows * (height + gap) - gap, columns * (width + gap) - gap)

    Examples
    --------
    >>> tile(np.zeros((6, 1, 8, 8)), columns=3).shape
    (1, 17, 26)
    """
    return _tiled(_checked(images, "images"), columns, gap, ground=1.0)


def _tiled(images: np.ndarray, columns: int, gap: int, ground: float = FREE) -> np.ndarray:
    _check_columns(columns)
    n, channels, height, width = images.shape
    columns = min(columns, n)
    rows = math.ceil(n / columns)
    cells = np.full((rows * columns, channels, height + gap, width + gap), ground, images.dtype)
    cells[:n, :, :height, :width] = images
    grid = cells.reshape(rows, columns, channels, height + gap, width + gap)  # (rows, columns, C, H, W)
    whole = grid.transpose(2, 0, 3, 1, 4).reshape(channels, rows * (height + gap), columns * (width + gap))
    return whole[:, : whole.shape[1] - gap, : whole.shape[2] - gap]


def image_grid(images: Any, columns: int = 10) -> Figure:
    """Images in rows, in reading order.

    Parameters
    ----------
    images : array, shape (n, channels, height, width)
        In [0, 1], grey or RGB.
    columns : int
        Images in a row.

    Examples
    --------
    >>> len(image_grid(np.zeros((20, 1, 8, 8)), columns=10).axes)
    1
    """
    _check_columns(columns)
    return _bare(_enlarged(images, columns))


def manifold(images: Any, limits: tuple[float, float] | None = None) -> Figure:
    """What a decoder makes of a square grid of codes, as one picture, with a gap between two images.

    Parameters
    ----------
    images : array, shape (k * k, channels, height, width)
        In [0, 1]; image ``i * k + j`` stands in row i from the top and in column j.
    limits : (float, float), optional
        The codes' range, the same along both axes, to be written at the margins; z1 is taken to grow to the
        right and z2 upwards.
    """
    images = _checked(images, "images")
    side = math.isqrt(len(images))
    if side * side != len(images):
        raise ValueError(f"images: got {len(images)}, expected a square number of them")
    scale = max(1, int((WIDTH * DOTS * 0.9 / side - GAP / 2) / images.shape[3]))
    whole = _tiled(_repeated(images, scale), side, GAP // 2)
    if limits is None:
        return _bare(whole)
    low, high = limits
    ticks = np.linspace(low, high, 5)
    height, width = (n / DOTS for n in whole.shape[1:])
    figure, axes = _framed(width, height, left=0.65, bottom=0.45)
    # The outermost codes stand in the middle of the outermost images.
    half = (high - low) / (side - 1) / 2 if side > 1 else 0.5
    edges = (low - half, high + half, low - half, high + half)
    axes.imshow(_pixels(whole), interpolation="nearest", extent=edges, aspect="auto", vmin=0, vmax=1)
    axes.set(xticks=ticks, yticks=ticks)
    axes.tick_params(colors=SOFT, labelsize=8, length=0, pad=5)
    axes.set_xlabel("$z_1$", color=INK, fontsize=10)
    axes.set_ylabel("$z_2$", color=INK, fontsize=10, rotation=0, va="center")
    axes.spines[:].set_visible(False)
    return figure


def reconstructions(originals: Any, reconstructed: Any, columns: int = 10) -> Figure:
    """Images above what a model made of them, in pairs of rows.

    Parameters
    ----------
    originals, reconstructed : arrays, both of shape (n, channels, height, width)
        In [0, 1].
    columns : int
        Pairs in a row.
    """
    originals, reconstructed = _checked(originals, "originals"), _checked(reconstructed, "reconstructed")
    if originals.shape != reconstructed.shape:
        raise ValueError(
            f"reconstructed: got shape {reconstructed.shape}, expected originals' {originals.shape}"
        )
    _check_columns(columns)
    margin = 1.1  # inches for the labels
    bands = []
    for start in range(0, len(originals), columns):
        here = slice(start, start + columns)
        pair = [_enlarged(images[here], columns, margin, full=True) for images in (originals, reconstructed)]
        channels, height, width = pair[0].shape
        bands.append((pair, free(channels, GAP, width), free(channels, 4 * GAP, width)))
    rows = [part for (top, bottom), thin, thick in bands for part in (top, thin, bottom, thick)][:-1]
    whole = np.concatenate(rows, axis=1)
    figure, axes = _framed(whole.shape[2] / DOTS, whole.shape[1] / DOTS, left=margin)
    axes.imshow(_pixels(whole), interpolation="nearest", aspect="auto", vmin=0, vmax=1)
    middle, step = height / 2, height + GAP
    axes.set_yticks([middle, middle + step], ["original", "reconstructed"])
    axes.tick_params(colors=SOFT, labelsize=9, length=0, pad=6)
    axes.set_xticks([])
    axes.spines[:].set_visible(False)
    return figure


def image_rows(rows: Mapping[str, Any], columns: int | None = None) -> Figure:
    r"""Sets of images to be compared, a row for each, with its name at the left.

    Parameters
    ----------
    rows : mapping of str to array, shape (n, channels, height, width)
        Images of one size in [0, 1], by name; the first `columns` of each are shown. What follows the first
        line of a name is set smaller.
    columns : int, optional
        Images in a row; unless given, as many as can be seen well.

    Examples
    --------
    >>> figure = image_rows({"real": np.zeros((12, 1, 8, 8)), "VAE\nten latents": np.ones((12, 1, 8, 8))})
    >>> [text.get_text() for text in figure.axes[0].texts]
    ['real', 'VAE', 'ten latents']
    """
    if not rows:
        raise ValueError("rows: got none, expected at least one set of images")
    shown = {name: _checked(images, f"rows[{name!r}]") for name, images in rows.items()}
    shapes = {images.shape[1:] for images in shown.values()}
    if len(shapes) > 1:
        raise ValueError(f"rows: got images of shapes {', '.join(map(str, shapes))}, expected one shape")
    margin = 1.3  # inches for the names
    if columns is None:
        (width,) = {shape[2] for shape in shapes}
        columns = int((WIDTH - margin) * DOTS / (math.ceil(LEAST / width) * width + GAP))
    _check_columns(columns)
    bands = [_enlarged(images[:columns], columns, margin, full=True) for images in shown.values()]
    channels, height, width = bands[0].shape
    gap = free(channels, 3 * GAP, width)
    whole = np.concatenate([part for band in bands for part in (band, gap)][:-1], axis=1)
    figure, axes = _framed(whole.shape[2] / DOTS, whole.shape[1] / DOTS, left=margin)
    axes.imshow(_pixels(whole), interpolation="nearest", aspect="auto", vmin=0, vmax=1)
    axes.axis("off")
    for i, name in enumerate(shown):
        first, _, more = name.partition("\n")
        middle = i * (height + 3 * GAP) + height / 2
        options: dict[str, Any] = {"ha": "right", "x": -12, "clip_on": False}
        axes.text(y=middle, s=first, va="bottom" if more else "center", **NAME, **options)
        if more:
            axes.text(y=middle + 3, s=more, va="top", color=SOFT, fontsize=8, linespacing=1.1, **options)
    return figure


def _checked(images: Any, name: str) -> np.ndarray:
    images = checks.within(name, checks.examples(name, images), 0, 1, "divide bytes by 255")
    if images.ndim != 4 or images.shape[1] not in (1, 3) or 0 in images.shape:
        raise ValueError(
            f"{name}: got shape {images.shape}, expected (n, channels, height, width) with 1 or 3 channels"
        )
    return images


def _check_columns(columns: Any) -> None:
    if isinstance(columns, bool) or not isinstance(columns, int) or columns < 1:
        raise ValueError(f"columns: got {columns!r}, expected a whole number of 1 or more")


def _enlarged(images: Any, columns: int, margin: float = 0.0, full: bool = False) -> np.ndarray:
    """Tiled images whose pixels are whole numbers of dots, so that none is blurred.

    `full` leaves the width to all columns even where there are fewer images.
    """
    images = _checked(images, "images")
    width = images.shape[3]
    room = (WIDTH - margin) * DOTS / columns - GAP
    scale = max(1, int(min(room, max(LARGEST, width)) // width))
    if full and len(images) < columns:
        images = np.concatenate([images, free(columns - len(images), *images.shape[1:])])
    return _tiled(_repeated(images, scale), columns, GAP)


def free(*shape: int) -> np.ndarray:
    """Pixels that show the ground."""
    return np.full(shape, FREE, np.float32)


def _repeated(images: np.ndarray, scale: int) -> np.ndarray:
    """Every pixel as a square of ``scale * scale``."""
    return images.repeat(scale, axis=-1).repeat(scale, axis=-2)


def _pixels(image: np.ndarray) -> np.ndarray:
    """An image as matplotlib takes it: (height, width, 4), transparent where it is free."""
    colours = np.broadcast_to(image, (3, *image.shape[1:]))
    opaque = ~np.isnan(image[:1])
    return np.concatenate([np.where(opaque, colours, 1.0), opaque]).transpose(1, 2, 0)


def _bare(image: np.ndarray) -> Figure:
    """A figure of nothing but an image, a dot for each of its pixels."""
    figure, axes = _framed(image.shape[2] / DOTS, image.shape[1] / DOTS)
    axes.imshow(_pixels(image), interpolation="nearest", aspect="auto", vmin=0, vmax=1)
    axes.axis("off")
    return figure


def _framed(width: float, height: float, left: float = 0.0, bottom: float = 0.0) -> tuple[Figure, Axes]:
    """A figure whose axes have a size in inches, with margins to the left of them and below."""
    figure = new_figure(left + width, bottom + height)
    box = (
        left / (left + width),
        bottom / (bottom + height),
        width / (left + width),
        height / (bottom + height),
    )
    return figure, figure.add_axes(box)
