"""Autoregressive models: their tables, degrees and colours, and reading pixel by pixel."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.backend import RandomStream
from scratchgen.models import CategoricalChain, PixelCNN
from scratchgen.models.autoregressive.reading import conditionals
from scratchgen.networks.gated import ColourHead
from scratchgen.networks.masked import spread_degrees


@pytest.mark.equation("chain-tables")
def test_each_row_of_a_table_is_counted_and_smoothed_by_itself() -> None:
    rows = [[0, 0], [0, 0], [0, 2], [2, 1]]
    first, second = CategoricalChain((3, 3), parents=1, alpha=0.5).fit(rows).theta
    assert_close(first, np.array([3.5, 0.5, 1.5]) / 5.5, rtol=1e-12)
    expected = [np.array([2.5, 0.5, 1.5]) / 4.5, np.ones(3) / 3, np.array([0.5, 1.5, 0.5]) / 2.5]
    assert_close(second, expected, rtol=1e-12)
    unseen = CategoricalChain((3, 3), parents=1).fit(rows).theta[1]
    assert_close(unseen, [[2 / 3, 0, 1 / 3], [1 / 3, 1 / 3, 1 / 3], [0, 1, 0]], rtol=1e-12)


@pytest.mark.equation("made-degrees")
@pytest.mark.parametrize(("units", "dim"), [(6, 5), (500, 784), (8, 3), (3, 9), (2, 1)])
def test_degrees_are_spread_evenly_in_ascending_order(units: int, dim: int) -> None:
    degrees = spread_degrees(units, dim)
    last = max(dim - 1, 1)
    assert degrees[0] == 1
    assert (np.diff(degrees) >= 0).all()
    assert_close(degrees, [1 + (i * last) // units for i in range(units)])
    counts = np.bincount(degrees, minlength=last + 1)[1:]
    assert counts.max() - counts.min() <= 1


@pytest.mark.equation("pixelcnn-colours")
def test_a_colour_sees_the_colours_before_it() -> None:
    head = ColourHead(channels=4, colours=3, levels=2).to(np.float64)
    head.initialise(RandomStream(0))
    rng = np.random.default_rng(0)
    h, x = sg.asarray(rng.normal(size=(1, 4, 1, 1))), rng.normal(size=(1, 3, 1, 1))
    before = sg.asnumpy(head(h, sg.asarray(x)))
    changed = np.zeros((3, 3), bool)
    for colour in range(3):
        other = x.copy()
        other[:, colour] += 3.0
        changed[:, colour] = (sg.asnumpy(head(h, sg.asarray(other))) != before).any(axis=(0, 2, 3, 4))
    assert_close(changed, np.tril(np.ones((3, 3), bool), -1))
    kept = np.repeat(np.tril(np.ones((3, 3)), -1), 4, axis=0)  # a one for each weight that is left
    assert_close(sg.asnumpy(head.before.mask).reshape(12, 3), kept, rtol=0)


def model() -> PixelCNN:
    return PixelCNN((2, 4, 5), levels=3, channels=4, layers=3, rng=RandomStream(1)).to(np.float64)


@pytest.mark.equation("pixelcnn-reading")
def test_reading_pixel_by_pixel_gives_the_logits_of_a_whole_pass() -> None:
    network = model()
    x = np.random.default_rng(1).integers(0, 3, (3, 2, 4, 5)) / 2
    with sg.no_grad():
        whole = sg.asnumpy(network(sg.asarray(x)))  # (n, colours, levels, rows, columns)
        for (_, colour, row, column), logits in conditionals(network.network, sg.asarray(x)):
            assert_close(logits, whole[:, colour, :, row, column], rtol=1e-9, atol=1e-12)


@pytest.mark.equation("pixelcnn-sampling")
def test_each_level_is_drawn_by_inverting_the_sum_of_its_probabilities() -> None:
    network, n = model(), 3
    found = sg.asnumpy(network.sample(n, RandomStream(2)))
    u = sg.asnumpy(RandomStream(2).uniform((n, 2, 4, 5), np.float64))
    x = np.zeros((n, 2, 4, 5))
    with sg.no_grad():
        for row, column, colour in np.ndindex(4, 5, 2):
            logits = sg.asnumpy(network(sg.asarray(x)))[:, colour, :, row, column]
            sums = np.cumsum(np.exp(logits) / np.exp(logits).sum(1, keepdims=True), axis=1)
            x[:, colour, row, column] = [
                np.searchsorted(s, at, side="right") / 2
                for s, at in zip(sums, u[:, colour, row, column], strict=True)
            ]
    assert_close(found, x)
    assert len(np.unique(found)) == 3


@pytest.mark.equation("pixelcnn-sampling")
def test_a_level_without_probability_is_never_drawn() -> None:
    class Zeros(RandomStream):
        def uniform(self, shape: Any = (), dtype: Any = np.float32, **how: Any) -> Any:
            return np.zeros_like(super().uniform(shape, dtype, **how))

    network = model()
    network.network.head.logits.bias.data[...] = sg.asarray(np.array([-1e4, 0.0, 0.0] * 2))
    assert_close(network.sample(2, Zeros(0)), np.full((2, 2, 4, 5), 0.5), rtol=0)
