"""InPatches: pixels to channels and back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.networks import InPatches, UNet
from scratchgen.networks.patches import apart, together
from scratchgen.nn import Module

X = np.arange(2 * 3 * 4 * 6, dtype=np.float64).reshape(2, 3, 4, 6)


def test_a_square_of_pixels_becomes_the_channels_of_one() -> None:
    y = sg.asnumpy(together(sg.asarray(X), 2))
    assert y.shape == (2, 12, 2, 3)
    # Channel c s^2 + i s + j holds the pixels of row i and column j of each square, as in PyTorch.
    for c in range(3):
        for i in range(2):
            for j in range(2):
                assert_close(y[:, 4 * c + 2 * i + j], X[:, c, i::2, j::2], rtol=0)


def test_taken_apart_again_they_are_as_before() -> None:
    assert_close(apart(together(sg.asarray(X), 2), 2), X, rtol=0)
    sg.check_gradients(lambda x: apart(together(x, 2) ** 2, 2), X / 50)


def test_the_network_sees_fewer_pixels_and_its_other_arguments() -> None:
    seen: list[Any] = []

    class Seen(Module):
        def forward(self, x: Any, *args: Any) -> Any:
            seen.append((x.shape, args))
            return sg.cat([x, x], axis=1)

    y = InPatches(Seen(), 2)(sg.asarray(X), "t", None)
    assert seen == [((2, 12, 2, 3), ("t", None))]
    assert_close(y, np.concatenate([X, X], axis=1), rtol=0)  # the first half of the channels stays the first


def test_parameters_are_those_of_the_network() -> None:
    inner = UNet(4, 8, width=8, multipliers=(1, 2), classes=3, rng=RandomStream(0))
    network = InPatches(inner, 2)
    assert network.parameter_count() == inner.parameter_count()
    x, t = sg.asarray(np.zeros((2, 1, 8, 8), np.float32)), sg.asarray(np.array([1, 2]))
    assert network(x, t, t).shape == (2, 2, 8, 8)


def test_bad_input() -> None:
    network = InPatches(UNet(4, width=8, multipliers=(1, 2)), 2)
    for shape in ((2, 1, 7, 8), (2, 1, 8, 7), (2, 8)):
        with pytest.raises(
            ValueError, match=r"x: got (7 x 8|8 x 7|.*) pixels, expected .* divisible by 2|x: got shape"
        ):
            network(sg.asarray(np.zeros(shape, np.float32)), sg.asarray(np.array([1, 2])))
    with pytest.raises(ValueError, match="size: got 0, expected a positive whole number"):
        InPatches(network, 0)
