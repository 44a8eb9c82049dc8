"""Three things that a healthy head does not have. Each returns what it covers and how bright that becomes."""

from __future__ import annotations

import numpy as np

from ...backend import RandomStream
from .anatomy import Floats, Heads, between, ellipse, inside


def lesion(heads: Heads, rng: RandomStream) -> tuple[Floats, Floats]:
    """Return an irregular patch in the brain, darker or brighter than tissue: ``(cover, brightness)``."""
    n = len(heads.images)
    place, distance = between(rng, 0, 2 * np.pi, n), between(rng, 0.3, 0.5, n)
    centre = (distance * np.cos(place), distance * np.sin(place))
    axes = (between(rng, 0.13, 0.22, n), between(rng, 0.13, 0.22, n))
    radius = ellipse(heads.x, heads.y, centre, axes)
    around = np.arctan2(heads.y - centre[1], heads.x - centre[0])
    edge = 1 + 0.15 * np.sin(3 * around + between(rng, 0, 2 * np.pi, n))
    cover = inside(radius, edge, 1.5 * heads.pixel / axes[0]) * inside(
        np.hypot(heads.x, heads.y), heads.inner - 0.03, heads.pixel
    )
    dark = between(rng, 0, 1, n) < 0.5
    return cover, np.where(dark, between(rng, 0.22, 0.30, n), between(rng, 0.84, 0.92, n))


def fracture(heads: Heads, rng: RandomStream) -> tuple[Floats, Floats]:
    """Return a dark gap across the skull, at any angle: ``(cover, brightness)``."""
    n = len(heads.images)
    place, slant = between(rng, 0, 2 * np.pi, n), between(rng, -0.6, 0.6, n)
    half_width = between(rng, 0.08, 0.13, n)
    along = heads.x * np.cos(place) + heads.y * np.sin(place)
    across = -heads.x * np.sin(place) + heads.y * np.cos(place) - slant * (along - heads.inner)
    cover = inside(np.abs(across), half_width, heads.pixel) * heads.skull * (along > 0)
    return cover, np.full((n, 1, 1), 0.2)


def bright_spots(heads: Heads, rng: RandomStream) -> tuple[Floats, Floats]:
    """Return two to five small bright dots in the brain: ``(cover, brightness)``."""
    n = len(heads.images)
    number = np.rint(between(rng, 1.5, 5.5, n))
    cover = np.zeros_like(heads.images)
    for spot in range(5):
        place, distance = between(rng, 0, 2 * np.pi, n), between(rng, 0.15, 0.62, n)
        offset = np.hypot(heads.x - distance * np.cos(place), heads.y - distance * np.sin(place))
        dot = inside(offset, np.maximum(between(rng, 0.04, 0.06, n), 0.75 * heads.pixel), heads.pixel)
        cover = np.maximum(cover, dot * (spot < number))
    return cover, between(rng, 0.92, 1.0, n)


KINDS = {"lesion": lesion, "fracture": fracture, "bright spots": bright_spots}
