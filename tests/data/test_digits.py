"""The digits that ship inside are the real ones, fairly divided."""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from scratchgen.data import DataError, digits
from scratchgen.data.digits import _unpack

ARCHIVE = Path(digits.__wrapped__.__code__.co_filename).with_name("digits.npz")


def test_shapes_types_and_range() -> None:
    images = digits()
    assert (images.train.shape, images.test.shape) == ((1500, 1, 8, 8), (297, 1, 8, 8))
    assert (images.train_labels.shape, images.test_labels.shape) == ((1500,), (297,))
    assert (images.train.dtype, images.test_labels.dtype) == (np.float32, np.int64)
    assert (images.name, images.levels, images.shape) == ("digits", 17, (1, 8, 8))
    np.testing.assert_array_equal(np.unique(images.train * 16), np.arange(17))


def test_the_same_division_every_time() -> None:
    images = digits()
    assert images is digits()
    assert list(images.train_labels[:8]) == [5, 5, 1, 5, 0, 5, 0, 1]
    assert (
        hashlib.sha256(images.test.tobytes()).hexdigest()
        == "6c173b3719c50217fb0eb4042f0147fe3b5a6ee6f5f6707653484d39a28b0ad3"
    )


def test_every_digit_in_the_same_proportion() -> None:
    images = digits()
    train, test = np.bincount(images.train_labels), np.bincount(images.test_labels)
    assert list(train + test) == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # as UCI states them
    assert (np.abs(test - (train + test) * 297 / 1797) < 1).all()


def test_no_image_is_in_both_parts_or_lost() -> None:
    with np.load(ARCHIVE) as archive:
        grey, labels = archive["images"], archive["labels"]
    images = digits()
    both = np.concatenate([images.train, images.test]).reshape(1797, 64) * 16
    tagged = np.column_stack([both, np.concatenate([images.train_labels, images.test_labels])]).astype(
        np.uint8
    )
    original = np.column_stack([grey.reshape(1797, 64), labels])
    assert sorted(map(bytes, tagged)) == sorted(map(bytes, original))


@pytest.mark.skipif(find_spec("sklearn") is None, reason="scikit-learn is not installed")
def test_the_archive_holds_scikit_learns_digits() -> None:
    folder = Path(find_spec("sklearn").submodule_search_locations[0])  # importing it would take seconds
    rows = np.loadtxt(folder / "datasets" / "data" / "digits.csv.gz", delimiter=",")
    with np.load(ARCHIVE) as archive:
        np.testing.assert_array_equal(archive["images"].reshape(1797, 64), rows[:, :64])
        np.testing.assert_array_equal(archive["labels"], rows[:, 64])


def test_an_image_shows_its_digit() -> None:
    """The first one of UCI's file is a 0: ink around a hole."""
    with np.load(ARCHIVE) as archive:
        zero = archive["images"][0]
    assert list(zero[2]) == [0, 3, 15, 2, 0, 11, 8, 0]


def test_a_damaged_installation_is_named() -> None:
    archive = bytearray(ARCHIVE.read_bytes())
    archive[20_000] ^= 1
    with pytest.raises(DataError, match=r"digits\.npz.*damaged.*install scratchgen again"):
        _unpack(bytes(archive))


def test_the_licence_lies_beside_the_data() -> None:
    text = ARCHIVE.with_name("digits-LICENSE.txt").read_text(encoding="utf-8")
    assert "Alpaydin" in text
    assert "CC BY 4.0" in text
