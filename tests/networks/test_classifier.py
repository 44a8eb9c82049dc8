"""The classifier: shapes, its two outputs, and that it learns."""

from __future__ import annotations

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.networks import ConvClassifier
from scratchgen.nn import functional as F


def test_features_and_logits_have_their_shapes_and_belong_together() -> None:
    model = ConvClassifier((3, 16, 12), classes=7, features=5, widths=(6, 8), before=4, rng=RandomStream(0))
    x = RandomStream(1).uniform((2, 3, 16, 12))
    features, logits = model.features(x), model.logits(x)
    assert (features.shape, logits.shape) == ((2, 5), (2, 7))
    assert (sg.asnumpy(features) >= 0).all()
    expected = sg.asnumpy(features) @ sg.asnumpy(model.classes.weight).T + sg.asnumpy(model.classes.bias)
    assert_close(logits, expected, rtol=1e-5, atol=1e-6)
    assert_close(model(x), logits)


def test_initial_weights_are_those_of_the_stream() -> None:
    first, again, other = (ConvClassifier((1, 8, 8), 10, rng=RandomStream(seed)) for seed in (0, 0, 1))
    x = RandomStream(1).uniform((2, 1, 8, 8))
    assert_close(first(x), again(x))
    assert np.abs(sg.asnumpy(first(x)) - sg.asnumpy(other(x))).max() > 1e-3


def test_it_learns_two_classes_of_stripes() -> None:
    stripes = np.zeros((2, 1, 8, 8), np.float32)
    stripes[0, 0, ::2], stripes[1, 0, :, ::2] = 1, 1
    labels = np.arange(64) % 2
    noise = np.random.default_rng(0).normal(size=(64, 1, 8, 8)).astype(np.float32)
    x, y = sg.asarray(stripes[labels] + 0.5 * noise), sg.asarray(labels)
    model = ConvClassifier((1, 8, 8), 2, features=8, widths=(4,), rng=RandomStream(0))
    optimiser = sg.optim.Adam(model.parameters(), lr=0.01)
    for _ in range(40):
        optimiser.zero_grad()
        F.cross_entropy(model.logits(x), y).backward()
        optimiser.step()
    assert (sg.asnumpy(model.logits(x)).argmax(1) == labels).all()


def test_bad_input_is_named() -> None:
    with pytest.raises(ValueError, match=r"shape: got \(8, 8\), expected \(channels, height, width\)"):
        ConvClassifier((8, 8), 10)
    with pytest.raises(ValueError, match="before: got 0"):
        ConvClassifier((1, 8, 8), 10, before=0)
    with pytest.raises(ValueError, match="divisible by 4"):
        ConvClassifier((1, 10, 10), 10)
    with pytest.raises(ValueError, match="classes: got 0"):
        ConvClassifier((1, 8, 8), 0)
