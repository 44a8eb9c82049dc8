"""Distorted pictures: each by chance of its own, black from beyond the edge, refused if they are none."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import to_device

from scratchgen.backend import RandomStream, asnumpy
from scratchgen.data import distorted
from scratchgen.data.distortions import transformed

IMAGES = np.random.default_rng(0).random((5, 2, 8, 6)).astype(np.float32)


def test_nothing_asked_for_nothing_done() -> None:
    same = distorted(to_device(IMAGES), RandomStream(0), shift=0.0, turn=0.0, scale=0.0)
    assert same.dtype == np.float32
    np.testing.assert_allclose(asnumpy(same), IMAGES, atol=1e-6)


def test_each_by_chance_of_its_own_and_repeatably() -> None:
    alike = to_device(IMAGES[:1].repeat(4, axis=0))
    first, again, other = (asnumpy(distorted(alike, RandomStream(seed))) for seed in (0, 0, 1))
    assert (first == again).all()
    assert (first != other).any()
    assert len(np.unique(first.reshape(4, -1), axis=0)) == 4
    assert (first >= 0).all()
    assert (first <= IMAGES.max() * (1 + 1e-6)).all()


@pytest.mark.parametrize("far", [-100.0, 100.0])
def test_beyond_the_edge_all_is_black(far: float) -> None:
    one = to_device(np.eye(2, dtype=np.float32)[None].repeat(5, 0))
    for shift in ((far, 0.0), (0.0, far)):
        moved = transformed(to_device(IMAGES), one, to_device(np.float32([shift]).repeat(5, 0)))
        assert (asnumpy(moved) == 0).all()
    assert distorted(to_device(IMAGES[:0]), RandomStream(0)).shape == (0, 2, 8, 6)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"images": np.zeros((3, 8, 8), np.float32)}, "images: got shape"),
        ({"images": np.zeros((3, 1, 8, 8), np.int64)}, "images: got"),
        ({"shift": -1.0}, "shift: got -1"),
        ({"turn": np.inf}, "turn: got inf"),
        ({"scale": 1.0}, "scale: got 1"),
    ],
)
def test_what_is_refused(change: dict[str, Any], message: str) -> None:
    given: dict[str, Any] = {"images": IMAGES, "rng": RandomStream(0), **change}
    with pytest.raises((TypeError, ValueError), match=message):
        distorted(to_device(given.pop("images")), **given)
