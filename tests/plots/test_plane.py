"""Points in the plane: a panel for each set, the density behind them the right way up."""

from __future__ import annotations

import numpy as np
import pytest

import scratchgen as sg
from scratchgen.data.toy import GaussianRing, eight_gaussians
from scratchgen.plots import cloud_frames, clouds


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


def test_a_frame_for_each_set_of_one_size_and_points_where_they_are() -> None:
    none, right, left = np.zeros((0, 2)), np.full((40, 2), (2.0, 1.0)), np.full((40, 2), (-2.0, 1.0))
    frames = cloud_frames({"": none, " ": right, "  ": left}, GaussianRing(1, 1.0, 0.1))
    assert len({frame.shape for frame in frames}) == 1
    empty, *others = frames
    _, height, width = empty.shape
    for frame, x in zip(others, (2.0, -2.0), strict=True):
        rows, columns = np.nonzero(np.abs(frame - empty).sum(axis=0) > 0.3)
        assert columns.mean() == pytest.approx(width * (x + 3) / 6, abs=width / 50)
        below = width * (1 + 3) / 6  # the square of the plane stands at the bottom
        assert rows.mean() == pytest.approx(height - below, abs=width / 50)


def test_bad_input() -> None:
    with pytest.raises(ValueError, match="points: got no set of them"):
        clouds({}, eight_gaussians())
    with pytest.raises(ValueError, match="points: got no set of them"):
        cloud_frames({}, eight_gaussians())
    with pytest.raises(ValueError, match=r"points\['end'\]: got shape \(3, 3\), expected \(n, 2\)"):
        clouds({"end": np.zeros((3, 3))}, eight_gaussians())
