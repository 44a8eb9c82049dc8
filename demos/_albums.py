"""What the lesson on face swaps measures with: albums of two people, and a reader of poses and looks."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import numpy as np

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.data import avatars

PEOPLE = [("LongHairStraight", "SilverGrey", "Round"), ("ShortHairFrizzle", "Red", "Sunglasses")]
CLOTHES = ("ShirtScoopNeck", "White")
REACH, TILT = 3.0, 15.0


class Pictures(NamedTuple):
    """Of one person."""

    images: np.ndarray
    poses: np.ndarray
    """Shift to the right and down in pixels, tilt in degrees: (n, 3)."""


def portrait(person: int, n: int = 1) -> np.ndarray:
    """A person in no pose, n times."""
    return avatars.draw(np.repeat(look(person), n, axis=0))


def look(person: int) -> np.ndarray:
    """The five attributes of a person, (1, 5)."""
    return avatars.look(*PEOPLE[person], *CLOTHES)


def album(n: int, person: int, rng: RandomStream) -> Pictures:
    """`n` pictures of a person, in any pose."""
    poses = (2 * sg.asnumpy(rng.uniform((n, 3), np.float64)) - 1) * [REACH, REACH, TILT]
    return Pictures(posed(portrait(person, n), poses), poses)


def posed(images: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Portraits in poses (n, 3)."""
    return avatars.pose(images, poses[:, :2], poses[:, 2])


def nearest(pictures: np.ndarray, among: np.ndarray) -> np.ndarray:
    """The number of the picture that is nearest to each, by squared distance."""
    a, b = pictures.reshape(len(pictures), -1), among.reshape(len(among), -1)
    return np.argmin((b * b).sum(axis=1) - 2 * a @ b.T, axis=1)


class Found(NamedTuple):
    """What is read of pictures."""

    poses: np.ndarray
    """(n, 3)"""
    rows: np.ndarray
    """The looks, (n, 5), once the pose is undone."""


def read(pictures: np.ndarray) -> Found:
    """Pose and look of each picture.

    The pose is that of the nearest of 686 portraits, of either person, improved by two steps of least
    squares; then the picture is turned back and read.
    """
    templates, people, poses = _templates()
    best = nearest(pictures, templates)
    upright, poses = np.concatenate([portrait(i) for i in range(2)])[people[best]], poses[best]
    for _ in range(2):
        now, steps = posed(upright, poses), np.array([0.25, 0.25, 1.0])
        slopes = np.stack(
            [(posed(upright, poses + h) - now).reshape(len(now), -1) for h in np.diag(steps)], axis=2
        )
        left = (pictures - now).reshape(len(now), -1, 1)
        move = [np.linalg.lstsq(a, b, rcond=None)[0][:, 0] for a, b in zip(slopes, left, strict=True)]
        poses = poses + (np.stack(move) * steps).clip([-1, -1, -5], [1, 1, 5])
    return Found(poses, avatars.read(undone(pictures, poses)).rows)


def undone(pictures: np.ndarray, poses: np.ndarray) -> np.ndarray:
    """Pictures with their poses taken back: x(p) = x'(c + s + R(a) (p - c))."""
    a = np.radians(poses[:, 2])
    right, down = poses[:, 0], poses[:, 1]
    back = -np.stack([np.cos(a) * right + np.sin(a) * down, np.cos(a) * down - np.sin(a) * right], axis=1)
    return avatars.pose(pictures, back, -poses[:, 2])


@cache
def _templates() -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Both people in poses on a grid: pictures, who it is, poses."""
    shifts, tilts = np.linspace(-REACH, REACH, 7), np.linspace(-TILT, TILT, 7)
    grid = np.stack(np.meshgrid(shifts, shifts, tilts), axis=-1).reshape(-1, 3)
    pictures = [posed(portrait(i, len(grid)), grid) for i in range(2)]
    return np.concatenate(pictures), np.repeat([0, 1], len(grid)), np.tile(grid, (2, 1))


class Scores(NamedTuple):
    """How well an exchange was done, over both directions."""

    shift: float
    """Root mean square distance between the shifts given and drawn, in pixels."""
    tilt: float
    """The same of tilts, in degrees."""
    person: float
    """How often all five attributes are those of the person who should be there."""


def scores(made: list[np.ndarray], test: list[Pictures], people: tuple[int, int] = (1, 0)) -> Scores:
    """Read what was made of each person's pictures; it should show `people`, in the poses given."""
    off, person = [], []
    for pictures, given, other in zip(made, test, people, strict=True):
        found = read(pictures)
        off.append(found.poses - given.poses)
        person.append((found.rows == look(other)).all(axis=1))
    squares = (np.concatenate(off) ** 2).mean(axis=0)
    return Scores(
        float(np.sqrt(squares[0] + squares[1])),
        float(np.sqrt(squares[2])),
        float(np.concatenate(person).mean()),
    )
