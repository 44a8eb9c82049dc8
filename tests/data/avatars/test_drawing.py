"""Every look has its own portrait, and every attribute is visible in it."""

from __future__ import annotations

import time

import numpy as np
import pytest

from scratchgen.data import avatars
from scratchgen.data.avatars.drawing import gallery, over


def test_all_portraits_are_drawn_within_three_seconds() -> None:
    gallery.cache_clear()
    start = time.process_time()
    portraits = avatars.draw(avatars.all_looks())
    assert time.process_time() - start < 3
    assert portraits.shape == (4032, 3, 32, 32)
    assert portraits.dtype == np.float32
    assert portraits.min() >= 0
    assert portraits.max() <= 1
    np.testing.assert_array_equal(portraits, np.rint(portraits * 255) / np.float32(255))


@pytest.mark.parametrize("attribute", range(5))
def test_every_level_of_every_attribute_is_visible(attribute: int) -> None:
    rng = np.random.default_rng(attribute)
    rows = avatars.all_looks()[rng.integers(0, 4032, 300)]
    others = rows.copy()
    others[:, attribute] = (
        rows[:, attribute] + rng.integers(1, avatars.LEVELS[attribute], 300)
    ) % avatars.LEVELS[attribute]
    difference = avatars.draw(rows) - avatars.draw(others)
    assert np.sqrt(np.mean(difference**2, axis=(1, 2, 3))).min() > 0.03


def test_a_portrait_shows_the_colours_of_its_look() -> None:
    portrait = 255 * avatars.draw(avatars.look("NoHair", "Red", "Blank", "ShirtScoopNeck", "Pink"))[0]
    np.testing.assert_array_equal(np.rint(portrait[:, 0, 0]), (126, 188, 200))  # background
    np.testing.assert_array_equal(np.rint(portrait[:, 29, 16]), (246, 120, 176))  # shirt
    np.testing.assert_array_equal(np.rint(portrait[:, 19, 12]), (206, 74, 28))  # beard


def test_over_covers_by_opacity() -> None:
    red = np.array([255, 0, 0, 1], dtype=np.float32)[:, None, None]
    half = np.array([0, 0, 127.5, 0.5], dtype=np.float32)[:, None, None]
    blue_over_red = over(half, red)
    np.testing.assert_array_equal(blue_over_red[:, 0, 0], [127.5, 0, 127.5, 1])
    np.testing.assert_array_equal(over(half, red[:3])[:, 0, 0], [127.5, 0, 127.5])


def test_what_is_no_look_is_not_drawn() -> None:
    with pytest.raises(ValueError, match=r"got level ., expected 0 to 6"):
        avatars.draw([[7, 0, 0, 0, 0]])
