"""The table of the course."""

from __future__ import annotations

import numpy as np
import pytest

from scratchgen.data import avatars


def test_the_table_is_the_one_of_the_course() -> None:
    assert avatars.LEVELS == (7, 6, 3, 4, 8)
    assert [sum(counts.values()) for counts in avatars.COUNTS.values()] == [50] * 5
    assert [list(counts.values()) for counts in avatars.COUNTS.values()] == [
        [7, 0, 1, 23, 1, 11, 7],
        [7, 6, 2, 3, 8, 24],
        [11, 22, 17],
        [7, 18, 19, 6],
        [0, 4, 10, 5, 2, 4, 3, 22],
    ]
    assert avatars.NAMES[0][1] == "LongHairBun"
    assert avatars.NAMES[4][0] == "Black"


def test_looks_are_numbered_in_order_and_named() -> None:
    looks = avatars.all_looks()
    np.testing.assert_array_equal(avatars.look_numbers(looks), np.arange(4032))
    words = avatars.describe(looks[[0, 2000, 4031]])
    for row, sentence in zip(looks[[0, 2000, 4031]], words, strict=True):
        np.testing.assert_array_equal(avatars.look(*sentence.split(", ")), [row])


def test_a_wrong_name_is_answered_with_the_right_ones() -> None:
    with pytest.raises(ValueError, match="hairColor: got 'Green', expected one of 'Black', 'Blonde'"):
        avatars.look("NoHair", "Green", "Blank", "Hoodie", "Red")
    with pytest.raises(ValueError, match=r"names: got .*, expected 5: topType"):
        avatars.look("NoHair")
