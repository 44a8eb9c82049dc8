"""Precision and recall on cases whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.metrics import precision_recall


def gaussian(n: int, seed: int, shift: float = 0.0, scale: float = 1.0) -> np.ndarray:
    return sg.asarray(shift + scale * sg.asnumpy(RandomStream(seed).normal((n, 2), dtype=np.float64)))


@pytest.mark.equation("precision-recall")
def test_on_a_line_they_are_those_by_hand() -> None:
    real = np.array([[0.0], [1.0], [3.0], [10.0]])
    generated = np.array([[1.5], [5.5], [-1.0], [18.0]])
    # Balls with k = 1, of real: [-1, 1], [0, 2], [1, 5], [3, 17];
    # of generated: [-1, 4], [1.5, 9.5], [-3.5, 1.5], [5.5, 30.5].
    assert_close(precision_recall(real, generated, neighbours=1), [3 / 4, 4 / 4], rtol=0)
    # With k = 2, of real: [-3, 3], [-1, 3], [0, 6], [1, 19].
    assert precision_recall(real, generated, neighbours=2).precision == 1
    assert precision_recall(real, np.array([[2.5], [2.6], [2.7], [2.8]]), neighbours=1) == (1, 0)
    # Two equal points have a ball of radius 0, with the point itself in it.
    assert precision_recall([[0.0], [0.0]], [[0.0], [7.0]], neighbours=1) == (1 / 2, 1)


def test_a_copy_has_both_and_noise_far_away_neither() -> None:
    real = gaussian(200, 0)
    assert precision_recall(real, real) == (1, 1)
    assert precision_recall(real, gaussian(200, 1, shift=100)) == (0, 0)


def test_data_against_data_is_symmetric_and_high() -> None:
    precision, recall = precision_recall(gaussian(1000, 0), gaussian(1000, 1))
    assert precision > 0.9
    assert recall > 0.9
    swapped = precision_recall(gaussian(1000, 1), gaussian(1000, 0))
    assert (swapped.recall, swapped.precision) == (precision, recall)


def test_a_shifted_gaussian_loses_both_more_the_further_it_goes() -> None:
    real = gaussian(500, 0)
    scores = [precision_recall(real, gaussian(500, 1, shift=shift)) for shift in (0, 1, 2, 3)]
    assert sorted(scores, reverse=True) == scores
    assert scores[-1].precision < 0.2


def test_lost_variety_costs_recall_and_excess_costs_precision() -> None:
    real = gaussian(500, 0)
    narrow = precision_recall(real, gaussian(500, 1, scale=0.3))
    assert narrow.precision > 0.95
    assert narrow.recall < 0.5
    wide = precision_recall(real, gaussian(500, 1, scale=4))
    assert wide.precision < 0.5
    assert wide.recall > 0.9


def test_images_are_flattened_and_bad_input_is_named() -> None:
    images = np.random.default_rng(0).random((10, 1, 4, 4))
    assert precision_recall(images, images) == (1, 1)
    with pytest.raises(ValueError, match="real: got 3, expected 4 or more"):
        precision_recall(images[:3], images)
    with pytest.raises(ValueError, match=r"generated: got shape \(10, 8\), expected \(n, 16\)"):
        precision_recall(images, images[:, :, :2])
    with pytest.raises(ValueError, match="neighbours: got 0, expected a positive whole number"):
        precision_recall(images, images, neighbours=0)
