"""Terms of a loss over the time: what is drawn, and on which axes."""

from __future__ import annotations

import numpy as np
import pytest
from tools import assert_close

import scratchgen as sg
from scratchgen.plots import by_time


def test_each_term_has_a_panel_with_its_numbers() -> None:
    figure = by_time([1, 5, 25], {"a": sg.asarray(np.array([900.0, 2.0, 1.0])), "b": [0.5, -1.0, 2.0]})
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["a", "b"]
    (line,) = figure.axes[1].lines
    assert_close(np.stack(line.get_data()), np.array([[1, 5, 25], [0.5, -1, 2]]), rtol=0)
    assert [axes.get_yscale() for axes in figure.axes] == ["log", "linear"]
    assert by_time([1, 2], {"a": [1.0, 2.0]}).axes[0].get_ylim()[0] == 0
    assert by_time([1, 2], {"a": [1e-30, 1.0]}).axes[0].get_ylim()[0] > 1e-7


def test_bad_input() -> None:
    for times, terms in (([], {"a": []}), ([1], {})):
        with pytest.raises(ValueError, match=r"terms: got .*, expected at least one of each"):
            by_time(times, terms)
    with pytest.raises(ValueError, match=r"terms\['a'\]: got shape \(2,\), expected \(3,\)"):
        by_time([1, 2, 3], {"a": [1, 2]})
