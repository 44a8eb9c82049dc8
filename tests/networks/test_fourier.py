"""FourierFeatures: which waves the network is shown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.networks import FourierFeatures
from scratchgen.nn import Module


class Seen(Module):
    """Gives back what it is shown."""

    def forward(self, x: Any, *args: Any) -> Any:
        self.args = args
        return x


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_the_network_is_shown_the_pixels_and_their_waves(dtype: Any) -> None:
    x = np.random.default_rng(0).uniform(-1, 1, size=(2, 3, 4, 4))
    network = FourierFeatures(Seen(), [1.5, 16])
    y = network(sg.asarray(x, dtype), "t", None)
    assert network.network.args == ("t", None)
    assert y.dtype == dtype
    waves = [f(np.pi * k * x) for k in (1.5, 16) for f in (np.sin, np.cos)]
    assert_close(
        y, np.concatenate([x, *waves], axis=1), rtol=1e-3 if dtype == np.float32 else 1e-9, atol=1e-5
    )


def test_every_grey_level_has_the_same_phase() -> None:
    levels = np.linspace(-1, 1, 17).reshape(1, 1, -1)
    y = sg.asnumpy(FourierFeatures(Seen(), [16])(sg.asarray(levels)))
    assert_close(y[:, 1:], np.repeat([[[0.0], [1.0]]], 17, axis=2), atol=1e-12)
    noisy = sg.asnumpy(FourierFeatures(Seen(), [16])(sg.asarray(levels + 0.01)))
    assert_close(noisy[:, 1:2], np.full((1, 1, 17), np.sin(0.16 * np.pi)), rtol=1e-9)


def test_bad_input() -> None:
    for frequencies in ([], [1.0, 0.0], [-2.0], [np.inf], [np.nan]):
        with pytest.raises(
            ValueError, match=r"frequencies: got .*, expected (at least one|a number in \(0, inf\))"
        ):
            FourierFeatures(Seen(), frequencies)
