"""Points in the plane: a panel for each set, the density behind them the right way up."""

from __future__ import annotations

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.data.toy import GaussianRing, eight_gaussians
from scratchgen.plots import clouds


def test_a_panel_for_each_set_with_its_points_and_nothing_cut_off() -> None:
    points = {f"step {i}": sg.asarray(np.random.default_rng(i).normal(size=(50, 2))) for i in range(6)}
    figure = clouds(points, eight_gaussians())
    assert [axes.get_title(loc="left") for axes in figure.axes] == list(points)
    for axes, array in zip(figure.axes, points.values(), strict=True):
        np.testing.assert_array_equal(axes.collections[0].get_offsets(), sg.asnumpy(array))
        assert axes.get_xlim() == axes.get_ylim() == (-3, 3)


def test_the_density_lies_where_the_world_has_it() -> None:
    """One bump at (1, 0): right of the middle, half way up. Rows are drawn from the bottom."""
    image = clouds({"": np.zeros((1, 2))}, GaussianRing(1, 1.0, 0.1), reach=2.0).axes[0].images[0]
    row, column = np.unravel_index(np.argmax(image.get_array()[..., 3]), (120, 120))
    assert image.origin == "lower"
    assert -2 + 4 * column / 119 == pytest.approx(1, abs=0.04)
    assert -2 + 4 * row / 119 == pytest.approx(0, abs=0.04)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="points: got no set of them"):
        clouds({}, eight_gaussians())
    with pytest.raises(ValueError, match=r"points\['end'\]: got shape \(3, 3\), expected \(n, 2\)"):
        clouds({"end": np.zeros((3, 3))}, eight_gaussians())
