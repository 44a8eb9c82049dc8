"""Scans: healthy heads vary, and an anomaly changes exactly what its mask says."""

from __future__ import annotations

import numpy as np
import pytest

from scratchgen.backend import RandomStream
from scratchgen.data import scans


def test_healthy_scans_are_pictures_that_vary() -> None:
    made = scans.healthy(50, RandomStream(0))
    assert made.images.shape == made.masks.shape == (50, 1, 32, 32)
    assert made.images.dtype == np.float32
    assert made.images.min() >= 0
    assert made.images.max() <= 1
    assert made.kinds == ("healthy",) * 50
    assert not made.masks.any()
    differences = made.images[:25] - made.images[25:]
    assert np.sqrt(np.mean(differences**2, axis=(1, 2, 3))).min() > 0.05


@pytest.mark.parametrize("kind", list(scans.KINDS))
@pytest.mark.parametrize("size", [32, 64])
def test_an_anomaly_changes_what_its_mask_says_and_nothing_else(kind: str, size: int) -> None:
    made = scans.anomalous(60, RandomStream(1), kind=kind, size=size)
    assert made.images.shape == (60, 1, size, size)
    assert made.kinds == (kind,) * 60
    changed = np.abs(made.images - made.without)
    assert not changed[~made.masks].any()
    assert np.median(changed[made.masks]) > 0.08
    area = made.masks.mean(axis=(1, 2, 3))
    assert area.min() > 0.001
    assert area.max() < 0.1
    np.testing.assert_array_equal(made.without, scans.healthy(60, RandomStream(1), size=size).images)


def test_fractures_are_dark_and_bright_spots_bright() -> None:
    fractures = scans.anomalous(40, RandomStream(2), kind="fracture")
    spots = scans.anomalous(40, RandomStream(2), kind="bright spots")
    assert np.mean((fractures.images - fractures.without)[fractures.masks]) < -0.2
    assert np.mean((spots.images - spots.without)[spots.masks]) > 0.15


def test_without_a_kind_all_occur() -> None:
    made = scans.anomalous(60, RandomStream(3))
    assert set(made.kinds) == set(scans.KINDS)
    spots = scans.anomalous(60, RandomStream(3), kind="bright spots")
    chosen = np.array(made.kinds) == "bright spots"
    np.testing.assert_array_equal(made.images[chosen], spots.images[chosen])


def test_the_same_stream_makes_the_same_scans_and_another_others() -> None:
    first = scans.healthy(3, RandomStream(0)).images
    np.testing.assert_array_equal(first, scans.healthy(3, RandomStream(0)).images)
    assert (first != scans.healthy(3, RandomStream(1)).images).any()


def test_what_cannot_be_scanned_is_said() -> None:
    with pytest.raises(
        ValueError, match="kind: got 'cold', expected one of None, 'lesion', 'fracture', 'bright spots'"
    ):
        scans.anomalous(1, RandomStream(0), kind="cold")
    with pytest.raises(ValueError, match="n: got 0, expected a positive whole number"):
        scans.healthy(0, RandomStream(0))
    with pytest.raises(ValueError, match="size: got 8, expected a whole number, 16 or more"):
        scans.healthy(1, RandomStream(0), size=8)
