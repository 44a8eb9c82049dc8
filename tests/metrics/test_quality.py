"""The quality of samples on a world of two classes in which every number is known."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.data import Images
from scratchgen.metrics import distance_ratio, frechet_distance, memorised_fraction, sample_quality


class Brightness:
    """Sure of the class (left or right brighter) by ten times the difference; its features are both sides."""

    def features(self, x: Any) -> Any:
        return x.sum(axis=(1, 2))

    def logits(self, x: Any) -> Any:
        return 10 * self.features(x)


def images(n: int, share_left: float, seed: int) -> np.ndarray:
    """Images (n, 1, 1, 2), one side about 0.9, the other about 0.1; the first ones bright on the left."""
    grey = np.random.default_rng(seed).uniform(0, 0.2, size=(n, 1, 1, 2))
    left = np.arange(n) < share_left * n
    grey[left, ..., 0] += 0.8
    grey[~left, ..., 1] += 0.8
    return grey.astype(np.float32)


def world() -> Images:
    train, test = images(200, 0.5, 0), images(100, 0.5, 1)
    return Images("sides", train, train.argmax(-1).ravel(), test, test.argmax(-1).ravel(), levels=256)


def test_fresh_data_score_as_real_ones() -> None:
    found = sample_quality(sg.asarray(images(300, 0.5, 2)), Brightness(), world())
    assert found.confident == found.confident_real == 1
    np.testing.assert_array_equal(found.class_shares, [0.5, 0.5])
    assert found.frechet < 3 * found.frechet_real < 1e-2
    assert found.nearest == pytest.approx(1, abs=0.3)
    assert abs(found.copies - found.copies_real) < 0.1


def test_copies_pass_rule_one_and_fail_rule_two() -> None:
    data = world()
    found = sample_quality(data.train, Brightness(), data)
    assert (found.confident, found.frechet, found.smallest_share) == (1, found.frechet_real, 0.5)
    assert (found.nearest, found.copies) == (0, 1)


def test_a_missing_class_is_seen() -> None:
    found = sample_quality(images(100, 1.0, 2), Brightness(), world())
    assert found.confident == 1
    np.testing.assert_array_equal(found.class_shares, [1, 0])
    assert found.smallest_share == 0
    assert found.frechet > 100 * found.frechet_real


def test_what_is_no_class_is_not_confident() -> None:
    # logits 10 (0.6, 0.4): the probability of the first is 1 / (1 + exp(-2)) = 0.88; of (0.62, 0.38), 0.917.
    unsure, sure = np.array([0.6, 0.4], np.float32), np.array([0.62, 0.38], np.float32)
    samples = np.stack([unsure] * 3 + [sure]).reshape(4, 1, 1, 2)
    assert sample_quality(samples, Brightness(), world()).confident == 0.25


def test_frechet_distances_are_those_of_features_from_the_test_images() -> None:
    data, made = world(), images(50, 0.3, 4)
    found = sample_quality(made, Brightness(), data)
    features = {name: x.reshape(len(x), 2) for name, x in (("made", made), ("test", data.test))}
    assert found.frechet == pytest.approx(frechet_distance(features["made"], features["test"]), rel=1e-4)
    # As many training images as samples, from all over the set: the first 50 would be of one class.
    assert found.frechet_real < found.frechet / 5


def test_neighbours_are_those_of_the_metrics_of_rule_two() -> None:
    data, made = world(), np.concatenate([images(80, 0.5, 5), world().train[:20]])
    found = sample_quality(made, Brightness(), data)
    assert found.nearest == pytest.approx(distance_ratio(made, data.train, data.test))
    assert found.copies == memorised_fraction(made, data.train) >= 0.2
    assert found.copies_real == memorised_fraction(data.test, data.train)


def test_a_copy_of_an_example_that_occurs_twice_is_one() -> None:
    data = world()
    doubled = replace(data, train=np.concatenate([data.train, data.train]))
    assert sample_quality(data.train, Brightness(), doubled).copies == 1


def test_bad_input_is_named() -> None:
    data = world()
    with pytest.raises(ValueError, match="samples: got 1, expected 2 or more"):
        sample_quality(data.test[:1], Brightness(), data)
    with pytest.raises(ValueError, match=r"samples: got shape \(5, 1, 2, 2\), expected \(n, 1, 1, 2\)"):
        sample_quality(np.zeros((5, 1, 2, 2), np.float32), Brightness(), data)
    with pytest.raises(ValueError, match=r"samples: got numbers from .*, expected 0 to 1; divide"):
        sample_quality(2 * data.test, Brightness(), data)
    with pytest.raises(ValueError, match="held_out: got examples half of which are in training"):
        sample_quality(data.test, Brightness(), replace(data, test=data.train))
