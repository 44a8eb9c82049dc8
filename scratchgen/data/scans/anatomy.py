"""Healthy phantoms: a slice through a head, no two alike.

Every structure is an ellipse in the coordinates of the head, turned, shifted and stretched differently in
each patient. All of a batch is drawn at once: arrays have the axes (patient, row, column).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ...backend import RandomStream, asnumpy

Floats = NDArray[np.float64]

SCALP, SKULL, FLUID = 0.30, 0.95, 0.16


@dataclass(frozen=True)
class Heads:
    """Healthy phantoms and where things are in them."""

    images: Floats
    """Brightness in [0, 1] without noise, shape (n, size, size)."""
    x: Floats
    """Where every pixel is, to the right, in half widths of the head, shape (n, size, size)."""
    y: Floats
    """Where every pixel is, downwards, in half heights of the head, shape (n, size, size)."""
    skull: Floats
    """How much of every pixel is skull, 0 to 1, shape (n, size, size)."""
    brain: Floats
    """How much of every pixel is brain (not ventricle), 0 to 1, shape (n, size, size)."""
    inner: Floats
    """The radius of the inside of the skull in head coordinates, shape (n, 1, 1)."""
    pixel: Floats
    """The width of a pixel in head coordinates, shape (n, 1, 1)."""


def between(rng: RandomStream, low: float, high: float, n: int) -> Floats:
    """Return ``n`` numbers uniform on [low, high], shape (n, 1, 1), to combine with pictures."""
    return low + (high - low) * asnumpy(rng.uniform((n, 1, 1), dtype=np.float64))


def inside(radius: Floats, edge: Floats, pixel: Floats) -> Floats:
    """Return how much of each pixel lies within ``edge``, from 0 to 1, linear over one pixel."""
    return np.clip(0.5 + (edge - radius) / pixel, 0, 1)


def ellipse(x: Floats, y: Floats, centre: tuple[Floats, Floats], axes: tuple[Floats, Floats]) -> Floats:
    """Return the distance from the centre in units of the half axes: 1 on the ellipse."""
    return np.hypot((x - centre[0]) / axes[0], (y - centre[1]) / axes[1])


def healthy_heads(n: int, rng: RandomStream, size: int) -> Heads:
    """Draw ``n`` healthy heads: pose, shape, skull, ventricles, folds and brightness vary.

    Parameters
    ----------
    n : int
        How many.
    rng : RandomStream
        The stream of random numbers.
    size : int
        The side of the pictures in pixels.

    Returns
    -------
    Heads
        Pictures without noise, and their coordinates.
    """
    centres = (2 * np.arange(size) + 1) / size - 1
    column, row = centres[None, None, :], centres[None, :, None]
    tilt = between(rng, -0.2, 0.2, n)
    half_width, half_height = between(rng, 0.62, 0.72, n), between(rng, 0.78, 0.88, n)
    right, down = column - between(rng, -0.06, 0.06, n), row - between(rng, -0.06, 0.06, n)
    x = (np.cos(tilt) * right + np.sin(tilt) * down) / half_width
    y = (-np.sin(tilt) * right + np.cos(tilt) * down) / half_height
    radius, pixel = np.hypot(x, y), 2 / size / half_width

    outer = between(rng, 0.92, 0.95, n)
    inner = outer - between(rng, 0.10, 0.15, n)
    skull = inside(radius, outer, pixel) - inside(radius, inner, pixel)
    cavity = inside(radius, inner, pixel)

    asymmetry = between(rng, -0.03, 0.03, n)
    width, height = between(rng, 0.08, 0.14, n), between(rng, 0.22, 0.34, n)
    lean = between(rng, 0.1, 0.3, n)
    ventricles = np.zeros_like(x)
    for side in (-1, 1):
        middle = (side * (0.15 - lean * y) + asymmetry, between(rng, -0.12, 0.0, n))
        ventricles = np.maximum(
            ventricles, inside(ellipse(x, y, middle, (width, height)), np.ones_like(x), pixel / width)
        )
    brain = inside(radius, inner - 0.03, pixel) * (1 - ventricles)

    # Folds: the rim of grey matter is wavy, in as many waves and as strongly as the patient has it.
    angle = np.arctan2(y, x)
    waves = np.rint(between(rng, 7, 11, n))
    rim = inner - 0.16 + 0.04 * np.sin(waves * angle + between(rng, 0, 2 * np.pi, n))
    white = inside(radius, rim, 3 * pixel) * brain
    grey_level, white_level = between(rng, 0.44, 0.52, n), between(rng, 0.60, 0.68, n)

    images = SCALP * (inside(radius, np.ones_like(x), pixel) - inside(radius, outer, pixel))
    images = images + SKULL * between(rng, 0.92, 1.0, n) * skull + FLUID * cavity * (1 - brain)
    images = images + brain * grey_level + white * (white_level - grey_level)
    # A coil nearer to one side brightens that side, as in a real scanner.
    direction, strength = between(rng, 0, 2 * np.pi, n), between(rng, 0, 0.06, n)
    images = images * (1 + strength * (np.cos(direction) * column + np.sin(direction) * row))
    return Heads(np.clip(images, 0, 1), x, y, skull, brain, inner, pixel)
